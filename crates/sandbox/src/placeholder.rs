//! What stands in the place of a protected name that does not exist: without it nothing could be mounted there.
//!
//! A placeholder is an empty folder of an unusual mode, and whoever needs it holds a shared lock on it, in whichever
//! process. So the last one who needs it can remove it, and what a crash left is taken over by the next command.

use std::{
    fs::{self, DirBuilder, File, Metadata},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// What no folder of a person has by accident; outside of the sandbox the person may go on and make use of it.
const MODE: u32 = 0o1700;

/// How often a placeholder is made that another process is just removing.
const TRIES: usize = 16;

/// Placeholders that stay as long as this value.
#[must_use = "they are removed with this value"]
#[derive(Debug, Default)]
pub struct Placeholders {
    _held: Vec<Placeholder>,
}

/// One of them, and the lock that keeps it.
#[derive(Debug)]
struct Placeholder {
    path: PathBuf,
    folder: File,
}

impl Placeholders {
    /// Makes placeholders, or takes a share in them.
    ///
    /// Where one cannot be made a command could not make anything of that name either, or is the first to try.
    pub(crate) fn hold(paths: &[PathBuf]) -> Self {
        Self { _held: paths.iter().filter_map(|path| Placeholder::hold(path).ok()).collect() }
    }
}

impl Placeholder {
    fn hold(path: &Path) -> io::Result<Self> {
        for _ in 0..TRIES {
            match DirBuilder::new().mode(MODE).create(path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            let folder = File::open(path)?;
            let placeholder = Self { path: path.to_owned(), folder };
            if placeholder.folder.try_lock_shared().is_ok() && placeholder.is_there() {
                return Ok(placeholder);
            }
        }
        Err(ErrorKind::WouldBlock.into())
    }

    /// Tells whether the folder that is locked is the one of that name, and a placeholder.
    fn is_there(&self) -> bool {
        let same = |found: Metadata| self.folder.metadata().is_ok_and(|own| own.ino() == found.ino());
        is_placeholder(&self.path) && fs::symlink_metadata(&self.path).is_ok_and(same)
    }
}

impl Drop for Placeholder {
    fn drop(&mut self) {
        // Nobody else holds it, and who comes now waits for what becomes of it.
        if self.folder.try_lock().is_ok() && self.is_there() {
            // One that cannot be removed is taken over by the next command.
            drop(fs::remove_dir(&self.path));
        }
    }
}

/// Tells whether this is what a command finds in the place of a name that it may not make, and nothing else.
pub fn is_placeholder(path: &Path) -> bool {
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.mode() & 0o7777 == MODE)
        && is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_stays_until_the_last_one_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".git");
        let paths = [path.clone()];
        let first = Placeholders::hold(&paths);
        let second = Placeholders::hold(&paths);
        assert!(is_placeholder(&path));
        drop(first);
        assert!(is_placeholder(&path));
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_crash_left_is_taken_over_and_what_a_person_made_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (left, own) = (folder.path().join("left"), folder.path().join("own"));
        DirBuilder::new().mode(MODE).create(&left).unwrap();
        fs::create_dir(&own).unwrap();
        let held = Placeholders::hold(&[left.clone(), own.clone()]);
        assert!(left.exists());
        drop(held);
        assert!(!left.exists() && own.exists());
    }

    #[test]
    fn what_somebody_put_into_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".codex");
        let held = Placeholders::hold(std::slice::from_ref(&path));
        fs::write(path.join("config.toml"), "").unwrap();
        drop(held);
        assert!(path.join("config.toml").exists());
    }
}
