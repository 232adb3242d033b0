//! The app-server: connections, the handshake, routes and lanes, one handler file a method.
//!
//! - [`Options`] is what the program was started with; [`serve`] serves one client over any pair of streams.
//!
//! The path of one call: `connection` reads a line → `dispatch` finds the route, decodes the params and queues the
//! handler in its lane → the handler returns a result → `dispatch` answers once and sends what was to follow.
//! A question goes the other way: `live` asks the clients that listen, `connection` hands it the first answer.
//!
//! Invariant: exactly one answer a request, and everything that follows from it comes behind the answer.
//! Only this crate knows JSON-RPC and the wire.

mod connection;
mod context;
mod dispatch;
mod error;
mod handshake;
mod lanes;
mod live;
mod methods;
mod models;
mod opening;
mod paging;
mod routes;
mod wire;

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use agent::Agents;
use config::Loader;
use rollout::{Disk, Home};
use state::Index;
use threads::ThreadManager;
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tools::{Setup, Workshop};

use crate::{connection::Connection, context::App, live::Live, models::Models};

pub use tools::{CONFINE, SUPERVISE, confine, exec::supervise};

/// The release of the protocol that clients are told: they take from it what they may ask for.
pub const PROTOCOL_RELEASE: &str = "0.169.0";

/// How long closing the turns that run may take, and then writing what is still to be told. With the time for the last
/// answers this is below the five seconds after which clients kill.
const LAST_TURNS: Duration = Duration::from_secs(2);
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long after its start a server looks for what crashes left unfinished.
const SWEEP_AFTER: Duration = Duration::from_secs(3);

/// How long the disk may take for the last writes, beside the last words.
const LAST_SYNC: Duration = Duration::from_millis(500);

/// What the program was started with.
pub struct Options {
    /// The `CODEX_HOME`.
    pub home: PathBuf,
    /// The folder that relative paths of clients start from.
    pub cwd: PathBuf,
    /// Reads the config.
    pub config: Loader,
    /// The environment, in which providers' keys are looked up.
    pub env: HashMap<String, String>,
    /// This program: started anew it owns and confines the commands of threads; absolute.
    pub program: PathBuf,
    /// Stands in for the client's own name where requests to providers name who sends them.
    pub originator: Option<String>,
}

/// Serves one client until its input ends or `stop` is cancelled.
///
/// What was read is answered, turns that run are closed on disk as interrupted, and what is still to be told is
/// written; each of it within a bounded time.
pub async fn serve<I, O>(options: Options, input: I, output: O, stop: CancellationToken)
where
    I: AsyncBufRead + Unpin,
    O: AsyncWrite + Unpin + Send + 'static,
{
    let tasks = TaskTracker::new();
    let background = CancellationToken::new();
    let disk = Disk::start().unwrap_or_else(|error| {
        tracing::error!(%error, "what is written is left for the kernel to put on the disk");
        Disk::default()
    });
    let home = Home::on(disk.clone(), options.home.clone());
    tasks.spawn(sweep(home.clone(), background.clone()));
    let index = Index::start(home.clone(), &tasks, background.clone());
    let threads = ThreadManager::new(home, index);
    let manager = threads.clone();
    tasks.spawn(async move { manager.deliver_all().await });
    let live = Arc::new(Live::default());
    let agents = Agents::new(threads.clone(), Arc::clone(&live) as Arc<dyn agent::Observer>);
    let workshop = Workshop::new(Setup {
        program: options.program.clone(),
        home: options.home.clone(),
        env: options.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
    });
    let app = Arc::new(App { options, threads, agents, live, models: Models::default(), workshop });

    let (outbox, drain) = jsonrpc::outbox();
    let connection = Arc::new(Connection::new(outbox.clone()));
    tasks.spawn(async move {
        if let Err(error) = drain.write_to(output).await {
            tracing::info!(%error, "the client no longer reads");
        }
    });
    connection::serve(&app, &connection, input, &stop).await;
    if tokio::time::timeout(LAST_TURNS, app.agents.shut_down()).await.is_err() {
        tracing::warn!("some turns could not be closed in time");
    }
    if tokio::time::timeout(LAST_WORDS, app.workshop.shut_down()).await.is_err() {
        tracing::warn!("some MCP servers did not end in time");
    }
    let synced = tokio::task::spawn_blocking(move || disk.finish());
    outbox.close(LAST_WORDS).await;
    if tokio::time::timeout(LAST_SYNC, synced).await.is_err() {
        tracing::warn!("some of what was written may not be on the disk yet");
    }
    background.cancel();
    tasks.close();
    if tokio::time::timeout(LAST_WORDS, tasks.wait()).await.is_err() {
        tracing::warn!("some background work did not end in time");
    }
}

/// Removes what crashes left unfinished, once the first requests are answered: a large home has thousands of folders.
async fn sweep(home: Home, stop: CancellationToken) {
    if stop.run_until_cancelled(tokio::time::sleep(SWEEP_AFTER)).await.is_none() {
        return;
    }
    let swept = tokio::task::spawn_blocking(move || rollout::sweep(&home, || !stop.is_cancelled())).await;
    if let Ok(Err(error)) = swept {
        tracing::warn!(%error, "not every folder could be looked through for unfinished files");
    }
}
