//! What can go wrong when a history is read.

use std::io;

/// Why a question about a thread's history has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The client's cursor is none of ours. The text is part of the protocol.
    #[error("invalid cursor: {0}")]
    InvalidCursor(String),
    /// No turn of this id stands in the thread. The text is part of the protocol.
    #[error("turn not found: {0}")]
    TurnNotFound(String),
    /// A file of the thread cannot be read.
    #[error("cannot read the thread's rollout")]
    Read(#[from] io::Error),
}
