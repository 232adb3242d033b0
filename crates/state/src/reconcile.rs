//! Bringing rows along with files: some files, or all of them.
//!
//! Invariants: a file is read without any lock, so each row is written only if it still says what it said before the
//! file was read; a sweep removes no row while some folder could not be listed; whatever is stopped half-way is taken up
//! where it was, since a row that is right is passed over.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::PathBuf,
};

use rollout::{Home, RolloutError, Stamp};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::{
    StateError, StateRuntime,
    row::{FileKey, FileRow},
    write::{Change, Expected},
};

/// How many files are read for one transaction: it takes a few milliseconds, and a kill loses no more than that.
const BATCH: usize = 256;

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
    let (work, mut to_read) = mpsc::channel::<Vec<(FileKey, Option<Stamp>)>>(AHEAD);
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
        let mut seen = HashSet::new();
        let mut whole = true;
        while let Some(folder) = listed.recv().await {
            match folder {
                Listed::Folder(folder) => {
                    seen.insert(folder.name.clone());
                    send_differing(runtime, folder, &work).await?;
                }
                Listed::Unreadable => whole = false,
            }
        }
        if whole {
            let gone = runtime.folders().await?.into_iter().filter(|folder| !seen.contains(folder));
            for name in gone {
                send_differing(runtime, Folder { name, files: HashMap::new() }, &work).await?;
            }
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

enum Listed {
    Folder(Folder),
    Unreadable,
}

/// Walks all rollouts and sends them folder by folder; ends when nobody takes them any more.
fn list(home: &Home, folders: &mpsc::Sender<Listed>) {
    let mut current: Option<Folder> = None;
    for archived in [false, true] {
        for located in rollout::walk(home, archived) {
            let located = match located {
                Ok(located) => located,
                Err(error) => {
                    tracing::debug!(%error, "a folder of rollouts cannot be listed");
                    if folders.blocking_send(Listed::Unreadable).is_err() {
                        return;
                    }
                    continue;
                }
            };
            let Some(FileKey { folder, name }) = FileKey::of(home, &located.path) else { continue };
            if current.as_ref().is_none_or(|current| current.name != folder) {
                let finished = current.replace(Folder { name: folder, files: HashMap::new() });
                if finished.is_some_and(|finished| folders.blocking_send(Listed::Folder(finished)).is_err()) {
                    return;
                }
            }
            // One that vanished since is as good as never listed.
            if let (Some(current), Ok(meta)) = (&mut current, fs::symlink_metadata(&located.path)) {
                current.files.insert(name, Stamp::of(&meta));
            }
        }
    }
    if let Some(last) = current {
        let _given_up = folders.blocking_send(Listed::Folder(last));
    }
}

/// Compares a folder with its rows, and sends what differs to be read, newest name first.
async fn send_differing(
    runtime: &StateRuntime,
    folder: Folder,
    work: &mpsc::Sender<Vec<(FileKey, Option<Stamp>)>>,
) -> Result<(), StateError> {
    let Folder { name: folder, files } = folder;
    let known = runtime.known_files(&runtime.home.root().join(&folder)).await?;
    let changed = files.iter().filter(|(name, stamp)| known.get(*name) != Some(stamp)).map(|(name, _)| name);
    let gone = known.keys().filter(|name| !files.contains_key(*name));
    let mut names: Vec<_> = changed.chain(gone).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    for names in names.chunks(BATCH) {
        let differing = names.iter().map(|name| {
            let key = FileKey { folder: folder.clone(), name: (*name).clone() };
            (key, known.get(*name).copied())
        });
        if work.send(differing.collect()).await.is_err() {
            return Err(StateError::NotOpen); // the reader ended, which the sweep reports
        }
    }
    Ok(())
}

async fn looked_at(home: &Home, files: Vec<(FileKey, Option<Stamp>)>) -> Result<Vec<Change>, StateError> {
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
