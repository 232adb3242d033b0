//! The lock of a running turn: one turn in a thread at a time, over all servers of a home.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::{Home, RolloutError, ThreadId};

/// Held while a turn runs; the kernel lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct ThreadLock {
    path: PathBuf,
    /// Held open for its lock.
    _file: File,
}

impl ThreadLock {
    /// Takes the lock of a thread; `None` while another server runs a turn in it.
    pub fn try_lock(home: &Home, id: ThreadId) -> Result<Option<Self>, RolloutError> {
        let folder = home.skein().join("locks");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(RolloutError::io("make", &folder))?;
        let path = folder.join(format!("{id}.lock"));
        loop {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
            let file = file.map_err(RolloutError::io("open", &path))?;
            match file.try_lock() {
                // The holder before may have removed the file between our opening and our locking it.
                Ok(()) if is_at(&file, &path).map_err(RolloutError::io("look at", &path))? => {
                    return Ok(Some(Self { path, _file: file }));
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(RolloutError::io("lock", path)(error)),
            }
        }
    }
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((held.dev(), held.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Drop for ThreadLock {
    /// Removes the file while it is still locked; the lock goes with the open file.
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a lock file stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_nothing_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (home, id) = (Home::new(folder.path().to_owned()), ThreadId::new());
        let held = ThreadLock::try_lock(&home, id).unwrap();
        assert!(held.is_some());
        assert!(ThreadLock::try_lock(&home, id).unwrap().is_none());
        assert!(ThreadLock::try_lock(&home, ThreadId::new()).unwrap().is_some());
        drop(held);
        assert!(ThreadLock::try_lock(&home, id).unwrap().is_some());
        assert_eq!(fs::read_dir(home.skein().join("locks")).unwrap().count(), 0);
    }
}
