//! The loaded threads of a server.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use items::ResponseItem;
use model::Model;
use rollout::{GitInfo, SessionMeta, ThreadId, Writer};
use threads::{StoredThread, ThreadManager};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    AgentError, Thread,
    actor::{self, Actor},
    event::{Observer, Status},
    git,
    session::{Known, Session},
    settings::Settings,
    shared::{Shared, Snapshot},
    store::Store,
};

/// All loaded threads, by id.
pub struct Agents {
    registry: Arc<Registry>,
    manager: ThreadManager,
    observer: Arc<dyn Observer>,
}

/// The part of [`Agents`] that the threads themselves know.
#[derive(Default)]
pub(crate) struct Registry {
    threads: Mutex<BTreeMap<ThreadId, Thread>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// What a session needs beside its files, to be made again after a panic.
    parts: Mutex<HashMap<ThreadId, Parts>>,
}

/// What a session needs beside its files.
#[derive(Clone)]
pub struct Parts {
    /// Who answers.
    pub model: Arc<dyn Model>,
    /// As whom the server speaks to the provider.
    pub client: model::ClientIdentity,
    /// How many tokens the model takes in.
    pub window: Option<i64>,
    /// After how long an unwatched idle thread is unloaded.
    pub idle_unload: Duration,
}

/// A thread to load.
pub struct Load {
    /// What is known of it.
    pub thread: StoredThread,
    /// Where its records go.
    pub keep: Keep,
    /// What it runs with.
    pub settings: Settings,
    /// What it needs beside its files.
    pub parts: Parts,
}

/// Where the records of a thread go.
pub enum Keep {
    /// Into the rollout that is there.
    Stored,
    /// Into a rollout that comes with the first records; this is the first one.
    New(Box<SessionMeta>),
    /// The same, for a thread whose model knows these items to begin with.
    NewWith(Box<SessionMeta>, Vec<ResponseItem>),
    /// Nowhere; the model knows these items to begin with.
    Ephemeral(Vec<ResponseItem>),
}

impl Agents {
    /// Makes an empty registry.
    pub fn new(manager: ThreadManager, observer: Arc<dyn Observer>) -> Self {
        Self { registry: Arc::default(), manager, observer }
    }

    /// Returns a loaded thread.
    pub fn find(&self, id: ThreadId) -> Option<Thread> {
        self.registry.threads().get(&id).cloned()
    }

    /// Returns a loaded thread, or says that it is not loaded.
    pub fn require(&self, id: ThreadId) -> Result<Thread, AgentError> {
        self.find(id).ok_or(AgentError::NotLoaded(id))
    }

    /// Returns the ids of all loaded threads, in ascending order.
    pub fn ids(&self) -> Vec<ThreadId> {
        self.registry.threads().keys().copied().collect()
    }

    /// Loads a thread; one that is loaded already stays as it is.
    pub fn load(&self, load: Load) -> Result<Thread, AgentError> {
        let Load { thread, keep, settings, parts } = load;
        let id = thread.id();
        let path = thread.path.clone();
        let (store, ephemeral, known, git) = match keep {
            Keep::Stored => (Store::Open(Writer::open(&path)?), false, None, None),
            Keep::New(meta) => {
                let git = meta.git.is_none().then(|| self.ask_git(settings.cwd.clone()));
                (Store::Promised { path, meta, known: Vec::new() }, false, Some(Known::default()), git)
            }
            Keep::NewWith(meta, items) => {
                let store = Store::Promised { path, meta, known: items.clone() };
                (store, false, Some(knowing(items)), None)
            }
            Keep::Ephemeral(items) => (Store::Ephemeral, true, Some(knowing(items)), None),
        };
        let snapshot = Snapshot {
            thread,
            ephemeral,
            materialized: store.is_materialized(),
            settings: settings.clone(),
            status: Status::Idle,
            running: None,
        };
        let registry = Arc::clone(&self.registry);
        let observer = Arc::clone(&self.observer);
        let mut threads = self.registry.threads();
        if let Some(loaded) = threads.get(&id) {
            return Ok(loaded.clone());
        }
        let shared = Arc::new(Shared::new(id, self.manager.clone(), registry, observer, snapshot));
        let session = session(Arc::clone(&shared), store, settings, &parts, known, git);
        let (ops, inbox) = mpsc::channel(actor::QUEUE);
        let stop = self.registry.stop.child_token();
        let actor = Actor::new(Arc::clone(&shared), inbox, session, parts.idle_unload, stop);
        self.registry.parts().insert(id, parts);
        let thread = Thread::new(shared, ops);
        threads.insert(id, thread.clone());
        self.registry.tasks.spawn(actor.run());
        Ok(thread)
    }

    /// Interrupts all turns and waits until they are closed on disk.
    pub async fn shut_down(&self) {
        self.registry.stop.cancel();
        self.registry.tasks.close();
        self.registry.tasks.wait().await;
    }

    fn ask_git(&self, cwd: PathBuf) -> oneshot::Receiver<Option<GitInfo>> {
        let (answer, asked) = oneshot::channel();
        self.registry.tasks.spawn(async move { drop(answer.send(git::facts(&cwd).await)) });
        asked
    }
}

impl Registry {
    pub(crate) fn remove(&self, id: ThreadId) {
        self.threads().remove(&id);
        self.parts().remove(&id);
    }

    /// Makes the session of a stored thread anew.
    pub(crate) fn reload(&self, shared: &Arc<Shared>) -> Option<Session> {
        let parts = self.parts().get(&shared.id).cloned()?;
        let Snapshot { thread, ephemeral, settings, .. } = shared.snapshot();
        let store = match ephemeral {
            true => Store::Ephemeral,
            false => Store::Open(Writer::open(&thread.path).ok()?),
        };
        Some(session(Arc::clone(shared), store, settings, &parts, None, None))
    }

    fn threads(&self) -> MutexGuard<'_, BTreeMap<ThreadId, Thread>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parts(&self) -> MutexGuard<'_, HashMap<ThreadId, Parts>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn knowing(items: Vec<ResponseItem>) -> Known {
    Known { items: Arc::new(items), ..Known::default() }
}

fn session(
    shared: Arc<Shared>,
    store: Store,
    settings: Settings,
    parts: &Parts,
    known: Option<Known>,
    git: Option<oneshot::Receiver<Option<GitInfo>>>,
) -> Session {
    let Parts { model, client, window, idle_unload: _ } = parts.clone();
    Session { shared, store, settings, model, client, window, known, git, lock: None }
}
