//! The actor of one thread: takes requests one after the other, and has at most one turn running.
//!
//! A turn runs as a task of its own that holds the [`Session`] and gives it back at its end; what a request needs
//! while it runs (its id, its cancellation, its queue of steered inputs) is in [`Running`].

use std::{collections::VecDeque, sync::Arc, time::Duration};

use items::{ResponseItem, Role};
use rollout::Record;
use threads::GoalStatus;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tools::{Typed, UserShell};
use uuid::Uuid;

use crate::{
    AgentError, Closed,
    event::{Event, Why},
    goal,
    host::TurnHost,
    session::{self, Session},
    settings::Overrides,
    shared::Shared,
    steering::Steering,
    turn::{self, Task},
    words::{Said, Words},
};

/// How many requests wait for a thread's actor; whoever sends one more waits.
pub(crate) const QUEUE: usize = 64;

/// What a thread can be asked for.
pub(crate) enum Op {
    StartTurn(Box<StartTurn>),
    Steer { expected: String, said: Said, reply: Reply<String> },
    Interrupt { turn: String, reply: Reply<()> },
    Materialize { reply: Reply<()> },
    Inject { items: Vec<ResponseItem>, reply: Reply<()> },
    Rollback { turns: Rollback, reply: Reply<()> },
    Watched(bool),
    Pursue,
    Unload { reply: Reply<()> },
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, AgentError>>;

/// A request for a turn.
pub(crate) struct StartTurn {
    pub(crate) task: Task,
    pub(crate) overrides: Overrides,
    pub(crate) reply: Reply<Started>,
    /// Resolves when the client has its answer, or never will: nothing is told of the turn before.
    pub(crate) answered: oneshot::Receiver<()>,
}

/// The answer to a request for a turn.
#[derive(Clone, Debug)]
pub struct Started {
    /// The turn that runs: a new one, or the running one that took the input in.
    pub turn: String,
}

/// How much of the history goes.
#[derive(Clone, Debug)]
pub enum Rollback {
    /// So many turns from the end.
    Turns(u32),
    /// This turn and those behind it; a running turn is interrupted first.
    From(String),
}

struct Running {
    id: String,
    cancel: CancellationToken,
    steering: Arc<Steering>,
    /// What it is, where words cannot join it.
    closed: Option<Closed>,
    host: Arc<TurnHost>,
    task: JoinHandle<Ended>,
}

/// What a turn gives back, and whether the goal of the thread is worked on next.
type Ended = (Session, bool);

pub(crate) struct Actor {
    shared: Arc<Shared>,
    ops: mpsc::Receiver<Op>,
    /// `None` while a turn holds it.
    session: Option<Session>,
    running: Option<Running>,
    /// What cannot be done while a turn runs.
    deferred: VecDeque<Op>,
    /// The turn that was interrupted last: to ask for that again is no mistake.
    interrupted: Option<String>,
    watched: bool,
    idle_since: Instant,
    idle_unload: Duration,
    stop: CancellationToken,
}

#[allow(clippy::large_enum_variant, reason = "one at a time, and taken apart at once")]
enum Next {
    Op(Op),
    TurnOver(Result<Ended, tokio::task::JoinError>),
    Unload(Why),
}

impl Actor {
    pub(crate) fn new(
        shared: Arc<Shared>,
        ops: mpsc::Receiver<Op>,
        session: Session,
        idle_unload: Duration,
        stop: CancellationToken,
    ) -> Self {
        Self {
            shared,
            ops,
            session: Some(session),
            running: None,
            deferred: VecDeque::new(),
            interrupted: None,
            watched: true,
            idle_since: Instant::now(),
            idle_unload,
            stop,
        }
    }

    /// Runs until the thread is unloaded; then the thread is gone from the registry, and its watcher knows.
    pub(crate) async fn run(mut self) {
        let (why, asked) = loop {
            match self.next().await {
                Next::Op(Op::Unload { reply }) => break (Why::Asked, Some(reply)),
                Next::Op(op) => self.take(op).await,
                Next::TurnOver(ended) => self.turn_over(ended).await,
                Next::Unload(why) => break (why, None),
            }
        };
        self.end_turn().await;
        self.shared.parts.tools.shut_down().await;
        self.shared.forget();
        self.shared.tell(Event::Unloaded(why)).await;
        if let Some(reply) = asked {
            drop(reply.send(Ok(())));
        }
    }

    async fn next(&mut self) -> Next {
        if self.running.is_none()
            && !self.stop.is_cancelled()
            && let Some(op) = self.deferred.pop_front()
        {
            return Next::Op(op);
        }
        let unload_at = self.idle_since + self.idle_unload;
        let idle = !self.watched && self.running.is_none();
        tokio::select! {
            biased;
            ended = async { (&mut self.running.as_mut().expect("guarded").task).await }, if self.running.is_some() => {
                Next::TurnOver(ended)
            }
            () = self.stop.cancelled() => Next::Unload(Why::Shutdown),
            op = self.ops.recv() => op.map_or(Next::Unload(Why::Shutdown), Next::Op),
            () = tokio::time::sleep_until(unload_at), if idle => Next::Unload(Why::Idle),
        }
    }

    async fn take(&mut self, op: Op) {
        self.idle_since = Instant::now();
        // Who was told the end of a turn may ask for something before the turn's task is quite through.
        if self.running.is_some() && self.shared.snapshot().running.is_none() {
            self.settle().await;
        }
        match op {
            Op::StartTurn(start) => self.start_turn(*start).await,
            Op::Steer { expected, said, reply } => drop(reply.send(self.steer(&expected, said).await)),
            Op::Interrupt { turn, reply } => drop(reply.send(self.interrupt(&turn))),
            Op::Watched(watched) => self.watched = watched,
            Op::Pursue => self.pursue().await,
            Op::Rollback { turns: Rollback::Turns(_), reply } if self.running.is_some() => {
                drop(reply.send(Err(AgentError::TurnInProgress)));
            }
            Op::Rollback { turns, reply } => {
                self.end_turn().await;
                let done = match &mut self.session {
                    Some(session) => session.rollback(turns).await,
                    None => Err(AgentError::NotLoaded(self.shared.id)),
                };
                drop(reply.send(done));
            }
            Op::Inject { items, reply } if self.running.is_some() => {
                drop(reply.send(self.inject_beside(items)))
            }
            op => match &mut self.session {
                None => self.deferred.push_back(op),
                Some(session) => match op {
                    Op::Materialize { reply } => drop(reply.send(session.materialize_with_git().await)),
                    Op::Inject { items, reply } => drop(reply.send(session.inject(items).await)),
                    _ => {}
                },
            },
        }
    }

    /// Starts a turn, or lets the running one take the input in; what was said before is not said again.
    async fn start_turn(&mut self, start: StartTurn) {
        let StartTurn { task, overrides, reply, answered } = start;
        if let Some(turn) = self.heard_in(task.client_id()).await {
            return drop(reply.send(Ok(Started { turn })));
        }
        if let Some(running) = &self.running {
            let refused = match task {
                // What is said to a turn that was interrupted is not for it to hear any more.
                Task::Inputs { said, output_schema } if running.cancel.is_cancelled() => {
                    Task::Inputs { said, output_schema }
                }
                Task::Inputs { said, output_schema } => match self.join(running, &said) {
                    Ok(true) => return drop(reply.send(Ok(Started { turn: running.id.clone() }))),
                    Ok(false) => Task::Inputs { said, output_schema },
                    Err(error) => return drop(reply.send(Err(error))),
                },
                Task::Shell(typed) => {
                    self.shell_beside(running, typed);
                    return drop(reply.send(Ok(Started { turn: running.id.clone() })));
                }
                task @ (Task::Compact | Task::Review(_) | Task::Goal(_)) => task,
            };
            // It takes nothing more in, since it is about to end: the next one is this.
            let start = StartTurn { task: refused, overrides, reply, answered };
            return self.deferred.push_back(Op::StartTurn(Box::new(start)));
        }
        let Some(mut session) = self.session.take() else { return };
        match session.begin(overrides) {
            Err(error) => {
                self.session = Some(session);
                drop(reply.send(Err(error)));
            }
            Ok(id) => {
                let cancel = CancellationToken::new();
                let steering = Arc::new(Steering::of(&task));
                let host = Arc::new(TurnHost::new(Arc::clone(&self.shared), id.clone()));
                self.shared.set_host(&host);
                self.shared.set_running(Some(id.clone()));
                let closed = task.closed();
                let turn = turn::Turn {
                    id: id.clone(),
                    task,
                    cancel: cancel.clone(),
                    steering: Arc::clone(&steering),
                    host: Arc::clone(&host),
                };
                let task = tokio::spawn(async move {
                    let begun = session.take_in(&turn).await;
                    drop(reply.send(Ok(Started { turn: turn.id.clone() })));
                    drop(answered.await);
                    let goes_on = session.run(turn, begun).await;
                    (session, goes_on)
                });
                self.running = Some(Running { id, cancel, steering, closed, host, task });
                self.answer_repeats();
            }
        }
    }

    /// Has a turn begin for the goal behind what waits by now; one is enough, however often it is asked for.
    fn pursue_later(&mut self) {
        self.deferred.retain(|op| !matches!(op, Op::Pursue));
        self.deferred.push_back(Op::Pursue);
    }

    /// Returns the turn in which what has this id was heard, or is about to be.
    async fn heard_in(&self, client_id: Option<&str>) -> Option<String> {
        let client_id = client_id?;
        match self.running.as_ref().filter(|running| running.steering.holds(client_id)) {
            Some(running) => Some(running.id.clone()),
            None => self.shared.heard_in(client_id).await,
        }
    }

    /// Answers those who wait to say what the turn that has just begun is about.
    fn answer_repeats(&mut self) {
        let Some(Running { id, steering, .. }) = &self.running else { return };
        for op in std::mem::take(&mut self.deferred) {
            match op {
                Op::StartTurn(start)
                    if start.task.client_id().is_some_and(|client_id| steering.holds(client_id)) =>
                {
                    drop(start.reply.send(Ok(Started { turn: id.clone() })));
                }
                op => self.deferred.push_back(op),
            }
        }
    }

    /// Begins a turn for the goal of the thread, if it has one that is active by the time that no other turn runs.
    async fn pursue(&mut self) {
        if self.running.is_some() {
            return self.pursue_later();
        }
        if !goal::is_worked_on(&self.shared, &self.shared.snapshot().settings) {
            return;
        }
        let id = self.shared.id;
        let goal = match self.shared.manager.goal(id).await {
            Ok(Some(goal)) if goal.status == GoalStatus::Active => goal,
            Ok(_) => return,
            Err(error) => return tracing::warn!(thread = %id, %error, "the goal cannot be read"),
        };
        // Nobody waits for an answer, and there is none that the turn is to come behind.
        let ((reply, mut begun), (_, answered)) = (oneshot::channel(), oneshot::channel());
        let (task, overrides) = (Task::Goal(goal), Overrides::default());
        self.start_turn(StartTurn { task, overrides, reply, answered }).await;
        if let Ok(Err(error)) = begun.try_recv() {
            tracing::warn!(thread = %id, %error, "no turn begins for the goal");
        }
    }

    async fn steer(&self, expected: &str, said: Said) -> Result<String, AgentError> {
        if let Some(turn) = self.heard_in(said.client_id.as_deref()).await {
            return Ok(turn);
        }
        let running = self.running.as_ref().filter(|running| !running.cancel.is_cancelled());
        let running = running.ok_or(AgentError::NoTurnToSteer)?;
        if running.id != expected {
            return Err(AgentError::OtherTurn { expected: expected.to_owned(), found: running.id.clone() });
        }
        if let Some(closed) = running.closed {
            return Err(AgentError::NotSteerable(closed));
        }
        match self.join(running, &said)? {
            true => Ok(running.id.clone()),
            false => Err(AgentError::NoTurnToSteer),
        }
    }

    /// Hands what was said to the running turn; tells whether it takes any more.
    fn join(&self, running: &Running, said: &Said) -> Result<bool, AgentError> {
        let put_down = |words: &Words| words.put_down(&self.shared, None);
        running.steering.push(said.to(&running.id), put_down)
    }

    /// Stores items while a turn holds the session; the turn takes them up between two requests.
    fn inject_beside(&self, items: Vec<ResponseItem>) -> Result<(), AgentError> {
        let Some(running) = &self.running else { return Err(AgentError::NotLoaded(self.shared.id)) };
        put_beside(&self.shared, &running.steering, items)
    }

    /// Runs a command of the person beside a running turn, which hears of it between two requests.
    fn shell_beside(&self, running: &Running, typed: Typed) {
        let (shared, steering) = (Arc::clone(&self.shared), Arc::clone(&running.steering));
        let (host, cancel, id) = (Arc::clone(&running.host), running.cancel.clone(), running.id.clone());
        self.shared.registry.spawn(async move {
            let settings = shared.snapshot().settings;
            let tools = session::tools(&shared, &settings, &id, &host, &cancel);
            let item = Uuid::now_v7().to_string();
            let told = tools.user_shell(UserShell { typed: &typed, item, cwd: &settings.cwd }).await;
            let items = vec![ResponseItem::message(Role::User, told)];
            if let Err(error) = put_beside(&shared, &steering, items) {
                tracing::error!(thread = %shared.id, %error, "a command could not be stored");
            }
        });
    }

    /// Stops the running turn, and the work on a goal with it, until somebody asks for that again.
    ///
    /// Who has not learned the id of the turn yet names none.
    fn interrupt(&mut self, turn: &str) -> Result<(), AgentError> {
        let Some(running) = &self.running else {
            let is_again = self.interrupted.as_deref() == Some(turn);
            return if is_again { Ok(()) } else { Err(AgentError::NoTurnToInterrupt) };
        };
        if !turn.is_empty() && running.id != turn {
            return Err(AgentError::OtherTurn { expected: turn.to_owned(), found: running.id.clone() });
        }
        running.cancel.cancel();
        self.interrupted = Some(running.id.clone());
        self.deferred.retain(|op| !matches!(op, Op::Pursue));
        Ok(())
    }

    /// Interrupts a running turn and waits until it is closed on disk.
    async fn end_turn(&mut self) {
        if let Some(running) = &self.running {
            running.cancel.cancel();
        }
        self.settle().await;
    }

    /// Waits until the running turn is closed on disk.
    async fn settle(&mut self) {
        if let Some(running) = &mut self.running {
            let ended = (&mut running.task).await;
            self.turn_over(ended).await;
        }
    }

    /// Takes the session back; one that a panic took along is loaded again from the rollout.
    async fn turn_over(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        self.idle_since = Instant::now();
        let running = self.running.take();
        match ended {
            Ok((session, goes_on)) => {
                self.session = Some(session);
                if goes_on {
                    self.pursue_later();
                }
            }
            Err(error) => {
                tracing::error!(thread = %self.shared.id, %error, "a turn was lost to a panic");
                let turn = running.map(|running| running.id).unwrap_or_default();
                self.session = Some(Session::after_panic(Arc::clone(&self.shared), &turn).await);
            }
        }
    }
}

/// Stores items beside a turn, which takes them up between two requests.
fn put_beside(shared: &Shared, steering: &Steering, items: Vec<ResponseItem>) -> Result<(), AgentError> {
    let records: Vec<_> = items.iter().cloned().map(Record::ResponseItem).collect();
    shared.store.append(&records)?;
    steering.inject(items);
    Ok(())
}
