//! What one thread has of the servers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use config::McpServer;
use futures::future::{Either, join_all};
use serde_json::{Map, Value, json};
use tokio::{
    sync::mpsc,
    time::{timeout, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    CallResult, McpError, Observer, Status, Tools, calls::LeaseId, report::Report, request::Request,
    server::State, servers::Hold,
};

/// A share in the servers of one configuration. They are stopped when no lease has them any more.
pub struct Lease {
    id: LeaseId,
    /// By name; the error of an entry that cannot be started.
    slots: BTreeMap<String, Result<Slot, Arc<str>>>,
    observer: Arc<dyn Observer>,
    dropped: CancellationToken,
    _drop: DropGuard,
}

/// A server and what this configuration says of it beside how to start it.
pub(crate) struct Slot {
    pub(crate) hold: Arc<Hold>,
    pub(crate) filter: Filter,
    pub(crate) timeout: Duration,
}

/// Which tools of a server there are.
pub(crate) struct Filter {
    only: Option<Vec<String>>,
    not: Vec<String>,
}

/// A tool to call.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The server's name.
    pub server: &'a str,
    /// The tool's own name. The server is asked also for one that it did not list.
    pub tool: &'a str,
    /// What to call it with.
    pub arguments: Option<Map<String, Value>>,
    /// What to send along.
    pub meta: Option<Map<String, Value>>,
    /// Where to say how far it is, in words for people; what comes while there is no room is left out.
    pub progress: Option<mpsc::Sender<String>>,
}

/// How a server is, and what it said of itself.
#[derive(Clone, Debug)]
pub struct ServerState {
    /// Its name.
    pub name: String,
    /// How it is.
    pub status: Status,
    /// The result of its `initialize`; `None` before it first answered.
    pub info: Option<Arc<Value>>,
}

impl Filter {
    pub(crate) fn new(entry: &McpServer) -> Self {
        Self { only: entry.enabled_tools.clone(), not: entry.disabled_tools.clone() }
    }

    fn lets(&self, tool: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == tool);
        self.only.as_deref().is_none_or(named) && !named(&self.not)
    }
}

impl Lease {
    pub(crate) fn new(
        id: LeaseId,
        slots: BTreeMap<String, Result<Slot, Arc<str>>>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let dropped = CancellationToken::new();
        Self { id, slots, observer, _drop: dropped.clone().drop_guard(), dropped }
    }

    /// Waits until no server is starting any more. Bound it: the slowest server decides.
    pub async fn settled(&self) {
        for slot in self.slots.values().flatten() {
            // The server is there as long as the slot is.
            let _ = slot.hold.0.watch().wait_for(State::is_settled).await;
        }
    }

    /// Waits for servers that are starting, for each so long from when it began to: who comes later waits no more for one
    /// that hangs.
    pub async fn settled_within(&self, grace: Duration) {
        for slot in self.slots.values().flatten() {
            let mut state = slot.hold.0.watch();
            let until = state.borrow().since + grace;
            let _ = timeout_at(until, state.wait_for(State::is_settled)).await;
        }
    }

    /// Returns the tools that are known now; those of a server that died are among them, since a call starts it again.
    pub fn tools(&self) -> Tools {
        Tools::new(self.slots.iter().flat_map(|(name, slot)| {
            let name: Arc<str> = name.as_str().into();
            let listed = slot.iter().flat_map(|Slot { hold, filter, .. }| {
                let tools = hold.0.state().tools;
                let lets = |tool: &&Arc<Value>| tool["name"].as_str().is_some_and(|name| filter.lets(name));
                tools.iter().filter(lets).cloned().collect::<Vec<_>>()
            });
            listed.map(move |tool| (Arc::clone(&name), tool))
        }))
    }

    /// Returns how the servers are, by name.
    pub fn servers(&self) -> Vec<ServerState> {
        let state = |(name, slot): (&String, &Result<Slot, Arc<str>>)| {
            let (status, info) = match slot {
                Ok(slot) => {
                    let state = slot.hold.0.state();
                    (state.status(), state.info)
                }
                Err(error) => (Status::Failed { error: Arc::clone(error) }, None),
            };
            ServerState { name: name.clone(), status, info }
        };
        self.slots.iter().map(state).collect()
    }

    /// Calls a tool. That the tool failed is an answer too; an error is that there is none.
    pub async fn call(&self, call: Call<'_>, cancel: &CancellationToken) -> Result<CallResult, McpError> {
        let Call { server, tool, arguments, meta, progress } = call;
        if !self.slot(server)?.filter.lets(tool) {
            return Err(McpError::Disabled { server: server.to_owned(), tool: tool.to_owned() });
        }
        let mut params = json!({ "name": tool });
        if let Some(arguments) = arguments {
            params["arguments"] = arguments.into();
        }
        let answer =
            self.ask(server, Request { method: "tools/call", params, meta, progress }, cancel).await?;
        Ok(CallResult::of_answer(answer))
    }

    /// Asks a server, in the time that its entry gives.
    pub(crate) async fn ask(
        &self,
        server: &str,
        request: Request,
        cancel: &CancellationToken,
    ) -> Result<Value, McpError> {
        let slot = self.slot(server)?;
        let server = &*slot.hold.0;
        let late = || McpError::TimedOut { server: server.name().to_owned(), after: slot.timeout };
        let opening = async {
            let peer = server.ready().await?;
            let open = timeout(slot.timeout, server.calls.open(self.id, &self.observer)).await;
            Ok((peer, open.map_err(|_| late())?))
        };
        let (peer, open) = tokio::select! {
            opened = opening => opened?,
            () = cancel.cancelled() => return Err(McpError::Cancelled),
        };
        let end = async {
            tokio::select! {
                () = cancel.cancelled() => McpError::Cancelled,
                () = open.out_of_time(slot.timeout) => late(),
            }
        };
        let answer = server.request(&peer, request, end).await;
        if matches!(answer, Ok(_) | Err(McpError::Refused { .. })) {
            server.answered();
        }
        answer
    }

    /// Returns the names of the servers that say that they have resources.
    pub(crate) fn with_resources(&self) -> impl Iterator<Item = &str> {
        let has_some = |slot: &Slot| {
            let info = slot.hold.0.state().info;
            info.is_some_and(|info| info["capabilities"]["resources"].is_object())
        };
        self.slots
            .iter()
            .filter(move |(_, slot)| slot.as_ref().is_ok_and(has_some))
            .map(|(name, _)| name.as_str())
    }

    /// Tells the observer how the servers are, for as long as there is the lease.
    pub(crate) fn report(&self) -> impl Future<Output = ()> + Send + 'static {
        let report = |(name, slot): (&String, &Result<Slot, Arc<str>>)| {
            let report = Report {
                server: name.clone(),
                observer: Arc::clone(&self.observer),
                dropped: self.dropped.clone(),
            };
            match slot {
                Ok(slot) => Either::Left(report.follow(slot.hold.0.watch())),
                Err(error) => Either::Right(report.broken(Arc::clone(error))),
            }
        };
        let reports: Vec<_> = self.slots.iter().map(report).collect();
        async { drop(join_all(reports).await) }
    }

    fn slot(&self, server: &str) -> Result<&Slot, McpError> {
        let slot = self.slots.get(server).ok_or_else(|| McpError::UnknownServer(server.to_owned()))?;
        let not_running =
            |error: &Arc<str>| McpError::NotRunning { server: server.to_owned(), error: Arc::clone(error) };
        slot.as_ref().map_err(not_running)
    }
}
