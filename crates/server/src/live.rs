//! What happens in loaded threads, told to the clients that want to know.
//!
//! Stored records are shown by the one projection (crate `history`), so that a thread reads back as it ran.

mod put;
mod questions;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use agent::{Delta, Event, Observer, Opened, OpenedKind, Outcome, Stored, TurnEnded, TurnStarted, Why};
use futures::{FutureExt, future::BoxFuture};
use jsonrpc::{Pending, RequestId};
use protocol::{
    AgentMessageDeltaNotification, CommandExecutionOutputDeltaNotification, ErrorNotification,
    ItemCompletedNotification, ItemStartedNotification, McpToolCallProgressNotification, ModelRerouteReason,
    ModelReroutedNotification, PlanDeltaNotification, ReasoningSummaryPartAddedNotification,
    ReasoningSummaryTextDeltaNotification, ReasoningTextDeltaNotification, ServerNotification as Note,
    TerminalInteractionNotification, ThreadClosedNotification, ThreadItem, ThreadStatus,
    ThreadStatusChangedNotification, ThreadTokenUsageUpdatedNotification, Turn, TurnCompletedNotification,
    TurnDiffUpdatedNotification, TurnItemsView, TurnPlanStep, TurnPlanStepStatus,
    TurnPlanUpdatedNotification, TurnStartedNotification, TurnStatus,
};
use threads::ThreadId;
use tools::{News, PlanStep, StepStatus};

use self::questions::Question;
use crate::{connection::Connection, wire};

/// The connected clients, what they listen to, and what they are asked.
#[derive(Default)]
pub(crate) struct Live {
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    connected: BTreeMap<u64, Weak<Connection>>,
    listening: HashMap<ThreadId, BTreeSet<u64>>,
    questions: Pending<Question>,
}

impl Live {
    /// Takes in a client that introduced itself.
    pub(crate) fn connect(&self, connection: &Arc<Connection>) {
        self.lock().connected.insert(connection.id, Arc::downgrade(connection));
    }

    /// Has a client listen to a thread, and returns what was asked before: [`Self::ask_again`] asks this client, too.
    pub(crate) fn subscribe(&self, id: ThreadId, connection: &Connection) -> Vec<RequestId> {
        let mut clients = self.lock();
        clients.listening.entry(id).or_default().insert(connection.id);
        clients.questions_of(id)
    }

    /// Has a client listen no more; tells whether it did.
    pub(crate) fn unsubscribe(&self, id: ThreadId, connection: &Connection) -> bool {
        self.lock().listening.get_mut(&id).is_some_and(|listening| listening.remove(&connection.id))
    }

    /// Tells whether any client listens to a thread.
    pub(crate) fn is_watched(&self, id: ThreadId) -> bool {
        self.lock().listening.get(&id).is_some_and(|listening| !listening.is_empty())
    }

    /// Tells every client.
    pub(crate) async fn tell_all(&self, note: &Note) {
        let all: Vec<_> = self.lock().connected.values().filter_map(Weak::upgrade).collect();
        tell(all, note).await;
    }

    /// Tells the clients that listen to a thread.
    async fn tell_listening(&self, id: ThreadId, note: &Note) {
        tell(self.listening(id), note).await;
    }

    fn listening(&self, id: ThreadId) -> Vec<Arc<Connection>> {
        let clients = self.lock();
        clients.listening.get(&id).map(|ids| clients.connections(ids).collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn show(&self, id: ThreadId, event: Event) {
        match event {
            Event::Status(status) => self.status(id, wire::status(&status)).await,
            Event::Goal { turn, goal } => self.tell_all(&wire::goal_updated(id, Some(turn), goal)).await,
            Event::Unloaded(why) => {
                if why != Why::Shutdown {
                    self.status(id, ThreadStatus::NotLoaded).await;
                }
                if why == Why::Idle {
                    let closed = ThreadClosedNotification { thread_id: id.to_string() };
                    self.tell_all(&Note::ThreadClosed(closed)).await;
                }
                let mut clients = self.lock();
                clients.withdraw_all(id);
                clients.listening.remove(&id);
            }
            event => {
                for note in notes(&id.to_string(), event) {
                    self.tell_listening(id, &note).await;
                }
            }
        }
    }

    async fn status(&self, id: ThreadId, status: ThreadStatus) {
        let changed = ThreadStatusChangedNotification { thread_id: id.to_string(), status };
        self.tell_all(&Note::ThreadStatusChanged(changed)).await;
    }
}

impl Clients {
    /// Returns those of the connections that are still there.
    fn connections(&self, ids: &BTreeSet<u64>) -> impl Iterator<Item = Arc<Connection>> {
        ids.iter().filter_map(|id| self.connected.get(id)?.upgrade())
    }
}

impl Observer for Live {
    fn observe(&self, thread: ThreadId, event: Event) -> BoxFuture<'_, ()> {
        self.show(thread, event).boxed()
    }

    fn ask(&self, thread: ThreadId, turn: String, question: tools::Question) -> BoxFuture<'_, ()> {
        self.put(thread, turn, question).boxed()
    }
}

async fn tell(connections: Vec<Arc<Connection>>, note: &Note) {
    for connection in connections {
        connection.notify(note).await;
    }
}

/// Returns what those who listen to the thread are told of an event.
fn notes(thread: &str, event: Event) -> Vec<Note> {
    let thread_id = thread.to_owned();
    match event {
        Event::TurnStarted(TurnStarted { id, started_at }) => {
            let turn = Turn { started_at: Some(started_at), ..turn(id, TurnStatus::InProgress) };
            vec![Note::TurnStarted(TurnStartedNotification { thread_id, turn })]
        }
        Event::Opened(Opened { turn, item, kind, at_ms }) => {
            let item = opened(item, kind);
            vec![Note::ItemStarted(ItemStartedNotification {
                thread_id,
                turn_id: turn,
                item,
                started_at_ms: at_ms,
            })]
        }
        Event::Delta { turn, item, delta } => vec![piece(thread_id, turn, item, delta)],
        Event::Stored(stored) => completed(thread_id, stored),
        Event::McpStatus { server, status } => {
            vec![Note::McpServerStatusUpdated(wire::mcp_status(thread_id, server, &status))]
        }
        Event::News { turn, news } => news_notes(thread_id, turn, news),
        Event::Usage { turn, usage } => {
            vec![Note::ThreadTokenUsageUpdated(ThreadTokenUsageUpdatedNotification {
                thread_id,
                turn_id: turn,
                token_usage: wire::token_usage(&usage),
            })]
        }
        Event::RateLimits(limits) => vec![Note::AccountRateLimitsUpdated(wire::rate_limits(&limits))],
        Event::Rerouted { turn, from, to } => vec![Note::ModelRerouted(ModelReroutedNotification {
            thread_id,
            turn_id: turn,
            from_model: from,
            to_model: to,
            reason: ModelRerouteReason::HighRiskCyberActivity,
        })],
        Event::Trouble { turn, failure, will_retry } => history::error_of(&failure)
            .map(|error| Note::Error(ErrorNotification { thread_id, turn_id: turn, error, will_retry }))
            .into_iter()
            .collect(),
        Event::TurnEnded(ended) => vec![Note::TurnCompleted(end(thread_id, ended))],
        Event::Status(_) | Event::Goal { .. } | Event::Unloaded(_) => Vec::new(),
    }
}

/// What a tool tells while it works.
fn news_notes(thread_id: String, turn_id: String, news: News) -> Vec<Note> {
    let note = match news {
        News::Began(record, started_at_ms) => {
            let began = |item| {
                let (thread_id, turn_id) = (thread_id.clone(), turn_id.clone());
                Note::ItemStarted(ItemStartedNotification { thread_id, turn_id, item, started_at_ms })
            };
            return history::items_of(&[record]).into_iter().map(began).collect();
        }
        News::Output { item: item_id, text: delta } => {
            let delta = CommandExecutionOutputDeltaNotification { thread_id, turn_id, item_id, delta };
            Note::CommandExecutionOutputDelta(delta)
        }
        News::Typed { item: item_id, process: process_id, text: stdin } => {
            let typed = TerminalInteractionNotification { thread_id, turn_id, item_id, process_id, stdin };
            Note::TerminalInteraction(typed)
        }
        News::Plan { explanation, steps } => {
            let plan = steps.into_iter().map(step).collect();
            Note::TurnPlanUpdated(TurnPlanUpdatedNotification { thread_id, turn_id, explanation, plan })
        }
        News::Diff(diff) => Note::TurnDiffUpdated(TurnDiffUpdatedNotification { thread_id, turn_id, diff }),
        News::Progress { item: item_id, message } => {
            let progress = McpToolCallProgressNotification { thread_id, turn_id, item_id, message };
            Note::McpToolCallProgress(progress)
        }
    };
    vec![note]
}

fn step(step: PlanStep) -> TurnPlanStep {
    let PlanStep { step, status } = step;
    let status = match status {
        StepStatus::Pending => TurnPlanStepStatus::Pending,
        StepStatus::InProgress => TurnPlanStepStatus::InProgress,
        StepStatus::Completed => TurnPlanStepStatus::Completed,
    };
    TurnPlanStep { step, status }
}

fn opened(id: String, kind: OpenedKind) -> ThreadItem {
    match kind {
        OpenedKind::AgentMessage { phase } => {
            let phase = phase.and_then(|word| serde_json::from_value(word.into()).ok());
            ThreadItem::AgentMessage { id, text: String::new(), phase, memory_citation: None }
        }
        OpenedKind::Reasoning => ThreadItem::Reasoning { id, summary: Vec::new(), content: Vec::new() },
        OpenedKind::Plan => ThreadItem::Plan { id, text: String::new() },
        OpenedKind::Compaction => ThreadItem::ContextCompaction { id },
    }
}

fn piece(thread_id: String, turn_id: String, item_id: String, delta: Delta) -> Note {
    match delta {
        Delta::Plan(delta) => Note::PlanDelta(PlanDeltaNotification { thread_id, turn_id, item_id, delta }),
        Delta::Text(delta) => {
            Note::AgentMessageDelta(AgentMessageDeltaNotification { thread_id, turn_id, item_id, delta })
        }
        Delta::SummaryPart(summary_index) => {
            Note::ReasoningSummaryPartAdded(ReasoningSummaryPartAddedNotification {
                thread_id,
                turn_id,
                item_id,
                summary_index,
            })
        }
        Delta::Summary(summary_index, delta) => {
            Note::ReasoningSummaryTextDelta(ReasoningSummaryTextDeltaNotification {
                thread_id,
                turn_id,
                item_id,
                delta,
                summary_index,
            })
        }
        Delta::Reasoning(content_index, delta) => Note::ReasoningTextDelta(ReasoningTextDeltaNotification {
            thread_id,
            turn_id,
            item_id,
            delta,
            content_index,
        }),
    }
}

/// An item that stored records complete: begun, where it was not announced before, and completed.
fn completed(thread_id: String, stored: Stored) -> Vec<Note> {
    let Stored { turn, events, opened, span_ms: (started_at_ms, completed_at_ms) } = stored;
    let mut notes = Vec::new();
    for item in history::items_of(&events) {
        if !opened {
            notes.push(Note::ItemStarted(ItemStartedNotification {
                thread_id: thread_id.clone(),
                turn_id: turn.clone(),
                item: item.clone(),
                started_at_ms,
            }));
        }
        notes.push(Note::ItemCompleted(ItemCompletedNotification {
            thread_id: thread_id.clone(),
            turn_id: turn.clone(),
            item,
            completed_at_ms,
        }));
    }
    notes
}

fn end(thread_id: String, ended: TurnEnded) -> TurnCompletedNotification {
    let TurnEnded { id, outcome, started_at, completed_at, duration_ms, last_message } = ended;
    let (status, error) = match outcome {
        Outcome::Completed => (TurnStatus::Completed, None),
        Outcome::Interrupted => (TurnStatus::Interrupted, None),
        Outcome::Failed(failure) => (TurnStatus::Failed, history::error_of(&failure)),
    };
    let items = last_message.map(|message| history::items_of(&[message])).unwrap_or_default();
    let items_view = match items.is_empty() {
        true => TurnItemsView::NotLoaded,
        false => TurnItemsView::Summary,
    };
    let turn = Turn {
        items,
        items_view,
        error,
        started_at: Some(started_at),
        completed_at: Some(completed_at),
        duration_ms: Some(duration_ms),
        ..turn(id, status)
    };
    TurnCompletedNotification { thread_id, turn }
}

/// A turn of which no more is known.
pub(crate) fn turn(id: String, status: TurnStatus) -> Turn {
    Turn {
        root_turn_id: Some(id.clone()),
        id,
        items: Vec::new(),
        items_view: TurnItemsView::NotLoaded,
        status,
        error: None,
        started_at: None,
        completed_at: None,
        duration_ms: None,
    }
}
