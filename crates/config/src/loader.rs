//! Reads the files and stacks the layers.

use std::{fmt, fs, io, path::PathBuf};

use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use crate::{
    Config, ConfigError, Layer, Override,
    layers::{LayerTable, Source, Stack, find},
    location, overrides,
    section::Invalid,
};

/// Loads the configuration whenever it is needed: files are read anew each time, so an edit holds from then on.
#[derive(Clone, Debug)]
pub struct Loader {
    home: PathBuf,
    flags: LayerTable,
}

impl Loader {
    /// Keeps what the command line says; fails when that alone is wrong. Files are not looked at.
    pub fn new(
        home: PathBuf,
        overrides: impl IntoIterator<Item = Override>,
        profile: Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut table = overrides::table(overrides);
        if let Some(profile) = profile {
            table.insert("profile".to_owned(), profile.into());
        }
        let flags = LayerTable::unwritten(Layer::SessionFlags, table);
        Config::read(Stack(vec![flags.clone()]), &home)?;
        Ok(Self { home, flags })
    }

    /// Returns the user's file, which may be missing.
    pub fn path(&self) -> PathBuf {
        self.home.join("config.toml")
    }

    /// Loads the configuration for a thread; the overrides are what the client sent, with dotted keys or nested, `null`
    /// meaning not set. Reads files, so it is work for a thread that may block.
    pub fn load(&self, thread: &Map<String, Json>) -> Result<Config, ConfigError> {
        let user = read_file(Layer::User, self.path())?;
        let user = user.unwrap_or_else(|| LayerTable::unwritten(Layer::User, Table::new()));
        let thread = LayerTable::unwritten(Layer::Thread, overrides::thread_table(thread));
        let mut stack = Stack(vec![user, self.flags.clone(), thread]);
        if let Some(profile) = self.profile(&stack)? {
            stack.0.insert(1, profile);
        }
        let config = Config::read(stack, &self.home)?;
        if config.provider().is_none() {
            let message = format!("Model provider `{}` not found", config.model_provider);
            return Err(refused(&config.stack, "model_provider", message));
        }
        with_instructions(config)
    }

    /// Finds the profile in force: a table `profiles.NAME`, else a file `NAME.config.toml` beside the user's. The older
    /// of the published releases knows the one form, the newer one the other.
    fn profile(&self, stack: &Stack) -> Result<Option<LayerTable>, ConfigError> {
        let merged = stack.merged();
        // Of another type than text it is refused with the other bad values.
        let Some(Value::String(name)) = merged.get("profile") else { return Ok(None) };
        let path = ["profiles".to_owned(), name.clone()];
        let found = match find(&merged, &path) {
            Some(Value::Table(table)) => {
                let source = stack.strongest(&path).and_then(|layer| layer.source.clone());
                let source = source.map(|source| Source { below: path.to_vec(), ..source });
                Some(LayerTable { layer: Layer::Profile, table: table.clone(), source })
            }
            _ if !is_profile_name(name) => None,
            _ => read_file(Layer::Profile, self.home.join(format!("{name}.config.toml")))?,
        };
        let message = format!("config profile `{name}` not found");
        let mut found = found.ok_or_else(|| refused(stack, "profile", message))?;
        // A profile does not choose another.
        found.table.remove("profile");
        Ok(Some(found))
    }
}

/// Tells whether a name may become part of a file name, which must not lead out of the folder.
fn is_profile_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// Reads one file; a missing one is `None`.
fn read_file(layer: Layer, path: PathBuf) -> Result<Option<LayerTable>, ConfigError> {
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(ConfigError { layer, path: Some(path), range: None, message: error.to_string() });
        }
    };
    match text.parse::<Table>() {
        Ok(table) => {
            Ok(Some(LayerTable { layer, table, source: Some(Source { path, text, below: Vec::new() }) }))
        }
        Err(error) => {
            let range = error.span().map(|span| location::of_bytes(&text, span));
            Err(ConfigError { layer, path: Some(path), range, message: error.message().to_owned() })
        }
    }
}

/// Fetches the text that replaces the base prompt.
fn with_instructions(config: Config) -> Result<Config, ConfigError> {
    let Some(file) = &config.model_instructions_file else { return Ok(config) };
    let failed = |cause: &dyn fmt::Display| {
        let message = format!("failed to read model instructions file {}: {cause}", file.display());
        refused(&config.stack, "model_instructions_file", message)
    };
    let text = fs::read_to_string(file).map_err(|cause| failed(&cause))?;
    if text.trim().is_empty() {
        return Err(failed(&"it is empty"));
    }
    Ok(Config { base_instructions: Some(text.trim().to_owned()), ..config })
}

fn refused(stack: &Stack, key: &str, message: String) -> ConfigError {
    stack.locate(Invalid { path: vec![key.to_owned()], message })
}

#[cfg(test)]
mod tests;
