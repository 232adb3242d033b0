//! One server: a task that starts it, keeps its tools, and starts it again when it died and is wanted.

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

use rmcp::{
    RoleClient,
    service::{Peer, ServiceExt},
    transport::IntoTransport,
};
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, broadcast, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    McpError, Program, Starter, Status,
    calls::Calls,
    failure,
    handler::Handler,
    http,
    launch::{Launch, Target},
    pages::Pages,
    progress::Progress,
    request::Request,
    stdio::{self, Signs},
    tools,
};

/// How often in a row a server is started again that died before it answered anything: one that crashes at each call
/// should not be run for ever.
const MOST_RESTARTS: u32 = 3;

/// The pause before the second restart in a row, and that much more before each further one.
const RESTART_PAUSE: Duration = Duration::from_millis(250);

/// How many words on how far requests are may wait to be taken; older ones are of no use any more.
const MOST_PROGRESS: usize = 16;

/// How long a server whose program has ended may take to show that it is there all the same.
const PING_GRACE: Duration = Duration::from_secs(3);

/// How long a server has to take its leave of us.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// A server, which leases share.
pub(crate) struct Server {
    launch: Launch,
    starter: Arc<dyn Starter>,
    state: watch::Sender<State>,
    pub(crate) calls: Calls,
    /// Told by the server.
    pub(crate) tools_changed: Notify,
    /// How far requests are, as the server says; each is for who waits for its answer.
    pub(crate) progress: broadcast::Sender<Progress>,
    /// An answer was too long and is lost.
    pub(crate) too_long: Arc<Notify>,
    pub(crate) stop: CancellationToken,
}

/// How a server is, and what is known of it. What it had before it died is still said to be there, since it is started
/// again when used.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// When it began to start.
    pub(crate) since: Instant,
    /// The definitions of its tools, each an object with a name.
    pub(crate) tools: Arc<[Arc<Value>]>,
    /// What it said of itself.
    pub(crate) info: Option<Arc<Value>>,
    /// How often it was started again since it answered.
    restarts: u32,
}

/// What a server is doing.
#[derive(Clone)]
pub(crate) enum Phase {
    Starting,
    Ready(Peer<RoleClient>),
    Failed(Arc<str>),
    Stopped,
}

impl State {
    pub(crate) fn status(&self) -> Status {
        match &self.phase {
            Phase::Starting => Status::Starting,
            Phase::Ready(_) => Status::Ready,
            Phase::Failed(error) => Status::Failed { error: Arc::clone(error) },
            Phase::Stopped => Status::Cancelled,
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self.phase, Phase::Starting)
    }

    /// Whether the connection is gone, and it is only not known yet how the server left.
    fn is_leaving(&self) -> bool {
        matches!(&self.phase, Phase::Ready(peer) if peer.is_transport_closed())
    }
}

impl Server {
    /// Makes a server that starts when it is [run](Self::run).
    pub(crate) fn new(launch: Launch, starter: Arc<dyn Starter>, stop: CancellationToken) -> Self {
        let state = State {
            phase: Phase::Starting,
            since: Instant::now(),
            tools: Arc::default(),
            info: None,
            restarts: 0,
        };
        Self {
            launch,
            starter,
            state: watch::Sender::new(state),
            calls: Calls::default(),
            tools_changed: Notify::new(),
            progress: broadcast::Sender::new(MOST_PROGRESS),
            too_long: Arc::default(),
            stop,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.launch.name
    }

    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Starts a failed server again for somebody new, however often that failed before.
    pub(crate) fn revive(&self) {
        self.start_again(|restarts| *restarts = 0);
    }

    /// Returns the connection of a server that runs; waits for one that starts, and starts a dead one again.
    pub(crate) async fn ready(&self) -> Result<Peer<RoleClient>, McpError> {
        let mut state = self.watch();
        // The sender is `self`, so there is always a state.
        let _ = state.wait_for(|state| !state.is_leaving()).await;
        self.start_again(|restarts| *restarts += 1);
        let phase = state.wait_for(State::is_settled).await.map(|state| state.phase.clone());
        let error = match phase {
            Ok(Phase::Ready(peer)) => return Ok(peer),
            Ok(Phase::Failed(error)) => error,
            Ok(Phase::Starting | Phase::Stopped) | Err(_) => "it was stopped".into(),
        };
        Err(McpError::NotRunning { server: self.name().to_owned(), error })
    }

    /// Notes that the server does its work.
    pub(crate) fn answered(&self) {
        self.state.send_if_modified(|state| {
            state.restarts = 0;
            false
        });
    }

    fn start_again(&self, count: impl FnOnce(&mut u32)) {
        self.state.send_if_modified(|state| {
            let dead = matches!(state.phase, Phase::Failed(_));
            if dead {
                count(&mut state.restarts);
            }
            let again = dead && state.restarts <= MOST_RESTARTS;
            if again {
                (state.phase, state.since) = (Phase::Starting, Instant::now());
            }
            again
        });
    }

    /// Runs the server until it is stopped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut wanted = self.watch();
        while let Some(error) = self.live().await {
            tracing::warn!(server = self.name(), error, "an MCP server failed");
            self.state.send_modify(|state| {
                state.phase = Phase::Failed(error.into());
                if state.restarts >= MOST_RESTARTS {
                    state.tools = Arc::default();
                }
            });
            let again = async {
                let started = wanted.wait_for(|state| !state.is_settled()).await;
                let restarts = started.map_or(0, |state| state.restarts);
                sleep(RESTART_PAUSE * restarts.saturating_sub(1)).await;
            };
            tokio::select! {
                () = again => {}
                () = self.stop.cancelled() => break,
            }
        }
        self.state.send_modify(|state| state.phase = Phase::Stopped);
    }

    /// Starts the server and serves it until it fails, which is returned, or is stopped.
    async fn live(self: &Arc<Self>) -> Option<String> {
        match &self.launch.target {
            Target::Program(program) => self.live_program(program).await,
            Target::Endpoint(endpoint) => {
                let opened = tokio::select! {
                    opened = http::open(endpoint) => opened,
                    () = self.stop.cancelled() => return None,
                };
                match opened {
                    Ok(transport) => self.converse(transport, self.stop.child_token()).await.err(),
                    Err(error) => Some(error),
                }
            }
        }
    }

    async fn live_program(self: &Arc<Self>, program: &Program) -> Option<String> {
        let started = tokio::select! {
            started = self.starter.start(program) => started,
            () = self.stop.cancelled() => return None,
        };
        let signs = Signs { too_long: Arc::clone(&self.too_long), gone: self.stop.child_token() };
        let (pipes, mut process) = match started {
            Ok(started) => stdio::open(self.name(), started, signs.clone()),
            Err(error) => return Some(error),
        };
        let abandoned = async {
            process.ended().await;
            self.deaf().await;
        };
        let ended = tokio::select! {
            ended = self.converse(pipes, signs.gone) => ended,
            () = abandoned => Err("it went away".to_owned()),
        };
        let last_words = process.end().await;
        ended.err().map(|error| format!("{error}{last_words}"))
    }

    /// Waits until it shows that nobody serves the connection of a program that has ended. Usually that closes with the
    /// program; where a child still has it, that may be the server itself, or a helper that will never say a word.
    async fn deaf(&self) {
        let ping = async {
            let ready = self.watch().wait_for(State::is_settled).await.map(|state| state.phase.clone());
            let Ok(Phase::Ready(peer)) = ready else { return pending().await };
            let ping = Request { method: "ping", params: json!({}), meta: None, progress: None };
            // Any answer is one, also that pings are not known.
            timeout(PING_GRACE, self.request(&peer, ping, pending())).await
        };
        if let Ok(Ok(_) | Err(McpError::Refused { .. })) = ping.await {
            pending().await
        }
    }

    /// Speaks with the server until the connection fails, or the server is stopped.
    async fn converse<T, E, A>(self: &Arc<Self>, transport: T, gone: CancellationToken) -> Result<(), String>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let handler = Handler { server: Arc::clone(self), gone };
        let start = async {
            let service = handler.serve(transport).await.map_err(failure::of_start)?;
            let tools = self.list_tools(service.peer()).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((service, tools))
        };
        let started = tokio::select! {
            started = timeout(self.launch.timeout, start) => started,
            () = self.stop.cancelled() => return Ok(()),
        };
        let late = |_| format!("it did not answer within {} s", self.launch.timeout.as_secs_f64());
        let (service, tools) = started.map_err(late)??;
        let peer = service.peer().clone();
        let info = peer.peer_info().and_then(|info| serde_json::to_value(&*info).ok());
        self.state.send_modify(|state| {
            state.phase = Phase::Ready(peer.clone());
            state.tools = tools;
            state.info = info.map(Arc::new);
        });
        let close = service.cancellation_token();
        let mut closed = pin!(service.waiting());
        loop {
            tokio::select! {
                _ = &mut closed => return Err("it went away".to_owned()),
                () = self.stop.cancelled() => break,
                () = self.tools_changed.notified() => self.refresh_tools(&peer).await,
            }
        }
        close.cancel();
        let _ = timeout(CLOSE_GRACE, closed).await;
        Ok(())
    }

    /// Lists the tools again; where that fails, those that are known stay.
    async fn refresh_tools(&self, peer: &Peer<RoleClient>) {
        match timeout(self.launch.timeout, self.list_tools(peer)).await {
            Ok(Ok(tools)) => self.state.send_modify(|state| state.tools = tools),
            Ok(Err(error)) => tracing::warn!(server = self.name(), %error, "tools cannot be listed again"),
            Err(_) => tracing::warn!(server = self.name(), "tools are not listed again in time"),
        }
    }

    async fn list_tools(&self, peer: &Peer<RoleClient>) -> Result<Arc<[Arc<Value>]>, McpError> {
        if peer.peer_info().is_none_or(|info| info.capabilities.tools.is_none()) {
            return Ok(Arc::default());
        }
        let mut pages = Pages::new("tools");
        let listed = loop {
            // Who waits for the list bounds the time.
            let stopped = async {
                self.stop.cancelled().await;
                McpError::Cancelled
            };
            let page = self.request(peer, Request::page("tools/list", pages.cursor()), stopped).await?;
            if let Some(listed) = pages.add(page) {
                break listed;
            }
        };
        Ok(listed.into_iter().filter_map(tools::definition).map(Arc::new).collect())
    }
}
