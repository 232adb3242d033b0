//! Appending bytes to a file that other programs append to as well.

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{Disk, RolloutError};

/// How long an append waits for another program that has the file locked. A line takes microseconds; what takes
/// longer is a program that holds the file for good.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(1);

/// A file that is open for appending, and locked for it.
pub(crate) struct Locked<'a> {
    disk: &'a Disk,
    file: &'a File,
    path: &'a Path,
    /// The length that the file had.
    pub(crate) len: u64,
    /// Whether the file has no name any more, so that whatever is appended is lost.
    pub(crate) is_gone: bool,
    /// What the file was when it was locked.
    meta: Metadata,
    _unlock: Unlock<'a>,
}

/// Lets a lock go.
struct Unlock<'a>(&'a File, &'a Path);

/// Tries until a lock is there. To wait in the kernel instead would have no deadline.
pub(crate) fn wait_for(
    path: &Path,
    patience: Duration,
    mut lock: impl FnMut() -> Result<(), TryLockError>,
) -> Result<(), RolloutError> {
    let started = Instant::now();
    loop {
        match lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if started.elapsed() < patience => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(RolloutError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(RolloutError::io("lock", path)(error)),
        }
    }
}

/// Locks a file that is open for appending; waits for others that append a line, but not for good.
pub fn lock(file: &File, path: &Path) -> Result<(), RolloutError> {
    wait_for(path, PATIENCE, || file.try_lock())
}

/// Opens a file that is there for appending.
pub(crate) fn open(path: &Path) -> Result<File, RolloutError> {
    OpenOptions::new().read(true).append(true).open(path).map_err(RolloutError::io("open", path))
}

impl<'a> Locked<'a> {
    /// Takes the kernel's lock of the file; it is let go with this value, or with the process.
    pub(crate) fn take(disk: &'a Disk, file: &'a File, path: &'a Path) -> Result<Self, RolloutError> {
        lock(file, path)?;
        let unlock = Unlock(file, path);
        let meta = file.metadata().map_err(RolloutError::io("look at", path))?;
        Ok(Self { disk, file, path, len: meta.len(), is_gone: meta.nlink() == 0, meta, _unlock: unlock })
    }

    /// Appends whole lines with one write; a torn last line is closed first. Returns where they begin and end.
    ///
    /// All or nothing: what a full disk let in of them is cut off again.
    pub(crate) fn append(&mut self, lines: &[u8]) -> Result<(u64, u64), RolloutError> {
        let closed = self.ends_a_line().map_err(RolloutError::io("read", self.path))?;
        let mut bytes = Vec::with_capacity(lines.len() + 1);
        bytes.extend_from_slice(if closed { b"" } else { b"\n" });
        let start = self.len + bytes.len() as u64;
        bytes.extend_from_slice(lines);
        let mut written = 0;
        while written < bytes.len() {
            match (&mut &*self.file).write(&bytes[written..]) {
                Ok(0) => return Err(self.take_back(written, ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.take_back(written, error)),
            }
        }
        self.len += bytes.len() as u64;
        self.disk.written(self.file, &self.meta);
        Ok((start, self.len))
    }

    /// Cuts half a line off again, unless a program that knows no locks has appended behind it meanwhile.
    pub(crate) fn take_back(&self, written: usize, error: io::Error) -> RolloutError {
        let cut = self.file.metadata().and_then(|now| match now.len() == self.len + written as u64 {
            true => self.file.set_len(self.len),
            false => Ok(()),
        });
        if let Err(error) = cut {
            tracing::error!(path = %self.path.display(), %error, "half a line could not be cut off");
        }
        RolloutError::io("append to", self.path)(error)
    }

    fn ends_a_line(&self) -> io::Result<bool> {
        let mut last = [b'\n'];
        if self.len > 0 {
            self.file.read_exact_at(&mut last, self.len - 1)?;
        }
        Ok(last == *b"\n")
    }
}

impl Drop for Unlock<'_> {
    fn drop(&mut self) {
        let Self(file, path) = self;
        if let Err(error) = file.unlock() {
            tracing::warn!(path = %path.display(), %error, "the lock could not be let go");
        }
    }
}
