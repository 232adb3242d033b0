//! Tables of different strength, and what they make together.

use std::{fmt, path::PathBuf};

use toml::{Table, Value};

use crate::{ConfigError, location, section::Invalid};

/// Where a value comes from. A stronger layer is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// No layer sets it.
    Default,
    /// `config.toml`.
    User,
    /// The profile in force: a table of `config.toml` or a file of its own.
    Profile,
    /// `-c`, `--enable`, `--disable`, `--profile`.
    SessionFlags,
    /// What the client sent along with the thread.
    Thread,
}

/// The values of one layer.
#[derive(Clone)]
pub(crate) struct LayerTable {
    pub(crate) layer: Layer,
    pub(crate) table: Table,
    pub(crate) source: Option<Source>,
}

/// Says where the values come from; they may hold keys and passwords.
impl fmt::Debug for LayerTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerTable").field("layer", &self.layer).finish_non_exhaustive()
    }
}

impl LayerTable {
    /// Makes a layer of values that stand in no file.
    pub(crate) fn unwritten(layer: Layer, table: Table) -> Self {
        Self { layer, table, source: None }
    }
}

/// The text that the values of a layer stand in.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Where in the text the layer begins, for a profile that is a table of the user's file.
    pub(crate) below: Vec<String>,
}

/// The layers in force, weakest first.
#[derive(Clone)]
pub(crate) struct Stack(pub(crate) Vec<LayerTable>);

impl Stack {
    /// Joins the layers: tables key by key, of anything else the strongest.
    pub(crate) fn merged(&self) -> Table {
        let mut merged = Table::new();
        for layer in &self.0 {
            merge(&mut merged, &layer.table);
        }
        merged
    }

    /// Returns the strongest layer that sets a value.
    pub(crate) fn origin(&self, path: &[String]) -> Layer {
        self.strongest(path).map_or(Layer::Default, |layer| layer.layer)
    }

    /// Adds to a bad value the place where it stands.
    pub(crate) fn locate(&self, invalid: Invalid) -> ConfigError {
        let Invalid { path, message } = invalid;
        // A value that is missing is looked for where its table is.
        let set = (1..=path.len()).rev().find_map(|len| Some((&path[..len], self.strongest(&path[..len])?)));
        let Some((path, LayerTable { layer, source, .. })) = set else {
            return ConfigError { layer: Layer::Default, path: None, range: None, message };
        };
        let range = source.as_ref().and_then(|Source { text, below, .. }| {
            let path = below.iter().chain(path);
            location::of_value(text, path)
        });
        ConfigError { layer: *layer, path: source.as_ref().map(|source| source.path.clone()), range, message }
    }

    /// Returns the strongest layer that sets a value, or anything below it.
    pub(crate) fn strongest(&self, path: &[String]) -> Option<&LayerTable> {
        self.0.iter().rev().find(|layer| find(&layer.table, path).is_some())
    }
}

/// Returns the value at a path.
pub(crate) fn find<'a>(table: &'a Table, path: &[String]) -> Option<&'a Value> {
    let [key, rest @ ..] = path else { return None };
    let value = table.get(key)?;
    if rest.is_empty() { Some(value) } else { find(value.as_table()?, rest) }
}

fn merge(into: &mut Table, stronger: &Table) {
    for (key, value) in stronger {
        match (into.get_mut(key), value) {
            (Some(Value::Table(weak)), Value::Table(strong)) => merge(weak, strong),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
