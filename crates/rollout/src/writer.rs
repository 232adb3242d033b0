//! Writing a thread's records.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chrono::Utc;

use crate::{
    Record, RolloutError, SessionMeta,
    append::{self, Locked},
    form::Form,
};

/// Appends records to one rollout, in the form that it has.
#[derive(Debug)]
pub struct Writer {
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
    pub fn create(path: &Path, meta: SessionMeta) -> Result<Self, RolloutError> {
        make_folder_of(path)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(RolloutError::io("make", path))?;
        let mut writer = Self { path: path.to_owned(), file, form: Form::of_new(&meta), len: 0 };
        writer.append(&[Record::SessionMeta(Box::new(meta))])?;
        Ok(writer)
    }

    /// Opens a rollout that is there.
    pub fn open(path: &Path) -> Result<Self, RolloutError> {
        let file = append::open(path)?;
        // Before the form is read: what another program appends meanwhile may not be in it, and has to be noticed.
        let len = file.metadata().map_err(RolloutError::io("look at", path))?.len();
        let form = Form::of(path).map_err(RolloutError::io("read", path))?;
        Ok(Self { path: path.to_owned(), file, form, len })
    }

    /// Takes a file that only we know, open for appending, and the form that its next line will have.
    pub(crate) fn of_new(path: &Path, file: File, form: Form) -> Result<Self, RolloutError> {
        let len = file.metadata().map_err(RolloutError::io("look at", path))?.len();
        Ok(Self { path: path.to_owned(), file, form, len })
    }

    /// Appends records as whole lines in one write; they are in the file when this returns, or none of them is.
    pub fn append(&mut self, records: &[Record]) -> Result<Appended, RolloutError> {
        let mut locked = Locked::take(&self.file, &self.path)?;
        if locked.is_gone {
            // Another program deleted the file, or put another one in its place: that one takes the records, if any.
            drop(locked);
            *self = Self::open(&self.path)?;
            locked = Locked::take(&self.file, &self.path)?;
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

    /// Has the kernel put what was appended on the disk: until then a power cut may take it.
    pub fn sync(&self) -> Result<(), RolloutError> {
        self.file.sync_data().map_err(RolloutError::io("sync", &self.path))
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

pub(crate) fn make_folder_of(path: &Path) -> Result<(), RolloutError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(RolloutError::io("make", folder))
}
