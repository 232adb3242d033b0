//! The loaded threads of a server.

use std::{
    collections::BTreeMap,
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
use tools::ThreadTools;

use crate::{
    AgentError, ProjectDocs, Thread,
    actor::{self, Actor},
    event::{Observer, Status},
    git,
    session::{Known, Session},
    settings::Settings,
    shared::{Making, Shared, Snapshot},
    store::{Place, Promise, Store},
};

/// How long commands may take to end when the server does: who waits for it kills it after some seconds, and until then
/// the ends of the commands and of their turns are to be stored and told.
const COMMAND_GRACE: Duration = Duration::from_secs(1);

/// How soon it is looked again for commands to kill, since a turn may leave one that it was about to start.
const KILL_PAUSE: Duration = Duration::from_millis(100);

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
}

/// What a session needs beside its files.
#[derive(Clone)]
pub struct Parts {
    /// Who answers.
    pub model: Arc<dyn Model>,
    /// As whom the server speaks to the provider.
    pub client: model::ClientIdentity,
    /// What the model can call.
    pub tools: Arc<ThreadTools>,
    /// Where instructions lie beside the work.
    pub docs: ProjectDocs,
    /// How many tokens the model takes in, where the person knows better than the catalogue.
    pub window: Option<i64>,
    /// At how many tokens the history is compacted, where the person says so.
    pub compact_at: Option<i64>,
    /// What the model is asked for when the history is compacted.
    pub compact_prompt: String,
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
        let disk = self.manager.home().disk();
        let promised = |meta, known| {
            Place::Promised(Promise { disk: disk.clone(), path: thread.path.clone(), meta, known })
        };
        let (place, known, git) = match keep {
            Keep::Stored => (Place::Open(Writer::open(disk, &thread.path)?), None, None),
            Keep::New(meta) => {
                let git = meta.git.is_none().then(|| self.ask_git(settings.cwd.clone()));
                (promised(meta, Vec::new()), Some(Known::default()), git)
            }
            Keep::NewWith(meta, items) => (promised(meta, items.clone()), Some(knowing(items)), None),
            Keep::Ephemeral(items) => (Place::Ephemeral, Some(knowing(items)), None),
        };
        let store = Store::new(place);
        let snapshot = Snapshot {
            thread,
            ephemeral: store.is_ephemeral(),
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
        let idle_unload = parts.idle_unload;
        let manager = self.manager.clone();
        let making = Making { id, manager, registry, store, parts, observer, snapshot };
        let shared = Arc::new(Shared::new(making));
        let session = Session::new(Arc::clone(&shared), settings, known, git);
        let (ops, inbox) = mpsc::channel(actor::QUEUE);
        let stop = self.registry.stop.child_token();
        let actor = Actor::new(Arc::clone(&shared), inbox, session, idle_unload, stop);
        let thread = Thread::new(shared, ops);
        threads.insert(id, thread.clone());
        self.registry.tasks.spawn(actor.run());
        Ok(thread)
    }

    /// Interrupts all turns and waits until they are closed on disk; commands that do not end soon are killed.
    pub async fn shut_down(&self) {
        self.registry.stop.cancel();
        self.registry.tasks.close();
        tokio::select! {
            () = self.registry.tasks.wait() => {}
            () = self.kill_commands() => {}
        }
    }

    async fn kill_commands(&self) {
        tokio::time::sleep(COMMAND_GRACE).await;
        loop {
            let threads: Vec<_> = self.registry.threads().values().cloned().collect();
            threads.iter().for_each(|thread| thread.tools().kill_all());
            tokio::time::sleep(KILL_PAUSE).await;
        }
    }

    fn ask_git(&self, cwd: PathBuf) -> oneshot::Receiver<Option<GitInfo>> {
        let (answer, asked) = oneshot::channel();
        self.registry.tasks.spawn(async move { drop(answer.send(git::facts(&cwd).await)) });
        asked
    }
}

impl Registry {
    /// Runs something that belongs to a thread and may outlive its turn.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    pub(crate) fn remove(&self, id: ThreadId) {
        self.threads().remove(&id);
    }

    fn threads(&self) -> MutexGuard<'_, BTreeMap<ThreadId, Thread>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn knowing(items: Vec<ResponseItem>) -> Known {
    Known { items: Arc::new(items), ..Known::default() }
}
