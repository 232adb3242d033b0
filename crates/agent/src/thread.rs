//! The handle of a loaded thread.

use std::sync::Arc;

use items::ResponseItem;
use rollout::ThreadId;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tools::{McpEntries, ThreadTools, Typed};

use crate::{
    AgentError,
    actor::{Op, Reply, Rollback, StartTurn, Started},
    input::Input,
    link::Link,
    review::ReviewTarget,
    settings::Overrides,
    shared::{Shared, Snapshot},
    turn::Task,
    words::Said,
};

/// A loaded thread; cheap to clone.
#[derive(Clone)]
pub struct Thread {
    shared: Arc<Shared>,
    ops: mpsc::Sender<Op>,
}

/// What a client wants of a turn.
#[derive(Clone, Debug, Default)]
pub struct TurnRequest {
    /// What it says.
    pub inputs: Vec<Input>,
    /// The id that the client gave what it says.
    pub client_id: Option<String>,
    /// What it changes for this turn and the ones behind it.
    pub overrides: Overrides,
    /// The JSON schema that the answer of this turn must fit.
    pub output_schema: Option<Value>,
}

/// Dropped when the client has its answer: until then nothing is told of what was begun.
#[must_use = "nothing is told of the turn while this lives"]
pub struct Answered(#[allow(dead_code, reason = "held for its drop")] oneshot::Sender<()>);

impl Thread {
    pub(crate) fn new(shared: Arc<Shared>, ops: mpsc::Sender<Op>) -> Self {
        Self { shared, ops }
    }

    /// Returns the thread's id.
    pub fn id(&self) -> ThreadId {
        self.shared.id
    }

    /// Returns the thread as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Changes what is known of a thread that has no rollout to read it from.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        self.shared.update(change);
    }

    /// Begins a turn, or adds to the running one.
    pub async fn start_turn(&self, request: TurnRequest) -> Result<(Started, Answered), AgentError> {
        let TurnRequest { inputs, client_id, overrides, output_schema } = request;
        self.begin(Task::Inputs { said: Said { inputs, client_id }, output_schema }, overrides).await
    }

    /// Begins a turn that compacts the history.
    pub async fn compact(&self) -> Result<(Started, Answered), AgentError> {
        self.begin(Task::Compact, Overrides::default()).await
    }

    /// Begins a turn that reviews a change.
    pub async fn review(&self, target: ReviewTarget) -> Result<(Started, Answered), AgentError> {
        self.begin(Task::Review(target), Overrides::default()).await
    }

    /// Runs a command of the person: as a turn of its own, or in the one that runs.
    pub async fn shell(&self, typed: Typed) -> Result<(Started, Answered), AgentError> {
        self.begin(Task::Shell(typed), Overrides::default()).await
    }

    /// Starts the MCP servers of the thread in the background, now that somebody listens.
    pub fn start_servers(&self) {
        self.shared.parts.tools.start_servers(Arc::new(Link(Arc::downgrade(&self.shared))));
    }

    /// Has other MCP servers from now on, started in the background.
    pub fn renew_servers(&self, entries: McpEntries) {
        self.shared.parts.tools.renew_servers(entries, Arc::new(Link(Arc::downgrade(&self.shared))));
    }

    /// Returns what the model can call, and the commands that run in the background.
    pub fn tools(&self) -> &Arc<ThreadTools> {
        &self.shared.parts.tools
    }

    /// Adds to the running turn, which must be `expected`; returns its id.
    pub async fn steer(
        &self,
        expected: String,
        inputs: Vec<Input>,
        client_id: Option<String>,
    ) -> Result<String, AgentError> {
        let said = Said { inputs, client_id };
        self.ask(|reply| Op::Steer { expected, said, reply }).await
    }

    /// Stops the running turn, which must be `turn`; its end follows as an event.
    pub async fn interrupt(&self, turn: String) -> Result<(), AgentError> {
        self.ask(|reply| Op::Interrupt { turn, reply }).await
    }

    /// Makes the rollout of a thread that has none yet; waits for the end of a running turn.
    pub async fn materialize(&self) -> Result<(), AgentError> {
        if self.snapshot().materialized {
            return Ok(());
        }
        self.ask(|reply| Op::Materialize { reply }).await
    }

    /// The same for a thread in which nobody has said anything: a list shows it by these words.
    pub async fn materialize_about(&self, words: &str) -> Result<(), AgentError> {
        if !self.snapshot().materialized {
            self.shared.store.amend(|meta| {
                meta.extra.entry("preview").or_insert_with(|| words.into());
            });
            self.update(|seen| {
                seen.thread.summary.preview.get_or_insert_with(|| words.to_owned());
            });
        }
        self.materialize().await
    }

    /// Adds items to what the model knows.
    pub async fn inject(&self, items: Vec<ResponseItem>) -> Result<(), AgentError> {
        self.ask(|reply| Op::Inject { items, reply }).await
    }

    /// Takes turns off the end of the history.
    pub async fn rollback(&self, turns: Rollback) -> Result<(), AgentError> {
        self.ask(|reply| Op::Rollback { turns, reply }).await
    }

    /// Begins a turn for the goal of the thread, behind the one that runs, where there is a goal that is active then.
    pub async fn pursue_goal(&self) {
        drop(self.ops.send(Op::Pursue).await);
    }

    /// Tells whether any client watches the thread; an unwatched one is unloaded when it was idle for long.
    pub async fn set_watched(&self, watched: bool) {
        drop(self.ops.send(Op::Watched(watched)).await);
    }

    /// Interrupts what runs and unloads the thread.
    pub async fn unload(&self) -> Result<(), AgentError> {
        self.ask(|reply| Op::Unload { reply }).await
    }

    async fn begin(&self, task: Task, overrides: Overrides) -> Result<(Started, Answered), AgentError> {
        let (told, answered) = oneshot::channel();
        let start = |reply| Op::StartTurn(Box::new(StartTurn { task, overrides, reply, answered }));
        let started = self.ask(start).await?;
        Ok((started, Answered(told)))
    }

    /// Asks the actor; an actor that is gone means a thread that is not loaded.
    async fn ask<T>(&self, op: impl FnOnce(Reply<T>) -> Op) -> Result<T, AgentError> {
        let (reply, answer) = oneshot::channel();
        let gone = || AgentError::NotLoaded(self.shared.id);
        self.ops.send(op(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
