//! The lock of a running turn: one turn in a thread at a time, over all servers of a home.
//!
//! It is the lock that release 0.169 holds while it has a thread loaded, so that it and we refuse each other's turns. A
//! file beside the locks guards the coming and going of lock files: who makes or opens one holds it shared, who removes
//! one holds it alone. Otherwise somebody could take the lock of a file that is being removed.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Home, RolloutError, ThreadId, append::wait_for};

/// How long the guard is waited for. It is held for microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Held while a turn runs; the kernel lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct ThreadLock {
    path: PathBuf,
    /// Held open for its lock.
    file: Option<File>,
}

impl ThreadLock {
    /// Takes the lock of a thread; `None` while another server runs a turn in it, or has it loaded in its own way.
    pub fn try_lock(home: &Home, id: ThreadId) -> Result<Option<Self>, RolloutError> {
        let folder = home.writer_locks();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(RolloutError::io("make", &folder))?;
        let guard_path = guard_of(&folder);
        let guard = open(&guard_path)?;
        wait_for(&guard_path, PATIENCE, || guard.try_lock_shared())?;
        let path = folder.join(format!("{id}.lock"));
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { path, file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(RolloutError::io("lock", path)(error)),
        }
    }

    fn remove(&mut self) -> Result<(), RolloutError> {
        let Some(folder) = self.path.parent() else { return Ok(()) };
        let guard_path = guard_of(folder);
        let guard = open(&guard_path)?;
        wait_for(&guard_path, PATIENCE, || guard.try_lock())?;
        fs::remove_file(&self.path).map_err(RolloutError::io("remove", &self.path))?;
        self.file = None; // before the guard goes
        Ok(())
    }
}

fn guard_of(folder: &Path) -> PathBuf {
    folder.join(".coordination.lock")
}

fn open(path: &Path) -> Result<File, RolloutError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    file.map_err(RolloutError::io("open", path))
}

impl Drop for ThreadLock {
    /// Removes the file. One that stays behind does no harm: it is not locked any more.
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::debug!(path = %self.path.display(), error = &error as &dyn std::error::Error, "a lock file stays behind");
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
        let left: Vec<_> =
            fs::read_dir(home.writer_locks()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [guard_of(&home.writer_locks())]);
    }

    #[test]
    fn what_a_dead_holder_left_behind_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (home, id) = (Home::new(folder.path().to_owned()), ThreadId::new());
        fs::create_dir(home.writer_locks()).unwrap();
        fs::write(home.writer_locks().join(format!("{id}.lock")), "").unwrap();
        assert!(ThreadLock::try_lock(&home, id).unwrap().is_some());
    }

    #[test]
    fn of_many_only_one_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let (home, id) = (Home::new(folder.path().to_owned()), ThreadId::new());
        let inside = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Some(held) = ThreadLock::try_lock(&home, id).unwrap() {
                            assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                            inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            drop(held);
                        }
                    }
                });
            }
        });
    }
}
