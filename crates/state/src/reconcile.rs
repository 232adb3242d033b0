//! Bringing rows along with files: some files, or all of them.
//!
//! Invariants: a file is read without any lock, so each row is written only if it still says what it said before the
//! file was read; a sweep removes no row while some folder could not be listed; whatever is stopped half-way is taken up
//! where it was, since a row that is right is passed over.

use std::{collections::HashMap, fs, io, path::Path};

use rollout::{Home, RolloutError, RolloutName, Stamp};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::{
    StateError, StateRuntime,
    digest::Digest,
    row::{self, FileKey, FileRow},
    write::{Change, Expected},
};

/// How many files are read for one transaction: it takes some ten milliseconds, and a kill loses no more than that. With
/// fewer, the same pages of the indexes would be written more often.
const BATCH: usize = 512;

/// How many batches wait between reading and writing.
const AHEAD: usize = 1;

/// How often a file is looked at again when another process brought its row along meanwhile.
const ATTEMPTS: usize = 8;

/// How often a transaction of a sweep waits for other processes, 80 ms each time, before the sweep gives up.
const PATIENCE: usize = 50;

/// What could not be looked at, and has to be again: what is in the way may be gone by then.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// Files that are there and cannot be read.
    pub(crate) files: Vec<FileKey>,
    /// Whether a folder could not be listed.
    pub(crate) folders: bool,
}

/// Brings the rows of these files along, as of now or later; returns those that could not be read.
pub(crate) async fn bring_along(
    runtime: &StateRuntime,
    keys: Vec<FileKey>,
) -> Result<Vec<FileKey>, StateError> {
    let mut keys = keys;
    let mut unread = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut refused = Vec::new();
        for keys in keys.chunks(BATCH) {
            let known = runtime.known(keys).await?;
            let files = keys.iter().map(|key| (key.clone(), known.get(key).copied())).collect();
            let Looked { changes, unread: more } = looked_at(&runtime.home, files).await?;
            unread.extend(more);
            refused.extend(runtime.apply(&changes).await?);
        }
        if refused.is_empty() {
            return Ok(unread);
        }
        keys = refused;
    }
    Err(StateError::Locked("other servers keep changing the same rows".into()))
}

/// Brings all rows along: every file is looked at, those that differ from their row are read.
///
/// Newest first. `progress` is told how many files were read.
pub(crate) async fn sweep(runtime: &StateRuntime, progress: impl Fn(u64)) -> Result<Unread, StateError> {
    let (folders, mut listed) = mpsc::channel(AHEAD);
    let (work, mut to_read) = mpsc::channel::<Vec<Differing>>(AHEAD);
    let (looked, mut to_write) = mpsc::channel::<Looked>(AHEAD);
    let home = runtime.home.clone();
    let listing = spawn_blocking(move || list(&home, &folders));
    let home = runtime.home.clone();
    let reading = spawn_blocking(move || {
        while let Some(files) = to_read.blocking_recv() {
            if looked.blocking_send(look_at(&home, files)).is_err() {
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
        Ok::<_, StateError>(whole)
    };
    let write = async {
        let mut refused = Vec::new();
        let mut unread = Vec::new();
        let mut read = 0;
        while let Some(Looked { changes, unread: more }) = to_write.recv().await {
            unread.extend(more);
            refused.extend(patiently(runtime, &changes).await?);
            read += changes.len() as u64;
            progress(read);
        }
        Ok((refused, unread))
    };
    let (whole, (refused, mut files)) = tokio::try_join!(compare, write)?;
    joined(listing.await)?;
    joined(reading.await)?;
    files.extend(bring_along(runtime, refused).await?);
    Ok(Unread { files, folders: !whole })
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

/// What came of looking at files.
#[derive(Default)]
struct Looked {
    changes: Vec<Change>,
    unread: Vec<FileKey>,
}

async fn looked_at(home: &Home, files: Vec<Differing>) -> Result<Looked, StateError> {
    let home = home.clone();
    joined(spawn_blocking(move || look_at(&home, files)).await)
}

fn look_at(home: &Home, files: Vec<Differing>) -> Looked {
    let mut looked = Looked::default();
    for (key, known) in files {
        match look(home, &key, known) {
            Ok(change) => looked.changes.extend(change),
            Err(error) => {
                // A scan of the files could not list it either.
                tracing::debug!(path = %key.path(home).display(), error = &error as &dyn std::error::Error, "a rollout cannot be read");
                looked.unread.push(key);
            }
        }
    }
    looked
}

/// Looks at one file; `None` where its row is as it should be.
fn look(home: &Home, key: &FileKey, known: Option<Stamp>) -> Result<Option<Change>, RolloutError> {
    let path = key.path(home);
    let change = |file| Ok(Some(Change { key: key.clone(), expected: Expected::Still(known), file }));
    let stamp = match fs::symlink_metadata(&path) {
        Ok(meta) if meta.is_file() => Stamp::of(&meta),
        // Also where there is no row: one that another process is about to write must not outlive the file.
        Ok(_) => return change(None),
        Err(error) if is_gone(&error) => return change(None),
        Err(error) => return Err(RolloutError::Io { action: "look at", path, source: error }),
    };
    if known == Some(stamp) {
        return Ok(None);
    }
    let (summary, stamp) = match rollout::summarize(&path) {
        Ok(Some((summary, stamp))) => (Some(summary), stamp),
        Ok(None) => (None, stamp),
        Err(RolloutError::Io { source, .. }) if is_gone(&source) => return change(None),
        Err(error) => return Err(error),
    };
    let archived = path.parent() == Some(home.archived().as_path());
    change(Some(FileRow { key: key.clone(), archived, stamp, summary }))
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
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
