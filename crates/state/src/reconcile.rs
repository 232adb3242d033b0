//! Bringing rows along with files: some files, or all of them.
//!
//! Invariants: a file is read without any lock, so each row is written only if it still says what it said before the
//! file was read; a sweep removes no row while some folder could not be listed; whatever is stopped half-way is taken up
//! where it was, since a row that is right is passed over.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use rollout::{Home, RolloutError, RolloutName, Stamp};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::{
    StateError, StateRuntime,
    digest::Digest,
    row::{self, FileKey, FileRow},
    write::{Change, Expected},
};

/// How many files are read for one transaction: it takes some ten milliseconds, and a kill loses no more than that.
const BATCH: usize = 512;

/// How many batches wait between reading and writing.
const AHEAD: usize = 2;

/// How often a file is looked at again when another process brought its row along meanwhile.
const ATTEMPTS: usize = 8;

/// How often a transaction of a sweep waits for other processes, 80 ms each time, before the sweep gives up.
const PATIENCE: usize = 50;

/// Brings the rows of these files along, as of now or later.
pub(crate) async fn bring_along(runtime: &StateRuntime, keys: Vec<FileKey>) -> Result<(), StateError> {
    let mut keys = keys;
    for _ in 0..ATTEMPTS {
        let mut refused = Vec::new();
        for keys in keys.chunks(BATCH) {
            let known = runtime.known(keys).await?;
            let files = keys.iter().map(|key| (key.clone(), known.get(key).copied())).collect();
            let changes = looked_at(&runtime.home, files).await?;
            refused.extend(runtime.apply(&changes).await?);
        }
        if refused.is_empty() {
            return Ok(());
        }
        keys = refused;
    }
    Err(StateError::Locked("other servers keep changing the same rows".into()))
}

/// Brings all rows along: every file is looked at, those that differ from their row are read.
///
/// Newest first. `progress` is told how many files were read.
pub(crate) async fn sweep(runtime: &StateRuntime, progress: impl Fn(u64)) -> Result<(), StateError> {
    let (folders, mut listed) = mpsc::channel(AHEAD);
    let (work, mut to_read) = mpsc::channel::<Vec<Differing>>(AHEAD);
    let (changes, mut to_write) = mpsc::channel::<Vec<Change>>(AHEAD);
    let home = runtime.home.clone();
    let listing = spawn_blocking(move || list(&home, &folders));
    let home = runtime.home.clone();
    let reading = spawn_blocking(move || {
        while let Some(files) = to_read.blocking_recv() {
            let read = files.into_iter().filter_map(|(key, known)| look(&home, key, known)).collect();
            if changes.blocking_send(read).is_err() {
                return; // the sweep was given up
            }
        }
    });
    let compare = async {
        let mut digests = runtime.digests().await?;
        let mut whole = true;
        let mut differing = Vec::new();
        while let Some(folder) = listed.recv().await {
            match folder {
                Listed::Folder(folder) => {
                    if digests.remove(&folder.name) != Some(folder.digest()) {
                        differing.extend(differences(runtime, &folder).await?);
                    }
                }
                Listed::Unreadable => whole = false,
            }
            while differing.len() >= BATCH {
                let rest = differing.split_off(BATCH);
                send(&work, std::mem::replace(&mut differing, rest)).await?;
            }
        }
        if whole {
            // The folders that are left have rows and no files.
            for name in digests.into_keys() {
                differing.extend(differences(runtime, &Folder { name, files: HashMap::new() }).await?);
            }
        }
        for files in differing.chunks(BATCH) {
            send(&work, files.to_vec()).await?;
        }
        drop(work);
        Ok::<_, StateError>(())
    };
    let write = async {
        let mut refused = Vec::new();
        let mut read = 0;
        while let Some(changes) = to_write.recv().await {
            refused.extend(patiently(runtime, &changes).await?);
            read += changes.len() as u64;
            progress(read);
        }
        Ok(refused)
    };
    let ((), refused) = tokio::try_join!(compare, write)?;
    joined(listing.await)?;
    joined(reading.await)?;
    bring_along(runtime, refused).await
}

/// The rollouts in one folder, as they are.
struct Folder {
    name: String,
    files: HashMap<String, Stamp>,
}

impl Folder {
    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        self.files.iter().for_each(|(name, stamp)| digest.add(name, *stamp));
        digest
    }
}

/// A file, and what its row said when it was compared.
type Differing = (FileKey, Option<Stamp>);

enum Listed {
    Folder(Folder),
    Unreadable,
}

/// Sends what is in every folder of rollouts, the newest first; ends when nobody takes them any more.
///
/// Not by [`rollout::walk`], which makes a path of every file and sorts them: most sweeps find nothing to read.
fn list(home: &Home, folders: &mpsc::Sender<Listed>) {
    let days = rollout::day_folders(home).unwrap_or_else(|error| {
        unlisted(&error, folders);
        Vec::new()
    });
    for path in days.into_iter().chain([home.archived()]) {
        let sent = match list_folder(home, &path) {
            Ok(folder) => folders.blocking_send(Listed::Folder(folder)).is_ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => unlisted(&error, folders),
        };
        if !sent {
            return;
        }
    }
}

fn unlisted(error: &io::Error, folders: &mpsc::Sender<Listed>) -> bool {
    tracing::debug!(%error, "a folder of rollouts cannot be listed");
    folders.blocking_send(Listed::Unreadable).is_ok()
}

fn list_folder(home: &Home, path: &Path) -> io::Result<Folder> {
    let name = row::folder_text(home, path).ok_or(io::ErrorKind::InvalidFilename)?;
    let mut files = HashMap::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // Links are passed over, as in a walk. A file that vanished since is as good as never listed.
        let is_rollout =
            entry.file_type().is_ok_and(|kind| kind.is_file()) && RolloutName::parse(&name).is_some();
        if let (true, Ok(meta)) = (is_rollout, entry.metadata()) {
            files.insert(name, Stamp::of(&meta));
        }
    }
    Ok(Folder { name, files })
}

/// Compares a folder with its rows; returns what differs, newest name first.
async fn differences(runtime: &StateRuntime, folder: &Folder) -> Result<Vec<Differing>, StateError> {
    let Folder { name: folder, files } = folder;
    let known = runtime.known_files(&runtime.home.root().join(folder)).await?;
    let changed = files.iter().filter(|(name, stamp)| known.get(*name) != Some(stamp)).map(|(name, _)| name);
    let gone = known.keys().filter(|name| !files.contains_key(*name));
    let mut names: Vec<_> = changed.chain(gone).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    let differing = names.into_iter().map(|name| {
        let key = FileKey { folder: folder.clone(), name: name.clone() };
        (key, known.get(name).copied())
    });
    Ok(differing.collect())
}

async fn send(work: &mpsc::Sender<Vec<Differing>>, files: Vec<Differing>) -> Result<(), StateError> {
    // Nobody takes it only if the reader ended, which the sweep finds out next.
    work.send(files).await.map_err(|_| StateError::NotOpen)
}

async fn looked_at(home: &Home, files: Vec<Differing>) -> Result<Vec<Change>, StateError> {
    let home = home.clone();
    joined(
        spawn_blocking(move || {
            files.into_iter().filter_map(|(key, known)| look(&home, key, known)).collect()
        })
        .await,
    )
}

/// Looks at one file; `None` where its row is as it should be, or cannot be made so.
fn look(home: &Home, key: FileKey, known: Option<Stamp>) -> Option<Change> {
    let path = key.path(home);
    let change = |file| Some(Change { key: key.clone(), expected: Expected::Still(known), file });
    let stamp = match fs::symlink_metadata(&path) {
        Ok(meta) if meta.is_file() => Stamp::of(&meta),
        // Also where there is no row: one that another process is about to write must not outlive the file.
        Ok(_) => return change(None),
        Err(error) if is_gone(&error) => return change(None),
        Err(error) => return unreadable(path, &error),
    };
    if known == Some(stamp) {
        return None;
    }
    let (summary, stamp) = match rollout::summarize(&path) {
        Ok(Some((summary, stamp))) => (Some(summary), stamp),
        Ok(None) => (None, stamp),
        Err(RolloutError::Io { source, .. }) if is_gone(&source) => return change(None),
        Err(error) => return unreadable(path, &error),
    };
    let archived = path.parent() == Some(home.archived().as_path());
    change(Some(FileRow { key: key.clone(), archived, stamp, summary }))
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A scan of the files could not list it either.
fn unreadable(path: PathBuf, error: &(dyn std::error::Error + 'static)) -> Option<Change> {
    tracing::debug!(path = %path.display(), error, "a rollout cannot be read");
    None
}

/// Writes a batch, however busy other processes keep the database for a while.
async fn patiently(runtime: &StateRuntime, changes: &[Change]) -> Result<Vec<FileKey>, StateError> {
    let mut attempt = 1;
    loop {
        match runtime.apply(changes).await {
            Err(StateError::Locked(_)) if attempt < PATIENCE => attempt += 1,
            result => return result,
        }
    }
}

fn joined<T>(ended: Result<T, tokio::task::JoinError>) -> Result<T, StateError> {
    ended.map_err(|error| StateError::io("look through", "the rollouts")(io::Error::other(error)))
}
