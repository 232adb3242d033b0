//! The manager itself: the stores that it joins, and how blocking work is run.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rollout::Home;
use state::{Index, StateRuntime, ThreadRow};
use tokio::sync::OnceCell;

use crate::{
    ThreadError,
    journal::{self, Journal},
    log::Log,
    names::{self, Names},
};

/// How long a call about one thread waits for the index to be brought along with all of them. Where nothing changed
/// that takes microseconds.
const TARGETED_WAIT: Duration = Duration::from_millis(5);

/// Joins rollouts and index; owns what is stored about threads.
///
/// Cheap to clone; all clones share the same stores.
#[derive(Clone)]
pub struct ThreadManager {
    pub(crate) stores: Arc<Stores>,
    pub(crate) index: Arc<Index>,
    /// Filled when what servers left in inboxes as they died is stored.
    pub(crate) delivered: Arc<OnceCell<()>>,
}

/// The parts that live in files.
pub(crate) struct Stores {
    pub(crate) home: Home,
    pub(crate) names: Log<Names>,
    pub(crate) journal: Log<Journal>,
    /// Held while what lies in an inbox is stored.
    pub(crate) delivering: Mutex<()>,
}

impl Stores {
    pub(crate) fn new(home: Home) -> Self {
        let (names, journal) = (names::open(&home), journal::open(&home));
        Self { home, names, journal, delivering: Mutex::default() }
    }
}

impl ThreadManager {
    /// Makes the manager of a home; nothing is opened yet.
    pub fn new(home: Home, index: Arc<Index>) -> Self {
        Self { stores: Arc::new(Stores::new(home)), index, delivered: Arc::default() }
    }

    /// Returns the home whose threads these are.
    pub fn home(&self) -> &Home {
        &self.stores.home
    }

    /// Runs file work on a thread where blocking is harmless.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Stores) -> Result<T, ThreadError> + Send + 'static,
    ) -> Result<T, ThreadError> {
        let stores = Arc::clone(&self.stores);
        tokio::task::spawn_blocking(move || work(&stores)).await.map_err(|_| ThreadError::Worker)?
    }

    /// Looks one thread up in the index: the gated handle where it is fresh at once, else the direct one, else nothing.
    /// What it says of one thread is checked against the file, so nothing has to wait for all the others.
    pub(crate) async fn indexed(&self, id: rollout::ThreadId) -> Option<ThreadRow> {
        let runtime = match self.index.gated_within(TARGETED_WAIT).await {
            Some(runtime) => runtime,
            None => self.direct().await?,
        };
        runtime.thread(id).await.inspect_err(|error| self.index.failed(error)).ok()?
    }

    /// Brings a row of the index along; the files stay right whether this works or not.
    ///
    /// By the direct handle: before it gives out the gated one, the index would bring that very row along itself.
    pub(crate) async fn bring_along(&self, row: ThreadRow) {
        let Some(runtime) = self.direct().await else { return };
        if let Err(error) = runtime.upsert(vec![row]).await {
            self.index.failed(&error);
        }
    }

    async fn direct(&self) -> Option<Arc<StateRuntime>> {
        self.index.direct().await.inspect_err(|error| self.index.failed(error)).ok()
    }
}
