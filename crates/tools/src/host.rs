//! The thread that a tool works for, as the tool sees it: whom to tell, where to store, whom to ask.
//!
//! Invariant: what a tool completes is stored before anybody is shown it; that is the host's part of the bargain.

use std::path::PathBuf;

use futures::future::BoxFuture;
use rollout::Event;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::goal::{Goal, GoalStep};

/// One turn of a thread, as a tool sees it. Outlives the turn where a command does.
pub trait Host: Send + Sync + 'static {
    /// Tells the clients; nothing of it is stored.
    fn tell(&self, news: News) -> BoxFuture<'_, ()>;

    /// Stores the record that completes an item, and shows it. A record that cannot be stored is not shown, and the
    /// turn ends for it.
    fn complete(&self, item: Event, began: Began) -> BoxFuture<'_, ()>;

    /// Shows that the turn waits for the person from now on, or one time less.
    fn waits(&self, on: WaitsOn, change: Change) -> BoxFuture<'_, ()>;

    /// Asks the person, or the client itself, and returns when the answer was handed over. Dropping the future takes
    /// the question back; a question whose reply is dropped counts as refused.
    fn ask(&self, question: Question) -> BoxFuture<'_, ()>;

    /// Takes a step with the goal of the thread, tells the clients where that changed it, and returns how it stands.
    /// What keeps the step from being taken is told to the model.
    fn goal(&self, step: GoalStep) -> BoxFuture<'_, Result<Option<Goal>, String>>;
}

/// What the person is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsOn {
    /// To allow something.
    Approval,
    /// To tell something.
    UserInput,
}

/// Whether a wait begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It begins.
    Begins,
    /// It ends.
    Ends,
}

/// Whether the clients heard of the beginning of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Began {
    /// They did, at this time in Unix milliseconds.
    At(i64),
    /// They are told of its beginning and its end at once.
    Unannounced,
}

/// What clients are told while a tool works.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "handed over one by one, never kept")]
pub enum News {
    /// An item begins: its record as far as it is known by now, and when, in Unix milliseconds.
    Began(Event, i64),
    /// A command printed something.
    Output {
        /// The item.
        item: String,
        /// What it printed.
        text: String,
    },
    /// Something was typed into a command.
    Typed {
        /// The item.
        item: String,
        /// The process.
        process: String,
        /// What was typed.
        text: String,
    },
    /// The plan is now this one.
    Plan {
        /// Why it changed.
        explanation: Option<String>,
        /// Its steps.
        steps: Vec<PlanStep>,
    },
    /// The files that the turn changed so far, as one diff.
    Diff(String),
    /// A tool of an MCP server says how far it is.
    Progress {
        /// The item.
        item: String,
        /// How far.
        message: String,
    },
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStep {
    /// What is to be done.
    pub step: String,
    /// How far it is.
    pub status: StepStatus,
}

/// How far a step of a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
}

/// Where an answer goes.
pub type Reply<T> = oneshot::Sender<T>;

/// What a client is asked.
#[derive(Debug)]
pub enum Question {
    /// Whether a command may run.
    Command(CommandQuestion, Reply<Decision>),
    /// Whether a patch may be applied; its changes are in the item.
    Patch(PatchQuestion, Reply<Decision>),
    /// Whether more may be touched than the sandbox allows.
    Permissions(PermissionsQuestion, Reply<Grant>),
    /// Something that the model wants to know of the person.
    UserInput(UserInputQuestion, Reply<Value>),
    /// A call of a tool that the client offers.
    Tool(ClientCall, Reply<ClientAnswer>),
    /// Something that an MCP server wants to know, or whether one of its tools may run.
    Elicitation(ElicitationQuestion, Reply<Elicited>),
}

/// Whether a command may run.
#[derive(Clone, Debug)]
pub struct CommandQuestion {
    /// The item.
    pub item: String,
    /// Why the model wants it.
    pub reason: Option<String>,
    /// The argv, quoted for a shell.
    pub command: String,
    /// The working folder.
    pub cwd: PathBuf,
    /// What the command does, as rollouts keep it.
    pub actions: Vec<Value>,
    /// The rule that the person may make of the answer.
    pub amendment: Option<Vec<String>>,
}

/// Whether a patch may be applied.
#[derive(Clone, Debug)]
pub struct PatchQuestion {
    /// The item.
    pub item: String,
    /// Why it is asked for.
    pub reason: Option<String>,
}

/// What the person decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, this once.
    Accept,
    /// Yes, and the same again in this thread without asking.
    AcceptForSession,
    /// Yes, and by this rule from now on.
    AcceptWithRule(Vec<String>),
    /// No; the turn goes on.
    Decline,
    /// No, and the turn ends.
    Cancel,
    /// No answer that can be understood; the same as no.
    Unusable,
}

/// What beyond the sandbox is asked for, or granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Folders to read; `None` where nothing is said of it.
    pub read: Option<Vec<PathBuf>>,
    /// Folders to write.
    pub write: Option<Vec<PathBuf>>,
    /// Whether the network may be used.
    pub network: Option<bool>,
}

/// Whether more may be touched than the sandbox allows.
#[derive(Clone, Debug)]
pub struct PermissionsQuestion {
    /// The item.
    pub item: String,
    /// Why the model wants it.
    pub reason: Option<String>,
    /// The working folder.
    pub cwd: PathBuf,
    /// What it wants.
    pub wanted: Permissions,
}

/// What was granted, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// What was granted.
    pub permissions: Permissions,
    /// For how long.
    pub scope: GrantScope,
}

/// How long a grant holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GrantScope {
    /// To the end of the turn.
    #[default]
    Turn,
    /// As long as the thread is loaded.
    Session,
}

/// Something that the model wants to know of the person.
#[derive(Clone, Debug)]
pub struct UserInputQuestion {
    /// The item.
    pub item: String,
    /// The questions, in the model's words.
    pub questions: Vec<Map<String, Value>>,
}

/// A call of a tool that the client offers.
#[derive(Clone, Debug)]
pub struct ClientCall {
    /// The id of the call, and of its item.
    pub call: String,
    /// The namespace of the tool, where it has one.
    pub namespace: Option<String>,
    /// The tool.
    pub tool: String,
    /// What the model passes.
    pub arguments: Value,
}

/// What the client's tool answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientAnswer {
    /// Its parts, in the words of the wire.
    pub parts: Vec<Value>,
    /// Whether it did what was asked.
    pub success: bool,
}

/// Something that an MCP server wants to know.
#[derive(Clone, Debug)]
pub struct ElicitationQuestion {
    /// The server.
    pub server: String,
    /// What it asks.
    pub message: String,
    /// The form of the answer.
    pub schema: Value,
    /// What goes along.
    pub meta: Option<Value>,
}

/// The answer to what an MCP server wanted to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Elicited {
    /// Yes, with what was asked for.
    Accept {
        /// What was asked for.
        content: Option<Value>,
        /// What the client adds.
        meta: Option<Value>,
    },
    /// No.
    Decline,
    /// No answer.
    Cancel,
}
