//! The index as the rest of the server sees it: two handles, and a word when one of them failed.
//!
//! Invariants: nothing here fails a request, and none waits longer than it says; what a gated handle answers is
//! what a scan of the files would; a database that was damaged, deleted or replaced while it was open is noticed before
//! the next handle is given out.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollout::Home;
use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    StateError, StateRuntime, chain,
    fresh::{Freshness, Round},
    open::{self, Identity},
    reconcile,
    row::FileKey,
    trust::Trusted,
    watch::Watcher,
};

/// How long a list may wait for rows to be brought along; then the files are read instead, which takes about as long.
const FRESH_WITHIN: Duration = Duration::from_millis(250);

/// How long anyone waits for the database to open; one that is not locked takes a few milliseconds.
const OPEN_WITHIN: Duration = Duration::from_millis(100);

/// How long a database is left alone that another process holds: a request now and then tries again.
const LOCKED_FOR: Duration = Duration::from_millis(500);

/// How long a database is left alone that cannot be used for another reason, which lasts longer than a lock mostly.
const BROKEN_FOR: Duration = Duration::from_secs(5);

/// How soon after another damage one is not worth a rebuild: a disk that damages what was just built does it again.
const DAMAGED_AGAIN: Duration = Duration::from_secs(60);

/// Owns the index of one home: opens it, fills it, heals it and keeps it true. Nothing waits for it.
#[derive(Debug)]
pub struct Index {
    pub(crate) home: Home,
    pub(crate) stop: CancellationToken,
    /// Somebody needs the database, and it is not open.
    pub(crate) wanted: Notify,
    /// The database is not as its users noted, and has to be looked at again.
    pub(crate) suspected: Notify,
    /// There are files whose middle was never searched.
    pub(crate) unscanned: Notify,
    slot: Mutex<Slot>,
    slot_changes: watch::Sender<()>,
    fresh: Mutex<Freshness>,
    round_wanted: Notify,
    rounds: watch::Sender<Ended>,
    progress: watch::Sender<Progress>,
    reported: Mutex<HashSet<String>>,
    last_damage: Mutex<Option<Instant>>,
}

/// How far the index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is not open: nothing needed it yet, or it cannot be opened.
    Closed,
    /// Another server fills it.
    Waiting,
    /// This server fills it, and has read the head and tail of so many files.
    Heads(u64),
    /// It answers lists; the middle of large files is searched for what heads and tails do not say.
    Content,
    /// Nothing is left to do.
    Done,
}

#[derive(Debug)]
enum Slot {
    Closed {
        /// To be set aside, if it is still the one that stands there.
        damaged: Option<Identity>,
        not_before: Option<Instant>,
    },
    Open {
        runtime: Arc<StateRuntime>,
        /// Cancelled when the runtime is not to be used any more.
        ended: CancellationToken,
        not_before: Option<Instant>,
    },
}

/// The last round of reconciling that ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    number: u64,
    is_current: bool,
}

enum Usable {
    Yes(Arc<StateRuntime>),
    /// It is being opened.
    Soon,
    No,
}

impl Index {
    /// Starts the tasks that look after the index, and returns at once; the disk is not touched before.
    ///
    /// The tasks belong to `tasks` and end with `stop`, which also closes the database.
    pub fn start(home: Home, tasks: &TaskTracker, stop: CancellationToken) -> Arc<Self> {
        let index = Arc::new(Self {
            home,
            stop,
            wanted: Notify::new(),
            suspected: Notify::new(),
            unscanned: Notify::new(),
            slot: Mutex::new(Slot::Closed { damaged: None, not_before: None }),
            slot_changes: watch::Sender::new(()),
            fresh: Mutex::default(),
            round_wanted: Notify::new(),
            rounds: watch::Sender::default(),
            progress: watch::Sender::new(Progress::Closed),
            reported: Mutex::default(),
            last_damage: Mutex::default(),
        });
        tasks.spawn(crate::keep::keep(Arc::clone(&index)));
        tasks.spawn(reconcile_on_demand(Arc::clone(&index)));
        index
    }

    /// Returns the database if it answers what a scan of all files would answer now, for queries that need all rows.
    ///
    /// `None` while it is being filled, or cannot be used, or cannot be brought along with the files in a quarter of a
    /// second; then the files themselves have the answer.
    pub async fn gated(&self) -> Option<Arc<StateRuntime>> {
        self.gated_within(FRESH_WITHIN).await
    }

    /// Does what [`Index::gated`] does for a query that is worth another wait: one that would read every file without
    /// the index gains by more of it, one for the newest threads by less.
    pub async fn gated_within(&self, wait: Duration) -> Option<Arc<StateRuntime>> {
        let deadline = Instant::now() + wait;
        let runtime = match self.usable() {
            Usable::Yes(runtime) => runtime,
            // One that is yet to be made has yet to be filled.
            Usable::Soon if !open::database(&self.home).exists() => return None,
            Usable::Soon => self.opened(deadline.min(Instant::now() + OPEN_WITHIN)).await?,
            Usable::No => return None,
        };
        let answered = timeout_at(deadline, runtime.is_complete()).await.ok()?;
        match answered {
            Ok(true) => self.is_current(deadline).await.then_some(runtime),
            Ok(false) => None,
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    /// Returns the database for one targeted row, filled or not. The row may be behind its file, or missing.
    ///
    /// Waits a tenth of a second for it to open.
    pub async fn direct(&self) -> Result<Arc<StateRuntime>, StateError> {
        match self.usable() {
            Usable::Yes(runtime) => Ok(runtime),
            Usable::Soon => self.opened(Instant::now() + OPEN_WITHIN).await.ok_or(StateError::NotOpen),
            Usable::No => Err(StateError::NotOpen),
        }
    }

    /// Takes in that a query failed: what is damaged is built again, what is locked or broken is left alone for a while.
    ///
    /// Each cause is logged once.
    pub fn failed(&self, error: &StateError) {
        match error {
            StateError::NotOpen => {}
            StateError::Corrupt(_) => {
                self.report(error);
                // The runtime knows whether it was it that is damaged, or one before it.
                self.usable();
            }
            StateError::Locked(_) => self.pause(error, LOCKED_FOR),
            StateError::Newer(_) | StateError::Io { .. } | StateError::Sql(_) => {
                self.pause(error, BROKEN_FOR)
            }
        }
    }

    /// Notes that this server changed a rollout, for systems whose kernel does not tell.
    pub fn note_changed(&self, path: &Path) {
        if let Some(key) = FileKey::of(&self.home, path) {
            lock(&self.fresh).hint(key);
        }
    }

    /// Returns how far the index is, now and whenever that changes.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(crate) fn set_progress(&self, progress: Progress) {
        self.progress.send_if_modified(|now| std::mem::replace(now, progress) != progress);
    }

    /// Gives out a database that was opened.
    pub(crate) fn publish(&self, runtime: StateRuntime) -> (Arc<StateRuntime>, CancellationToken) {
        let (runtime, ended) = (Arc::new(runtime), self.stop.child_token());
        lock(&self.fresh).lose(); // of these rows nobody knows yet how far they are behind
        *lock(&self.slot) =
            Slot::Open { runtime: Arc::clone(&runtime), ended: ended.clone(), not_before: None };
        self.slot_changes.send_replace(());
        (runtime, ended)
    }

    /// Takes in that the database could not be opened.
    pub(crate) fn not_opened(&self, error: &StateError) {
        self.pause(error, if matches!(error, StateError::Locked(_)) { LOCKED_FOR } else { BROKEN_FOR });
        self.slot_changes.send_replace(());
    }

    /// Returns the database to be set aside before one is opened, and when that may be.
    pub(crate) fn to_open(&self) -> (Option<Identity>, Option<Instant>) {
        match &*lock(&self.slot) {
            Slot::Closed { damaged, not_before } => (*damaged, *not_before),
            Slot::Open { .. } => (None, None),
        }
    }

    /// Looks at every file, and remembers that it did as long as the kernel tells of changes.
    pub(crate) async fn sweep(
        &self,
        runtime: &StateRuntime,
        progress: impl Fn(u64),
    ) -> Result<(), StateError> {
        if lock(&self.fresh).wants_watch() {
            let home = self.home.clone();
            let watcher = tokio::task::spawn_blocking(move || Watcher::new(&home)).await;
            if let Ok(watcher) = watcher {
                if let Err(error) = &watcher {
                    tracing::debug!(%error, "folders cannot be watched; every list looks at every file");
                }
                lock(&self.fresh).watch(watcher);
            }
        }
        let begun = lock(&self.fresh).sweep_begins();
        let unread = reconcile::sweep(runtime, progress).await?;
        lock(&self.fresh).sweep_ended(begun, unread);
        Ok(())
    }

    /// Returns the database unless it is not open, or is to be left alone; one that cannot be used any more is let go.
    fn usable(&self) -> Usable {
        let mut slot = lock(&self.slot);
        let now = Instant::now();
        let is_suspect = match &*slot {
            Slot::Open { runtime, .. } => self.is_suspect(runtime, now),
            Slot::Closed { .. } => false,
        };
        let is_paused = |not_before: &Option<Instant>| not_before.is_some_and(|until| now < until);
        match &*slot {
            Slot::Open { runtime, not_before, .. } if self.is_sound(runtime) => {
                match is_suspect || is_paused(not_before) {
                    true => Usable::No,
                    false => Usable::Yes(Arc::clone(runtime)),
                }
            }
            Slot::Open { runtime, ended, .. } => {
                let damaged = runtime.is_damaged().then_some(runtime.identity);
                ended.cancel();
                *slot =
                    Slot::Closed { damaged, not_before: damaged.and_then(|_| self.rebuild_not_before(now)) };
                self.set_progress(Progress::Closed);
                self.wanted.notify_one();
                Usable::Soon
            }
            Slot::Closed { not_before, .. } if is_paused(not_before) => Usable::No,
            Slot::Closed { .. } => {
                self.wanted.notify_one();
                Usable::Soon
            }
        }
    }

    fn rebuild_not_before(&self, now: Instant) -> Option<Instant> {
        let last = lock(&self.last_damage).replace(now)?;
        (now < last + DAMAGED_AGAIN).then_some(now + DAMAGED_AGAIN)
    }

    /// Looks at the database again that was suspect a while ago, and lets it go if it still is.
    pub(crate) fn look_again(&self) {
        self.usable();
    }

    /// Tells whether somebody else may have written to the database; when that is sure, it counts as damaged.
    fn is_suspect(&self, runtime: &StateRuntime, now: Instant) -> bool {
        match runtime.trust.now(now) {
            Trusted::Yes => return false,
            Trusted::NotYet => self.suspected.notify_one(),
            Trusted::No => {
                runtime.condemn();
                self.report(&StateError::Corrupt("another program wrote to it".into()));
            }
        }
        true
    }

    /// Tells whether a runtime still reads and writes the files that others see.
    fn is_sound(&self, runtime: &StateRuntime) -> bool {
        !runtime.is_damaged()
            && !runtime.is_closed()
            && Identity::of(&open::database(&self.home)) == runtime.identity
    }

    async fn opened(&self, deadline: Instant) -> Option<Arc<StateRuntime>> {
        let mut changes = self.slot_changes.subscribe();
        loop {
            match self.usable() {
                Usable::Yes(runtime) => return Some(runtime),
                Usable::No => return None,
                Usable::Soon => timeout_at(deadline, changes.changed()).await.ok()?.ok()?,
            }
        }
    }

    async fn is_current(&self, deadline: Instant) -> bool {
        let mut rounds = self.rounds.subscribe();
        let number = {
            let mut fresh = lock(&self.fresh);
            if fresh.is_current(&self.home) {
                return true;
            }
            fresh.next_round()
        };
        self.round_wanted.notify_one();
        match timeout_at(deadline, rounds.wait_for(|ended| ended.number >= number)).await {
            Ok(Ok(ended)) => ended.is_current,
            Ok(Err(_)) | Err(_) => false,
        }
    }

    async fn reconcile(&self) {
        let Round { number, sweep, dirty } = lock(&self.fresh).begin_round(&self.home);
        let brought = async {
            let Usable::Yes(runtime) = self.usable() else { return Err(StateError::NotOpen) };
            if sweep {
                self.sweep(&runtime, |_| {}).await?;
            }
            let keys = dirty.iter().map(|(key, _)| key.clone()).collect();
            let unread = reconcile::bring_along(&runtime, keys).await?;
            if !runtime.unscanned(None, 1).await?.is_empty() {
                self.unscanned.notify_one();
            }
            Ok(unread)
        };
        let brought = brought.await;
        match &brought {
            Ok(unread) => lock(&self.fresh).settled(&dirty, unread),
            Err(error) => self.failed(error),
        }
        self.rounds.send_replace(Ended { number, is_current: brought.is_ok() });
    }

    fn pause(&self, error: &StateError, pause: Duration) {
        self.report(error);
        let until = Instant::now() + pause;
        match &mut *lock(&self.slot) {
            Slot::Closed { not_before, .. } | Slot::Open { not_before, .. } => *not_before = Some(until),
        }
    }

    fn report(&self, error: &StateError) {
        let cause = chain(error);
        if lock(&self.reported).insert(cause.clone()) {
            tracing::warn!(cause, "the index cannot be used; rollouts are read instead");
        }
    }
}

/// Brings rows along whenever a list asks for it; lists that ask meanwhile share the next round.
async fn reconcile_on_demand(index: Arc<Index>) {
    loop {
        tokio::select! {
            () = index.stop.cancelled() => return,
            () = index.round_wanted.notified() => {}
        }
        tokio::select! {
            () = index.stop.cancelled() => return,
            () = index.reconcile() => {}
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is replaced as a whole, so it is right after a panic too.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
