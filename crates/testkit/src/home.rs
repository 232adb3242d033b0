//! A `CODEX_HOME` of a test's own: a config that points at a scripted model, and threads stored by earlier runs.
//!
//! Everything lies in one temporary folder, which goes with the value.

mod stored;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tempfile::TempDir;

pub use self::stored::{Rollout, Stored, set_mtime};
use crate::MockModel;

/// A `CODEX_HOME` with a folder to work in and a model of its own.
pub struct Home {
    folder: TempDir,
    model: MockModel,
    threads: Vec<Stored>,
    made: AtomicUsize,
    config: Config,
}

/// The lines that a test adds to the config, by where TOML wants them.
#[derive(Default)]
struct Config {
    top: String,
    provider: String,
    tables: String,
}

impl Home {
    /// Makes a home with nothing in it but a config that names the model.
    #[expect(clippy::new_without_default, reason = "each one is a folder of its own")]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("skein-test-").tempdir().unwrap();
        let home = Self {
            folder,
            model: MockModel::start(),
            threads: Vec::new(),
            made: AtomicUsize::new(0),
            config: Config::default(),
        };
        fs::create_dir(home.root()).unwrap();
        fs::create_dir(home.work()).unwrap();
        home.write_config();
        home
    }

    /// Adds a stored thread, as an earlier run of some release would have left it.
    pub fn with_rollout(mut self, rollout: Rollout) -> Self {
        let stored = self.store(rollout);
        self.threads.push(stored);
        self
    }

    /// Adds a setting to the top of the config: `key = value`.
    pub fn with_setting(mut self, line: &str) -> Self {
        self.config.top.push_str(&format!("{line}\n"));
        self.write_config();
        self
    }

    /// Adds a setting to the provider of the config: `key = value`.
    pub fn with_provider_setting(mut self, line: &str) -> Self {
        self.config.provider.push_str(&format!("{line}\n"));
        self.write_config();
        self
    }

    /// Adds whole tables to the config.
    pub fn with_tables(mut self, tables: &str) -> Self {
        self.config.tables.push_str(&format!("{tables}\n"));
        self.write_config();
        self
    }

    /// Adds an MCP server to the config: a shell script that behaves as told, with lines of its own in the entry.
    ///
    /// It has the tools `look`, `work` (which says how far it is, and is done when
    /// the home has a file `worked`), `fail` and `ask` (which asks the person), which only
    /// look, and `change`. `dead` is one that ends at once, `stubborn` one that does not end, nor do its children.
    pub fn with_mcp_server(self, name: &str, behaviour: &str, lines: &str) -> Self {
        let script = self.real().join("mcp.sh");
        fs::write(&script, include_str!("home/mcp.sh")).unwrap();
        // The variable marks the process as this home's.
        let entry = format!(
            "[mcp_servers.{name}]\ncommand = \"sh\"\nargs = [{script:?}, {behaviour:?}]\n\
             env_vars = [\"CODEX_HOME\"]\n{lines}"
        );
        self.with_tables(&entry)
    }

    /// Stores a thread while the test runs, and tells where.
    pub fn store(&self, rollout: Rollout) -> Stored {
        rollout.write(self.root(), self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns a thread that the home was made with, in the order of making.
    pub fn thread(&self, index: usize) -> &Stored {
        &self.threads[index]
    }

    /// Returns the folder that the server is given as `CODEX_HOME`.
    pub fn root(&self) -> PathBuf {
        self.real().join("codex")
    }

    /// Returns the folder that the server works in, unless told otherwise.
    pub fn work(&self) -> PathBuf {
        self.real().join("work")
    }

    /// Returns the model that the config points at.
    pub fn model(&self) -> &MockModel {
        &self.model
    }

    /// Returns the files below the home whose name has a piece of text in it, sorted.
    pub fn files(&self, piece: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                // A link to a folder is a file here: what it points at is not the home's.
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else if path.file_name().unwrap().to_string_lossy().contains(piece) {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    /// Deletes every database, as somebody does who was told that they hold nothing that is needed.
    pub fn delete_index(&self) {
        for path in self.files(".sqlite") {
            match fs::remove_file(path) {
                // A server that is making the database has removed it itself: the journal of a transaction, say.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.unwrap(),
            }
        }
    }

    /// Returns the path of the index's database, there or not.
    pub fn index(&self) -> PathBuf {
        self.root().join("skein/state.sqlite")
    }

    /// The folder without links in its path, so that paths compare with those that the server tells.
    fn real(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn write_config(&self) {
        let Config { top, provider, tables } = &self.config;
        let url = self.model.url();
        let config = format!(
            r#"model = "mock-model"
model_provider = "mock_provider"
approval_policy = "never"
sandbox_mode = "read-only"
{top}
[model_providers.mock_provider]
name = "The scripted model of a test"
base_url = "{url}"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
{provider}
{tables}"#
        );
        fs::write(self.root().join("config.toml"), config).unwrap();
    }
}

/// Reads the lines of a rollout, or of any other file of JSON objects.
pub fn json_lines(path: impl AsRef<Path>) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}
