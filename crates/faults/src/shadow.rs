//! What a power cut would leave: a log of what became of names, and the content of each file at its last sync.
//!
//! The log has a line for each name that was made, changed or removed, in the order in which that was done, and one for
//! each folder that was synced; the fields are parted by tabs. A file's content lies beside it, named by its inode. The
//! number of a file that is gone is not given to another one: it is held open.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    mem,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The folder that is told.
pub(crate) struct Shadow {
    folder: PathBuf,
    home: PathBuf,
    log: Mutex<Option<File>>,
}

/// Held while a name is changed, so that the log has the order in which it was done.
pub(crate) struct Ordered<'a> {
    shadow: &'a Shadow,
    log: MutexGuard<'a, Option<File>>,
}

impl Shadow {
    pub(crate) fn new(folder: PathBuf, home: PathBuf) -> Self {
        Self { folder, home, log: Mutex::default() }
    }

    /// Waits for its turn among those that change names.
    pub(crate) fn ordered(&self) -> Ordered<'_> {
        Ordered { shadow: self, log: self.log.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Keeps what a file holds now: it is about to be synced.
    pub(crate) fn keep(&self, descriptor: i32) {
        let kept = || -> io::Result<()> {
            let path = format!("/proc/self/fd/{descriptor}");
            let file = File::open(&path)?;
            let meta = file.metadata()?;
            if meta.is_dir() {
                return Ok(());
            }
            let (target, unfinished) =
                (self.content(meta.ino()), self.folder.join(format!("{}.new", meta.ino())));
            let mut copy = File::create(&unfinished)?;
            io::copy(&mut file.take(meta.len()), &mut copy)?;
            fs::rename(unfinished, target)
        };
        kept().expect("what is synced can be kept");
    }

    fn content(&self, ino: u64) -> PathBuf {
        self.folder.join(ino.to_string())
    }
}

impl Ordered<'_> {
    /// Holds the file at a path open for good, so that its number stays its own.
    pub(crate) fn hold(&self, path: &Path) {
        if let Ok(file) = File::open(path) {
            mem::forget(file);
        }
    }

    /// Notes that a file was made.
    pub(crate) fn made(&mut self, path: &Path) {
        if let Ok(meta) = fs::symlink_metadata(path) {
            let ino = meta.ino();
            self.note(format!("create\t{}\t{ino}", self.name(path)));
        }
    }

    pub(crate) fn made_folder(&mut self, path: &Path) {
        self.note(format!("folder\t{}", self.name(path)));
    }

    pub(crate) fn renamed(&mut self, from: &Path, to: &Path) {
        self.note(format!("rename\t{}\t{}", self.name(from), self.name(to)));
    }

    pub(crate) fn removed(&mut self, path: &Path) {
        self.note(format!("remove\t{}", self.name(path)));
    }

    /// Notes that the names in a folder are on the disk.
    pub(crate) fn synced_folder(&mut self, path: &Path) {
        self.note(format!("sync\t{}", self.name(path)));
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.shadow.home).unwrap_or(path).display().to_string()
    }

    fn note(&mut self, line: String) {
        let folder = &self.shadow.folder;
        let log = self.log.get_or_insert_with(|| {
            let log = OpenOptions::new().append(true).create(true).open(folder.join("log"));
            log.expect("a log of names")
        });
        log.write_all(format!("{line}\n").as_bytes()).expect("a line in the log of names");
    }
}
