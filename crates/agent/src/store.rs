//! Where a thread's records go: a rollout, the promise of one, or nowhere.
//!
//! Shared by whoever works for the thread: its turn, the commands that outlive one, and who injects items. What is
//! appended at once stands together; records of two askers never mix.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use items::ResponseItem;
use rollout::{Compacted, Disk, Event, Record, RolloutError, SessionMeta, Writer};

/// The store of one thread.
pub(crate) struct Store(Mutex<Place>);

/// Where the records go.
pub(crate) enum Place {
    /// Nothing is kept.
    Ephemeral,
    /// The file comes with the first records.
    Promised(Promise),
    /// The file is there.
    Open(Writer),
}

/// A file that is to come.
pub(crate) struct Promise {
    /// What has to know of it.
    pub(crate) disk: Disk,
    /// Where it will lie.
    pub(crate) path: PathBuf,
    /// Its first record.
    pub(crate) meta: Box<SessionMeta>,
    /// What the model knows to begin with, which comes next.
    pub(crate) known: Vec<ResponseItem>,
}

impl Store {
    pub(crate) fn new(place: Place) -> Self {
        Self(Mutex::new(place))
    }

    /// Appends records as one piece; they are in the file when this returns.
    ///
    /// A short write to a local file: the worker is lent out for it, in case that the file's lock is held elsewhere.
    pub(crate) fn append(&self, records: &[Record]) -> Result<(), RolloutError> {
        tokio::task::block_in_place(|| {
            let mut place = self.lock();
            place.materialize()?;
            match &mut *place {
                Place::Open(writer) if !records.is_empty() => writer.append(records).map(drop),
                _ => Ok(()),
            }
        })
    }

    /// Appends an event.
    pub(crate) fn append_event(&self, event: Event) -> Result<(), RolloutError> {
        self.append(&[Record::EventMsg(event)])
    }

    /// Opens the file anew, where there is one, after a panic may have left its writer between two states.
    pub(crate) fn reopen(&self) -> Result<(), RolloutError> {
        let mut place = self.lock();
        if let Place::Open(writer) = &*place {
            *place = Place::Open(writer.reopened()?);
        }
        Ok(())
    }

    /// Returns the path of the file; `None` where there is none yet.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match &*self.lock() {
            Place::Open(writer) => Some(writer.path().to_owned()),
            Place::Ephemeral | Place::Promised(_) => None,
        }
    }

    /// Changes the first record of a file that is not there yet.
    pub(crate) fn amend(&self, change: impl FnOnce(&mut SessionMeta)) {
        if let Place::Promised(promise) = &mut *self.lock() {
            change(&mut promise.meta);
        }
    }

    /// Tells whether another program appended to the file since this thread last did.
    pub(crate) fn has_grown(&self) -> bool {
        matches!(&*self.lock(), Place::Open(writer) if writer.has_grown())
    }

    /// Tells whether there is a file.
    pub(crate) fn is_materialized(&self) -> bool {
        matches!(&*self.lock(), Place::Open(_))
    }

    /// Tells whether there will never be a file.
    pub(crate) fn is_ephemeral(&self) -> bool {
        matches!(&*self.lock(), Place::Ephemeral)
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Makes the promised file.
    fn materialize(&mut self) -> Result<(), RolloutError> {
        let Self::Promised(Promise { disk, path, meta, known }) = self else { return Ok(()) };
        let mut writer = Writer::create(disk, path, (**meta).clone())?;
        if !known.is_empty() {
            let replacement_history = Some(std::mem::take(known));
            let compacted = Compacted { replacement_history, ..Compacted::default() };
            writer.append(&[Record::Compacted(compacted)])?;
        }
        *self = Self::Open(writer);
        Ok(())
    }
}
