//! The tools of one loaded thread: what it offers, and what lasts from one turn to the next.

mod servers;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use config::ShellEnvironment;
use mcp::Entries;
use serde_json::{Map, Value, json};
use servers::ThreadServers;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    approval::Allowed,
    exec::{self, Sessions},
    host::{GrantScope, Host, Permissions},
    tool::Tool,
    toolbox::{Key, TurnTools},
    tools::{
        ApplyPatch, ClientTool, ExecCommand, GoalTool, RequestPermissions, RequestUserInput, Shell,
        UpdatePlan, ViewImage, WriteStdin,
    },
    turn::TurnFacts,
    workshop::{Granted, Workshop},
};

/// How long the commands of a thread that is unloaded may take to end: the time after which they are killed, and a
/// second for that.
const LAST_COMMANDS: Duration = Duration::from_secs(3);

/// What a thread offers to its model.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The thread, as commands are told it.
    pub thread: String,
    /// The release that the server speaks like, as commands are told it.
    pub release: &'static str,
    /// The tools that the client carries out itself.
    pub client_tools: Vec<ClientTool>,
    /// How the provider may search the web.
    pub web_search: WebSearch,
    /// Whether the model may run commands.
    pub commands: bool,
    /// Whether the model may ask the person outside of plan mode.
    pub ask_in_every_mode: bool,
    /// Whether the model may ask for more than the sandbox allows.
    pub request_permissions: bool,
    /// Whether the thread can have a goal to work on.
    pub goals: bool,
    /// Which variables commands see.
    pub environment: ShellEnvironment,
    /// The MCP servers of the config; a broken entry is a server that failed.
    pub mcp_servers: Entries,
    /// How long the first request of a turn waits for MCP servers that are still starting.
    pub mcp_grace: Duration,
    /// What the client set over the config, for when that is read again.
    pub overrides: Map<String, Value>,
}

/// How the provider may search the web.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebSearch {
    /// Not at all.
    #[default]
    Off,
    /// In what it has stored.
    Stored,
    /// In the web as it is now.
    Live,
}

/// The tools of one loaded thread.
pub struct ThreadTools {
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) sessions: Sessions,
    pub(crate) tasks: TaskTracker,
    pub(crate) allowed: Mutex<Allowed>,
    pub(crate) patching: tokio::sync::Mutex<()>,
    grants: Mutex<Grants>,
    offer: Offer,
    servers: ThreadServers,
}

/// What the person granted beyond the sandbox.
#[derive(Default)]
struct Grants {
    session: Granted,
    of_turn: Granted,
    turn: String,
}

/// A command of a thread that runs on in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundCommand {
    /// The item that it belongs to.
    pub item: String,
    /// Its number.
    pub process: u32,
    /// Its argv, quoted for a shell.
    pub command: String,
    /// Where it runs.
    pub cwd: PathBuf,
    /// The system's number of it.
    pub pid: u32,
}

impl ThreadTools {
    /// Makes the tools of a thread; nothing is started.
    pub fn new(workshop: Arc<Workshop>, mut offer: Offer) -> Self {
        // A thread that is loaded again begins with other numbers than those that its history tells of.
        let first = 1000 + rand_below(9000);
        Self {
            sessions: Sessions::new(workshop.supervisor(), first),
            workshop,
            tasks: TaskTracker::new(),
            allowed: Mutex::default(),
            patching: tokio::sync::Mutex::default(),
            grants: Mutex::default(),
            servers: ThreadServers::new(std::mem::take(&mut offer.mcp_servers)),
            offer,
        }
    }

    /// Returns the tools of one turn; the model is offered none of them before they are [gathered](TurnTools::gather).
    pub fn turn(
        self: &Arc<Self>,
        turn: TurnFacts,
        host: Arc<dyn Host>,
        cancel: CancellationToken,
    ) -> TurnTools {
        TurnTools::new(Arc::clone(self), turn, host, cancel)
    }

    /// Waits for MCP servers that are still starting. One that is not there in time is there in a later turn.
    pub(crate) async fn servers_settled(&self) {
        if let Some(lease) = self.servers.lease() {
            lease.settled_within(self.offer.mcp_grace).await;
        }
    }

    /// Tells whether the model may be offered the tools of goals.
    pub fn offers_goals(&self) -> bool {
        self.offer.goals
    }

    /// Returns the commands that run in the background, the oldest first.
    pub fn background(&self) -> Vec<BackgroundCommand> {
        let of = |session: &exec::Session| BackgroundCommand {
            item: session.label().item.clone(),
            process: session.id(),
            command: session.label().command.clone(),
            cwd: session.cwd().to_owned(),
            pid: session.pid(),
        };
        self.sessions.list().iter().map(of).collect()
    }

    /// Ends one background command; tells whether there was one.
    pub async fn terminate(&self, process: u32) -> bool {
        match self.sessions.list().into_iter().find(|session| session.id() == process) {
            Some(session) => session.terminate().await,
            None => false,
        }
    }

    /// Ends all background commands.
    pub async fn terminate_all(&self) {
        self.sessions.terminate_all().await;
    }

    /// Has all commands killed at once, also those that were asked to end and take their time.
    pub fn kill_all(&self) {
        self.sessions.kill_all();
    }

    /// Ends all commands and waits until their items are complete, for a bounded time.
    pub async fn shut_down(&self) {
        self.servers.let_go();
        self.terminate_all().await;
        self.tasks.close();
        if tokio::time::timeout(LAST_COMMANDS, self.tasks.wait()).await.is_err() {
            tracing::warn!(thread = self.offer.thread, "some commands did not end in time");
        }
    }

    /// The tools that are carried out here or by the client, in the order in which they are offered.
    pub(crate) fn tools(&self, turn: &TurnFacts) -> Vec<(Key, Arc<dyn Tool>)> {
        let bare = |name: &str| (None, name.to_owned());
        let mut tools: Vec<(Key, Arc<dyn Tool>)> = Vec::new();
        if self.offer.commands {
            tools.push((bare("exec_command"), Arc::new(ExecCommand)));
            tools.push((bare("write_stdin"), Arc::new(WriteStdin)));
            tools.push((bare("shell"), Arc::new(Shell::Argv)));
            tools.push((bare("shell_command"), Arc::new(Shell::Line)));
            tools.push((bare("local_shell"), Arc::new(Shell::Local)));
        }
        tools.push((bare("apply_patch"), Arc::new(ApplyPatch(turn.forms))));
        tools.push((bare("update_plan"), Arc::new(UpdatePlan)));
        tools.push((bare("view_image"), Arc::new(ViewImage)));
        let ask = RequestUserInput { in_every_mode: self.offer.ask_in_every_mode };
        tools.push((bare("request_user_input"), Arc::new(ask)));
        if self.offer.request_permissions {
            tools.push((bare("request_permissions"), Arc::new(RequestPermissions)));
        }
        if turn.goals {
            tools.push((bare("get_goal"), Arc::new(GoalTool::Get)));
            tools.push((bare("create_goal"), Arc::new(GoalTool::Create)));
            tools.push((bare("update_goal"), Arc::new(GoalTool::Update)));
        }
        for tool in &self.offer.client_tools {
            tools.push(((tool.namespace.clone(), tool.name.clone()), Arc::new(tool.clone())));
        }
        tools.extend(self.mcp_tools());
        tools
    }

    /// The tools that the provider carries out itself.
    pub(crate) fn hosted(&self) -> Option<Value> {
        let live = match self.offer.web_search {
            WebSearch::Off => return None,
            WebSearch::Stored => false,
            WebSearch::Live => true,
        };
        Some(json!({ "type": "web_search", "external_web_access": live }))
    }

    /// The environment of a command.
    pub(crate) fn environment(&self, call: &str, network: exec::Network) -> BTreeMap<OsString, OsString> {
        let Offer { thread, release, environment, .. } = &self.offer;
        let whereabouts = exec::Whereabouts { thread_id: thread, call_id: call, release, network };
        exec::environment(self.workshop.env(), environment, whereabouts)
    }

    /// Keeps what the person granted.
    pub(crate) fn grant(&self, turn: &str, permissions: &Permissions, scope: GrantScope) {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = match scope {
            GrantScope::Session => &mut grants.session,
            GrantScope::Turn => {
                if grants.turn != turn {
                    (grants.turn, grants.of_turn) = (turn.to_owned(), Granted::default());
                }
                &mut grants.of_turn
            }
        };
        granted.write.extend(permissions.write.iter().flatten().cloned());
        granted.network |= permissions.network == Some(true);
    }

    /// Returns what the person granted for a turn.
    pub(crate) fn granted(&self, turn: &str) -> Granted {
        let grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        let mut granted = grants.session.clone();
        if grants.turn == turn {
            granted.write.extend(grants.of_turn.write.iter().cloned());
            granted.network |= grants.of_turn.network;
        }
        granted
    }
}

/// Any number below a bound; nothing depends on it being hard to guess.
fn rand_below(bound: u32) -> u32 {
    uuid::Uuid::new_v4().as_fields().0 % bound
}
