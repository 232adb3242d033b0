//! What can go wrong when a thread is asked for something.

use std::fmt;

use rollout::ThreadId;

/// A request to a loaded thread that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The thread is not loaded.
    #[error("thread not found: {0}")]
    NotLoaded(ThreadId),
    /// No turn runs.
    #[error("no active turn to steer")]
    NoTurnToSteer,
    /// The running turn takes no words in.
    #[error("cannot steer a {0} turn")]
    NotSteerable(Closed),
    /// No turn runs.
    #[error("no active turn to interrupt")]
    NoTurnToInterrupt,
    /// Another turn runs than the caller thinks.
    #[error("expected active turn id `{expected}` but found `{found}`")]
    OtherTurn {
        /// The turn that the caller named.
        expected: String,
        /// The turn that runs.
        found: String,
    },
    /// The history cannot be changed under a running turn.
    #[error("Cannot rollback while a turn is in progress.")]
    TurnInProgress,
    /// The configured provider cannot be used.
    #[error("{0}")]
    Provider(String),
    /// Nothing of an ephemeral thread is stored.
    #[error("thread {0} is ephemeral")]
    Ephemeral(ThreadId),
    /// The stores refused.
    #[error(transparent)]
    Thread(#[from] threads::ThreadError),
    /// The rollout could not be written.
    #[error(transparent)]
    Rollout(#[from] rollout::RolloutError),
}

/// A kind of turn that takes no words in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// A review.
    Review,
    /// A compaction of the history.
    Compact,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Review => "review",
            Self::Compact => "compact",
        })
    }
}
