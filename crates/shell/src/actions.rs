//! What a command does, as far as clients show it in few words: reads a file, lists a folder, searches.
//!
//! Invariant: never empty, and never half of it. A script with any part that is not known is unknown as a whole, so that
//! a client cannot be shown the harmless half of something. Helpers that only cut or count what another command prints
//! are left out.

mod command;

use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::words::{self, Joint};
use command::Part;

/// A script of more parts than this is not explained: nobody reads so long a list.
const MOST_ACTIONS: usize = 32;

/// One thing that a command does; serialized as rollouts store it in `parsed_cmd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Prints a file or a piece of it.
    Read {
        /// The command that does it, without its helpers.
        cmd: String,
        /// The last part of the path.
        name: String,
        /// The file; absolute.
        path: String,
    },
    /// Lists files.
    ListFiles {
        /// The command that does it, without its helpers.
        cmd: String,
        /// The folder as it is written; `None` for the current one.
        path: Option<String>,
    },
    /// Looks for something in files, or for files by their names.
    Search {
        /// The command that does it, without its helpers.
        cmd: String,
        /// What is looked for.
        query: Option<String>,
        /// Where, as it is written; `None` for the current folder or what another command prints.
        path: Option<String>,
    },
    /// Anything else.
    Unknown {
        /// The whole command.
        cmd: String,
    },
}

/// Explains an argv that runs in `cwd`; a shell's script is looked into.
pub fn command_actions(argv: &[String], cwd: &Path) -> Vec<Action> {
    known_actions(argv, cwd).unwrap_or_else(|| {
        let cmd = words::script(argv).map_or_else(|| quoted(argv), str::to_owned);
        vec![Action::Unknown { cmd }]
    })
}

fn known_actions(argv: &[String], cwd: &Path) -> Option<Vec<Action>> {
    let mut cwd = cwd.to_owned();
    let mut actions = Vec::new();
    for command in words::plain_of(argv)? {
        let cmd = quoted(&command.words);
        match command::part(&command.words, command.joint == Joint::Pipe)? {
            Part::Helper => {}
            Part::Enter(folder) => cwd = join(&cwd, &folder),
            Part::Read(file) => {
                let path = join(&cwd, &file);
                let name = path.file_name()?.to_string_lossy().into_owned();
                actions.push(Action::Read { cmd, name, path: path.to_string_lossy().into_owned() });
            }
            Part::List(path) => actions.push(Action::ListFiles { cmd, path }),
            Part::Search { query, path } => actions.push(Action::Search { cmd, query, path }),
        }
    }
    (1..=MOST_ACTIONS).contains(&actions.len()).then_some(actions)
}

/// Writes words as one would type them; some with a NUL, which no shell takes, as they are.
pub fn quoted(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// Joins a path to a folder and takes out `.` and `..`, by the text alone.
fn join(folder: &Path, path: &str) -> PathBuf {
    let mut joined = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                joined.pop();
            }
            part => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
