//! What keeps a home from being looked at.

use std::{io, path::PathBuf};

/// Why nothing was checked.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// The home cannot be read.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl DoctorError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
