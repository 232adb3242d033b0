//! The manager itself: the stores that it joins, and how blocking work is run.

use std::{sync::Arc, time::Duration};

use rollout::Home;
use state::{Index, StateRuntime, ThreadRow};

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
}

/// The parts that live in files.
pub(crate) struct Stores {
    pub(crate) home: Home,
    pub(crate) names: Log<Names>,
    pub(crate) journal: Log<Journal>,
}

impl ThreadManager {
    /// Makes the manager of a home; nothing is opened yet.
    pub fn new(home: Home, index: Arc<Index>) -> Self {
        let (names, journal) = (names::open(&home), journal::open(&home));
        Self { stores: Arc::new(Stores { home, names, journal }), index }
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

    /// Looks one thread up in the index: the gated handle, else the direct one, else nothing.
    pub(crate) async fn indexed(&self, id: rollout::ThreadId) -> Option<ThreadRow> {
        let runtime = self.any_handle().await?;
        runtime.thread(id).await.inspect_err(|error| self.index.failed(error)).ok()?
    }

    /// Brings rows of the index along; the files stay right whether this works or not.
    pub(crate) async fn bring_along(&self, row: ThreadRow) {
        let Some(runtime) = self.any_handle().await else { return };
        if let Err(error) = runtime.upsert(vec![row]).await {
            self.index.failed(&error);
        }
    }

    /// Returns the gated handle where it is fresh at once, else the direct one: what it says of one thread is checked
    /// against the file, so nothing has to wait for all the others.
    async fn any_handle(&self) -> Option<Arc<StateRuntime>> {
        if let Some(runtime) = self.index.gated_within(TARGETED_WAIT).await {
            return Some(runtime);
        }
        self.index.direct().await.inspect_err(|error| self.index.failed(error)).ok()
    }
}
