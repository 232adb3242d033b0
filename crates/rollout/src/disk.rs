//! Puts what was written on the disk, in the background.
//!
//! A write is in the file when it returns, which survives the death of the process; what survives a power cut is what the
//! kernel has put on the disk. That is asked for here: at most [`WITHIN`] after the first write that is not there yet, by
//! one sync a file and one a folder, whatever was written meanwhile. Nobody waits for it but who shuts the server down,
//! and while nothing is written nothing is done.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, DirBuilder, File, Metadata},
    io::{self, ErrorKind},
    mem,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long a write waits for others to be synced with it. With the sync itself it is on the disk within a second.
const WITHIN: Duration = Duration::from_millis(500);

/// Knows what is not on the disk yet. Clones know the same; the default one knows nothing, and nothing is synced.
#[derive(Clone, Debug, Default)]
pub struct Disk(Option<Arc<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    unsynced: Mutex<Unsynced>,
    changed: Condvar,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Unsynced {
    /// By device and number, so that a file that is written to often is in it once; open, so that it may be moved.
    files: HashMap<(u64, u64), File>,
    folders: BTreeSet<PathBuf>,
    closing: bool,
}

impl Disk {
    /// Starts the thread that syncs; [`Disk::finish`] ends it.
    pub fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let work = Arc::clone(&shared);
        let keeper = thread::Builder::new().name("disk".to_owned()).spawn(move || work.keep())?;
        *shared.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        Ok(Self(Some(shared)))
    }

    /// Has a file synced that was written to; `meta` is what the caller knows of it.
    pub fn written(&self, file: &File, meta: &Metadata) {
        let Some(shared) = &self.0 else { return };
        let mut unsynced = shared.unsynced();
        let std::collections::hash_map::Entry::Vacant(place) = unsynced.files.entry((meta.dev(), meta.ino()))
        else {
            return;
        };
        match file.try_clone() {
            Ok(file) => drop(place.insert(file)),
            Err(error) => tracing::warn!(%error, "a file is left for the kernel to sync"),
        }
        shared.changed.notify_one();
    }

    /// Has the folder of a path synced, in which a name was made, changed or removed.
    pub fn named(&self, path: &Path) {
        let (Some(shared), Some(folder)) = (&self.0, path.parent()) else { return };
        shared.unsynced().folders.insert(folder.to_owned());
        shared.changed.notify_one();
    }

    /// Makes a folder that only its owner can enter, with its parents, and has their names synced.
    pub fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let missing: Vec<_> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        missing.into_iter().for_each(|made| self.named(made));
        Ok(())
    }

    /// Removes a file, and has it synced that its name is gone; one that is gone already is no failure.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => {
                self.named(path);
                Ok(())
            }
        }
    }

    /// Syncs what is left, and ends the thread. What is written after that is left to the kernel. Blocks.
    pub fn finish(&self) {
        let Some(shared) = &self.0 else { return };
        shared.unsynced().closing = true;
        shared.changed.notify_one();
        let keeper = shared.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if keeper.is_some_and(|keeper| keeper.join().is_err()) {
            tracing::error!("the thread that syncs has panicked");
        }
    }
}

impl Shared {
    fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self) {
        loop {
            let unsynced = self.unsynced();
            let idle = |unsynced: &mut Unsynced| unsynced.is_empty() && !unsynced.closing;
            let unsynced = self.changed.wait_while(unsynced, idle).unwrap_or_else(PoisonError::into_inner);
            // Others may be written meanwhile, and are synced with it.
            let waited = self.changed.wait_timeout_while(unsynced, WITHIN, |unsynced| !unsynced.closing);
            let (mut unsynced, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let (files, folders) = (mem::take(&mut unsynced.files), mem::take(&mut unsynced.folders));
            let closing = unsynced.closing;
            drop(unsynced);
            files.into_values().for_each(|file| told(file.sync_data()));
            // Behind the files: a name should not be there before what it names.
            folders.iter().for_each(|folder| told(File::open(folder).and_then(|folder| folder.sync_all())));
            if closing {
                return;
            }
        }
    }
}

impl Unsynced {
    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty()
    }
}

/// Logs what could not be synced: there is nothing else to do, since the kernel does not try it again either.
fn told(synced: io::Result<()>) {
    match synced {
        // A folder that is gone has no names to sync.
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::error!(%error, "what was written may not be on the disk");
        }
        _ => {}
    }
}
