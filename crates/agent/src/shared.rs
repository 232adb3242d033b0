//! What of a loaded thread can be seen from outside of its actor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rollout::ThreadId;
use threads::{Inbox, StoredThread, ThreadManager};
use tools::Question;

use crate::{
    client_ids::ClientIds,
    event::{Event, Observer, Status},
    host::TurnHost,
    registry::{Parts, Registry},
    settings::Settings,
    store::Store,
};

/// The part of a loaded thread that its actor, its turn and its askers share.
pub(crate) struct Shared {
    pub(crate) id: ThreadId,
    pub(crate) manager: ThreadManager,
    pub(crate) registry: Arc<Registry>,
    /// Where its records go.
    pub(crate) store: Store,
    /// Where words are put down until its turn is over.
    pub(crate) inbox: Inbox,
    /// What it needs beside its files.
    pub(crate) parts: Parts,
    observer: Arc<dyn Observer>,
    seen: Mutex<Snapshot>,
    /// The turn that runs, as its tools see it.
    host: Mutex<Weak<TurnHost>>,
    /// The ids of what clients said lately.
    client_ids: Mutex<ClientIds>,
}

/// A loaded thread as it is now.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What is known of it; the rollout, once it is there, knows more.
    pub thread: StoredThread,
    /// Whether nothing of it is kept.
    pub ephemeral: bool,
    /// Whether the rollout is there.
    pub materialized: bool,
    /// What it runs with.
    pub settings: Settings,
    /// What it is doing.
    pub status: Status,
    /// The turn that runs.
    pub running: Option<String>,
}

/// What a thread is made of.
pub(crate) struct Making {
    pub(crate) id: ThreadId,
    pub(crate) manager: ThreadManager,
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Store,
    pub(crate) parts: Parts,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) snapshot: Snapshot,
}

impl Shared {
    pub(crate) fn new(making: Making) -> Self {
        let Making { id, manager, registry, store, parts, observer, snapshot } = making;
        Self {
            id,
            inbox: manager.inbox(id),
            manager,
            registry,
            store,
            parts,
            observer,
            seen: Mutex::new(snapshot),
            host: Mutex::default(),
            client_ids: Mutex::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.seen().clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.seen());
    }

    pub(crate) fn set_running(&self, turn: Option<String>) {
        self.update(|seen| seen.running = turn);
    }

    /// Keeps how the tools of a turn that begins see it.
    pub(crate) fn set_host(&self, host: &Arc<TurnHost>) {
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(host);
    }

    /// Returns the turn that runs, as its tools see it.
    pub(crate) fn host(&self) -> Option<Arc<TurnHost>> {
        self.snapshot().running?;
        self.host.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    pub(crate) async fn set_status(&self, status: Status) {
        self.update(|seen| seen.status = status.clone());
        self.tell(Event::Status(status)).await;
    }

    pub(crate) async fn tell(&self, event: Event) {
        self.observer.observe(self.id, event).await;
    }

    pub(crate) async fn ask(&self, turn: String, question: Question) {
        self.observer.ask(self.id, turn, question).await;
    }

    pub(crate) fn client_ids(&self) -> MutexGuard<'_, ClientIds> {
        self.client_ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the thread out of the registry.
    pub(crate) fn forget(&self) {
        self.registry.remove(self.id);
    }

    fn seen(&self) -> MutexGuard<'_, Snapshot> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
