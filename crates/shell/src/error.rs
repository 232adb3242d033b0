//! What can be wrong with the rules about commands, and where.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A rule that cannot be understood, or a file of rules that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A statement is not one that is understood. The other statements of its file are read all the same.
    #[error("{}:{line}: {message}", path.display())]
    Statement {
        /// The file.
        path: PathBuf,
        /// Where in it; counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file is longer than any that people write, or would be.
    #[error("{} is longer than {most} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// What is read at most.
        most: u64,
    },
    /// Another program holds the file for longer than a rule may wait.
    #[error("{} is locked by another program", .0.display())]
    Locked(PathBuf),
    /// A rule about no words at all would be one about every command.
    #[error("a rule needs at least one word")]
    Empty,
}

impl RulesError {
    /// Returns what file or folder it is about, and the line in it, counted from 1.
    pub fn place(&self) -> (Option<&Path>, Option<usize>) {
        match self {
            Self::Statement { path, line, .. } => (Some(path), Some(*line)),
            Self::Io { path, .. } | Self::TooLong { path, .. } | Self::Locked(path) => (Some(path), None),
            Self::Empty => (None, None),
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
