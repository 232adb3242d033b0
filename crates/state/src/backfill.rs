//! Filling the index: heads and tails of all files first, then the middle of large ones.
//!
//! Invariants: one server of a home does it, under a lock that the kernel releases when it dies; what is done is not done
//! again, since a right row is passed over and a searched stretch is noted; a kill loses one batch.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    time::Duration,
};

use rollout::Home;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::{
    Index, Progress, StateError, StateRuntime, open, reconcile,
    write::{SURE_TAIL, Scanned, Unscanned},
};

/// How often a server that waits looks whether the one that fills the index died.
const TAKE_OVER_EVERY: Duration = Duration::from_millis(500);

/// How many large files are searched for one transaction.
const BATCH: u32 = 32;

/// The longest rest after a search; a huge file is followed by a longer wait for nobody's good.
const MAX_REST: Duration = Duration::from_secs(2);

/// Does what is left of the backfill, or waits while another server does it.
pub(crate) async fn run(index: &Index, runtime: &StateRuntime) -> Result<(), StateError> {
    if runtime.is_complete().await? && runtime.unscanned(None, 1).await?.is_empty() {
        return Ok(());
    }
    let _held = turn(&index.home, || index.set_progress(Progress::Waiting)).await?;
    if !runtime.is_complete().await? {
        index.set_progress(Progress::Heads(0));
        index.sweep(runtime, |read| index.set_progress(Progress::Heads(read))).await?;
        runtime.mark_complete().await?;
    }
    index.set_progress(Progress::Content);
    search_contents(runtime).await
}

/// Does the whole backfill, for a process that serves nobody meanwhile.
pub(crate) async fn fill(
    home: &Home,
    runtime: &StateRuntime,
    progress: impl Fn(Progress),
) -> Result<(), StateError> {
    let _held = turn(home, || progress(Progress::Waiting)).await?;
    if !runtime.is_complete().await? {
        reconcile::sweep(runtime, |read| progress(Progress::Heads(read))).await?;
        runtime.mark_complete().await?;
    }
    progress(Progress::Content);
    search_contents(runtime).await
}

/// Waits until no other process fills the database.
async fn turn(home: &Home, waiting: impl Fn()) -> Result<File, StateError> {
    let lock = home.skein().join("backfill.lock");
    loop {
        if let Some(held) = open::try_lock(&lock)? {
            return Ok(held);
        }
        waiting();
        sleep(TAKE_OVER_EVERY).await;
    }
}

/// Searches the middle of large files for session records, the latest changed first, at half the speed that it could.
async fn search_contents(runtime: &StateRuntime) -> Result<(), StateError> {
    let mut after = None;
    loop {
        let files = runtime.unscanned(after, BATCH).await?;
        let Some(last) = files.last() else { return Ok(()) };
        after = Some(last.position);
        let mut searched = Vec::new();
        for file in files {
            let (home, began) = (runtime.home.clone(), Instant::now());
            let found = spawn_blocking(move || search(&home, file)).await;
            match found.unwrap_or_else(|error| Err(io::Error::other(error))) {
                Ok(found) => searched.push(found),
                // It comes again after its next change, or with the next start.
                Err(error) => tracing::debug!(%error, "a rollout cannot be searched"),
            }
            sleep(began.elapsed().min(MAX_REST)).await;
        }
        runtime.scanned(&searched).await?;
    }
}

fn search(home: &Home, file: Unscanned) -> io::Result<Scanned> {
    let path = file.key.path(home);
    let opened = File::open(&path)?;
    let to = opened.metadata()?.len();
    let first_line = BufReader::new(opened).skip_until(b'\n')?;
    // A record that was being written when the file was last searched begins before where that search ended.
    let from = file.from.saturating_sub(SURE_TAIL).max(first_line as u64);
    let found = rollout::later_meta(&path, file.thread, from)?;
    Ok(Scanned { file, to, found })
}
