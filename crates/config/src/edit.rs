//! Edits of a `config.toml`: one value is set, and all else stays as the person wrote it.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use toml_edit::{DocumentMut, Item, Table, TableLike};

/// Why a file was not edited; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It could not be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It holds no TOML.
    #[error("{path}: {message}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        message: String,
    },
    /// Something on the way to the value is no table.
    #[error("{path}: `{key}` is no table")]
    NoTable {
        /// The file.
        path: PathBuf,
        /// Its key, with those above it.
        key: String,
    },
}

/// Sets the value at `keys`, and makes the tables on the way to it, and the file, where they are missing.
///
/// The file is replaced in one step; where it is a link, the file that it leads to.
pub fn set(file: &Path, keys: &[&str], value: &str) -> Result<(), EditError> {
    let path = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let failed = |action| {
        let path = path.clone();
        move |source| EditError::Io { action, path, source }
    };
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(failed("read"))?,
    };
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        EditError::Broken { path: path.clone(), message: error.to_string() }
    })?;
    let Some((last, above)) = keys.split_last() else { return Ok(()) };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, key) in above.iter().enumerate() {
        let below = table.entry(key).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        table = below
            .as_table_like_mut()
            .ok_or_else(|| EditError::NoTable { path: path.clone(), key: keys[..=depth].join(".") })?;
    }
    table.insert(last, toml_edit::value(value));
    replace(&path, document.to_string().as_bytes()).map_err(failed("write"))
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?;
    file.write_all(content)?;
    if let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const KEYS: [&str; 5] = ["mcp_servers", "a", "tools", "b", "approval_mode"];

    fn edited(before: Option<&str>) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        if let Some(before) = before {
            fs::write(&file, before).unwrap();
        }
        let done = set(&file, &KEYS, "approve");
        let after = fs::read_to_string(&file).unwrap_or_default();
        match done {
            Ok(()) => Ok(after),
            Err(error) => {
                assert_eq!(after, before.unwrap_or_default(), "what was not edited is as it was");
                Err(error
                    .to_string()
                    .replace(&format!("{}", fs::canonicalize(&file).unwrap().display()), "FILE"))
            }
        }
    }

    #[test]
    fn a_value_is_set_and_all_else_stays() {
        let added = "[mcp_servers.a.tools.b]\napproval_mode = \"approve\"\n";
        for (before, after) in [
            (None, added.to_owned()),
            (
                Some("# mine\nmodel = 'm' # why\n\n[mcp_servers.a]\ncommand = \"x\"\n"),
                format!("# mine\nmodel = 'm' # why\n\n[mcp_servers.a]\ncommand = \"x\"\n\n{added}"),
            ),
            (
                Some("[mcp_servers]\na = { command = \"x\" }\n"),
                "[mcp_servers]\na = { command = \"x\" , tools.b.approval_mode = \"approve\" }\n".to_owned(),
            ),
            (
                Some("mcp_servers.a.tools.b.approval_mode = \"prompt\" # no\n"),
                "mcp_servers.a.tools.b.approval_mode = \"approve\"\n".to_owned(),
            ),
        ] {
            let found = edited(before).unwrap();
            assert_eq!(found, after);
            assert_eq!(toml::from_str::<toml::Table>(&found).unwrap()["mcp_servers"]["a"]["tools"]["b"]["approval_mode"].as_str(), Some("approve"));
        }
    }

    #[test]
    fn what_cannot_be_edited_is_told_and_stays() {
        assert!(edited(Some("model = ")).unwrap_err().starts_with("FILE: TOML parse error at line 1"));
        assert_eq!(edited(Some("mcp_servers.a = 5\n")).unwrap_err(), "FILE: `mcp_servers.a` is no table");
    }
}
