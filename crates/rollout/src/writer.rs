//! Writing a thread's records.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use chrono::Utc;

use crate::{
    Disk, Record, RolloutError, SessionMeta,
    append::{self, Locked},
    form::Form,
    unfinished::Unfinished,
};

/// Appends records to one rollout, in the form that it has.
#[derive(Debug)]
pub struct Writer {
    disk: Disk,
    path: PathBuf,
    file: File,
    form: Form,
    /// How long the file was after our last append.
    len: u64,
}

/// Where appended lines stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the first one.
    pub start: u64,
    /// The end of the last one.
    pub end: u64,
}

impl Writer {
    /// Makes the rollout of a new thread, with its session record; there must be none of this name.
    ///
    /// The file takes its name with the record in it: where that cannot be written, or in a crash, there is none.
    pub fn create(disk: &Disk, path: &Path, meta: SessionMeta) -> Result<Self, RolloutError> {
        let mut form = Form::of_new(&meta);
        let head = form.render(&[Record::SessionMeta(Box::new(meta))], Utc::now())?;
        let unfinished = Unfinished::beside(disk, path)?;
        let written = (&unfinished.file).write_all(&head);
        written.map_err(RolloutError::io("write", &unfinished.path))?;
        unfinished.finish(path, form)
    }

    /// Opens a rollout that is there.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self, RolloutError> {
        let file = append::open(path)?;
        // Before the form is read: what another program appends meanwhile may not be in it, and has to be noticed.
        let len = file.metadata().map_err(RolloutError::io("look at", path))?.len();
        let form = Form::of(path).map_err(RolloutError::io("read", path))?;
        Ok(Self { disk: disk.clone(), path: path.to_owned(), file, form, len })
    }

    /// Takes a file that only we know, open for appending, and the form that its next line will have.
    pub(crate) fn of_new(disk: Disk, path: &Path, file: File, form: Form, len: u64) -> Self {
        Self { disk, path: path.to_owned(), file, form, len }
    }

    /// Appends records as whole lines in one write; they are in the file when this returns, or none of them is.
    pub fn append(&mut self, records: &[Record]) -> Result<Appended, RolloutError> {
        let mut locked = Locked::take(&self.disk, &self.file, &self.path)?;
        if locked.is_gone {
            // Another program deleted the file, or put another one in its place: that one takes the records, if any.
            drop(locked);
            *self = self.reopened()?;
            locked = Locked::take(&self.disk, &self.file, &self.path)?;
        }
        if locked.len != self.len {
            self.form.catch_up(&self.path).map_err(RolloutError::io("read", &self.path))?;
        }
        let mut form = self.form.clone();
        let lines = form.render(records, Utc::now())?;
        let (start, end) = locked.append(&lines)?;
        (self.form, self.len) = (form, end);
        Ok(Appended { start, end })
    }

    /// Opens the file anew.
    pub fn reopened(&self) -> Result<Self, RolloutError> {
        Self::open(&self.disk, &self.path)
    }

    /// Returns the path that the file was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells whether another program appended since we last did; `true` too where that cannot be told.
    pub fn has_grown(&self) -> bool {
        self.file.metadata().map_or(true, |meta| meta.len() != self.len)
    }
}
