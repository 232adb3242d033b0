//! What can go wrong when a command is started or spoken to.

use std::{io, path::PathBuf, time::Duration};

/// A command that did not start, or that could not be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// There is nothing to run.
    #[error("command must not be empty")]
    NoCommand,
    /// The system cannot be told of a text with a NUL in it.
    #[error("NUL byte in {0:?}")]
    Nul(String),
    /// The folder to run in is missing, or may not be entered.
    #[error("cannot enter the folder {}", cwd.display())]
    Folder {
        /// The folder.
        cwd: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program is missing, or may not be run.
    #[error("cannot run {program}")]
    Program {
        /// The first word of the command.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The pipes or the terminal of the command could not be made.
    #[error("cannot set up the input and output of {program}")]
    Streams {
        /// The first word of the command.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The process that would own the command could not be started, or was not to be spoken to.
    #[error("cannot start the supervisor {}", program.display())]
    Supervisor {
        /// The program that is started for it.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The process that would own the command ended, or said nothing for too long.
    #[error("the supervisor of {program} did not report within {} s", after.as_secs())]
    Silent {
        /// The first word of the command.
        program: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The thread has as many processes as it may have.
    #[error("{0} processes of this thread are still running; terminate one first")]
    TooMany(usize),
    /// No such session, or not any more.
    #[error("no process with session ID {0}")]
    NotFound(u32),
    /// The input was closed, by the caller or by the command.
    #[error("stdin is already closed")]
    InputClosed,
    /// The command does not read what it is given.
    #[error("the process has not read its input for {} s", .0.as_secs())]
    InputFull(Duration),
    /// There is no terminal that has a size.
    #[error("process is not attached to a PTY")]
    NoTerminal,
}
