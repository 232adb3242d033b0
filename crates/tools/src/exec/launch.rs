//! What to run, and how to start the process that will own it.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// A command to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program and its arguments; the program is looked for in the `PATH` of `env`.
    pub argv: Vec<OsString>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// All of its environment: nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
    /// What it reads from and writes to.
    pub stdio: Stdio,
}

impl Launch {
    /// Returns the first word of the command, as messages name it.
    pub(super) fn program(&self) -> String {
        self.argv
            .first()
            .map(OsString::as_os_str)
            .map(OsStr::to_string_lossy)
            .unwrap_or_default()
            .into_owned()
    }
}

/// What a command reads from and writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// A terminal of its own, which is the controlling one of its session.
    Terminal(Size),
    /// Pipes.
    Pipes {
        /// What it reads.
        input: Input,
        /// How its two outputs arrive.
        output: Output,
    },
}

/// What a command without a terminal reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// `/dev/null`: programs that read a pipe where there is one (ripgrep does) do not wait for it.
    Nothing,
    /// What is written to it.
    Open,
}

/// How the two outputs of a command without a terminal arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Through one pipe, so that the order of writing is kept.
    Joined,
    /// Through a pipe each.
    Apart,
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many lines.
    pub rows: u16,
    /// How many characters a line.
    pub cols: u16,
}

impl Default for Size {
    /// The size that terminals have had since there were any.
    fn default() -> Self {
        Self { rows: 24, cols: 80 }
    }
}

/// How to start the process that owns a command: a program that calls [`supervise`](super::supervise) when its
/// arguments begin with these.
#[derive(Clone, Debug)]
pub struct Supervisor {
    /// The program. On Linux `/proc/self/exe` is this very one, even after an update replaced its file.
    pub program: PathBuf,
    /// The arguments that make it a supervisor.
    pub args: Vec<OsString>,
}
