//! The servers that run, and who has them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use config::{ConfigError, McpServer};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Lease, Observer, Starter,
    launch::Launch,
    lease::{Filter, Slot},
    server::Server,
};

/// The entries of a config, by name; a broken one is a server that failed.
pub type Entries = BTreeMap<String, Result<McpServer, ConfigError>>;

/// All servers of an app-server. A clone is the same.
#[derive(Clone)]
pub struct Servers(Arc<Registry>);

struct Registry {
    starter: Arc<dyn Starter>,
    running: Mutex<HashMap<Launch, Weak<Hold>>>,
    leases: AtomicU64,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A share in a server, which is stopped with the last one.
pub(crate) struct Hold(pub(crate) Arc<Server>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.stop.cancel();
    }
}

impl Servers {
    /// Makes an empty registry, with who starts programs for it.
    pub fn new(starter: Arc<dyn Starter>) -> Self {
        Self(Arc::new(Registry {
            starter,
            running: Mutex::default(),
            leases: AtomicU64::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// Takes a share in the servers of a configuration, and starts those in the background that do not run.
    ///
    /// Does not wait for any. Disabled ones are left out; a broken entry is a server that failed. The observer is told
    /// of each that it starts and how that went, also when it runs already. Must be called within a runtime.
    pub fn acquire(
        &self,
        entries: &Entries,
        env: &HashMap<String, String>,
        observer: Arc<dyn Observer>,
    ) -> Lease {
        let enabled =
            entries.iter().filter(|(_, entry)| entry.as_ref().map_or(true, |server| server.enabled));
        let slots = enabled.map(|(name, entry)| (name.clone(), self.slot(name, entry, env))).collect();
        let id = self.0.leases.fetch_add(1, Ordering::Relaxed);
        let lease = Lease::new(id, slots, observer);
        self.0.tasks.spawn(lease.report());
        lease
    }

    /// Makes the next [`acquire`](Self::acquire) start every server anew, whether its entry changed or not. Those that
    /// run go on until who has them lets go.
    pub fn renew(&self) {
        self.running().clear();
    }

    /// Stops all servers and waits until they are gone.
    pub async fn shut_down(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn slot(
        &self,
        name: &str,
        entry: &Result<McpServer, ConfigError>,
        env: &HashMap<String, String>,
    ) -> Result<Slot, Arc<str>> {
        let entry = entry.as_ref().map_err(|error| Arc::from(error.to_string()))?;
        let launch = Launch::new(name, entry, env)?;
        Ok(Slot { hold: self.hold(launch), filter: Filter::new(entry), timeout: entry.tool_timeout })
    }

    fn hold(&self, launch: Launch) -> Arc<Hold> {
        let mut running = self.running();
        if let Some(hold) = running.get(&launch).and_then(Weak::upgrade) {
            hold.0.revive();
            return hold;
        }
        running.retain(|_, hold| hold.strong_count() > 0);
        let stop = self.0.stop.child_token();
        let server = Arc::new(Server::new(launch.clone(), Arc::clone(&self.0.starter), stop));
        let hold = Arc::new(Hold(Arc::clone(&server)));
        running.insert(launch, Arc::downgrade(&hold));
        self.0.tasks.spawn(server.run());
        hold
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Launch, Weak<Hold>>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
