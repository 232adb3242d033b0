//! Where a thread's records go: a rollout, the promise of one, or nowhere.

use std::path::{Path, PathBuf};

use items::ResponseItem;
use rollout::{Compacted, Record, RolloutError, SessionMeta, Writer};

/// The store of one thread.
pub(crate) enum Store {
    /// Nothing is kept.
    Ephemeral,
    /// The file comes with the first records.
    Promised {
        /// Where it will lie.
        path: PathBuf,
        /// Its first record.
        meta: Box<SessionMeta>,
        /// What the model knows to begin with, which comes next.
        known: Vec<ResponseItem>,
    },
    /// The file is there.
    Open(Writer),
}

impl Store {
    /// Appends records as one piece; they are in the file when this returns.
    ///
    /// A short write to a local file: the worker is lent out for it, in case that the file's lock is held elsewhere.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), RolloutError> {
        tokio::task::block_in_place(|| {
            self.materialize()?;
            match self {
                Self::Open(writer) if !records.is_empty() => writer.append(records).map(drop),
                _ => Ok(()),
            }
        })
    }

    /// Makes the promised file.
    pub(crate) fn materialize(&mut self) -> Result<(), RolloutError> {
        if let Self::Promised { path, meta, known } = self {
            let mut writer = Writer::create(path, (**meta).clone())?;
            if !known.is_empty() {
                let replacement_history = Some(std::mem::take(known));
                let compacted = Compacted { replacement_history, ..Compacted::default() };
                writer.append(&[Record::Compacted(compacted)])?;
            }
            *self = Self::Open(writer);
        }
        Ok(())
    }

    /// Returns the path, of the file or of its promise.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Ephemeral => None,
            Self::Promised { path, .. } => Some(path),
            Self::Open(writer) => Some(writer.path()),
        }
    }

    /// Changes the first record of a file that is not there yet; `None` where there is none to change.
    pub(crate) fn promised_meta(&mut self) -> Option<&mut SessionMeta> {
        match self {
            Self::Promised { meta, .. } => Some(meta),
            _ => None,
        }
    }

    /// Tells whether another program appended to the file since this thread last did.
    pub(crate) fn has_grown(&self) -> bool {
        matches!(self, Self::Open(writer) if writer.has_grown())
    }

    /// Tells whether there is a file.
    pub(crate) fn is_materialized(&self) -> bool {
        matches!(self, Self::Open(_))
    }
}
