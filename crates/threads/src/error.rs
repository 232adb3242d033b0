//! What can go wrong with stored threads, as far as a caller can act on it.

use std::{io, path::PathBuf};

use rollout::ThreadId;

use crate::SectionId;

/// A call of the thread manager that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ThreadError {
    /// No rollout of this id where the call looks for one.
    #[error("no rollout found for thread id {0}")]
    NotFound(ThreadId),
    /// The thread is archived, and the call works on active threads only.
    #[error("session {0} is archived. Run `codex unarchive {0}` to unarchive it first.")]
    Archived(ThreadId),
    /// No archived rollout of this id.
    #[error("no archived rollout found for thread id {0}")]
    NotArchived(ThreadId),
    /// The file is no rollout, or its first records are unreadable.
    #[error("failed to load rollout `{}`: no session record in it", .0.display())]
    NoSession(PathBuf),
    /// Another server is writing to the thread.
    #[error("thread {0} already has an active writer")]
    Busy(ThreadId),
    /// A turn that the caller named is not in the thread.
    #[error("turn not found: {0}")]
    TurnNotFound(String),
    /// A name that is blank.
    #[error("thread name must not be empty")]
    EmptyName,
    /// A patch that names no field.
    #[error("gitInfo must include at least one field")]
    EmptyPatch,
    /// A patch that sets a field to a blank text.
    #[error("gitInfo.{0} must not be empty")]
    BlankField(&'static str),
    /// A section's name that is blank.
    #[error("section name must not be empty")]
    EmptySectionName,
    /// A section that is to be changed is not there.
    #[error("thread section not found: {0}")]
    SectionNotFound(SectionId),
    /// The built-in section is to be changed.
    #[error("the built-in pinned section cannot be {0}")]
    BuiltInSection(&'static str),
    /// A section that a thread is to go into is not there.
    #[error("section {0} does not exist")]
    NoSuchSection(SectionId),
    /// A thread is to stand before itself.
    #[error("thread {0} cannot be moved before itself")]
    BeforeItself(ThreadId),
    /// A thread is to stand before one that is not in the section.
    #[error("before thread {before} is not in section {section}")]
    BeforeElsewhere {
        /// The thread that is elsewhere.
        before: ThreadId,
        /// The section that it is not in.
        section: SectionId,
    },
    /// A word of an attachment's identity that is blank.
    #[error("{0} must not be empty")]
    EmptyWord(&'static str),
    /// A word of an attachment's identity that is too long.
    #[error("{field} must not exceed {max} bytes")]
    LongWord {
        /// Which word.
        field: &'static str,
        /// How long it may be.
        max: usize,
    },
    /// An attachment's payload that is too large.
    #[error("attachment payload must not exceed {0} bytes")]
    LargePayload(usize),
    /// A goal's objective that is blank.
    #[error("goal objective must not be empty")]
    EmptyObjective,
    /// A goal's objective that is too long.
    #[error("goal objective must be at most {0} characters")]
    LongObjective(usize),
    /// A goal's budget that allows nothing.
    #[error("goal budgets must be positive when provided")]
    EmptyBudget,
    /// A thread that is to get a goal has one.
    #[error("cannot create a goal for thread {0}: it has one that is not complete")]
    HasGoal(ThreadId),
    /// A goal that is to be changed is not there.
    #[error("cannot update goal for thread {0}: no goal exists")]
    NoGoal(ThreadId),
    /// A thread has as many attachments as it may.
    #[error("thread attachment identity count exceeds {0}")]
    TooManyAttachments(usize),
    /// A rollout operation failed.
    #[error(transparent)]
    Rollout(#[from] rollout::RolloutError),
    /// A cursor that no page gave.
    #[error("invalid cursor: {0}")]
    InvalidCursor(String),
    /// Projecting the history failed.
    #[error(transparent)]
    History(history::HistoryError),
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The worker that did the blocking part died.
    #[error("the storage worker was stopped")]
    Worker,
}

impl From<history::HistoryError> for ThreadError {
    fn from(error: history::HistoryError) -> Self {
        match error {
            history::HistoryError::InvalidCursor(cursor) => Self::InvalidCursor(cursor),
            history::HistoryError::TurnNotFound(turn) => Self::TurnNotFound(turn),
            other => Self::History(other),
        }
    }
}

impl ThreadError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
