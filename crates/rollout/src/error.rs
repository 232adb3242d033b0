//! What can go wrong with a rollout, as far as a caller can act on it.

use std::{io, path::PathBuf};

use crate::ThreadId;

/// An operation on a rollout that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another program held the file for longer than an append may wait.
    #[error("{} is locked by another program", .0.display())]
    Locked(PathBuf),
    /// A record could not be encoded.
    #[error("cannot encode a record")]
    Encode(#[from] serde_json::Error),
    /// The file has no session record, so it is no rollout.
    #[error("{} has no session record", .0.display())]
    NoSession(PathBuf),
    /// The file is the continuation of one that cannot be found.
    #[error("invalid paginated history lineage for {}: missing source rollout {id}", path.display())]
    MissingSource {
        /// The continuation.
        path: PathBuf,
        /// The thread that it continues.
        id: ThreadId,
    },
    /// The file is the continuation of itself.
    #[error("invalid paginated history lineage for {}: it leads back to itself", .0.display())]
    Circular(PathBuf),
}

impl RolloutError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
