//! One response of the model, from the first event of its stream to the last.

use futures::StreamExt;
use items::{ResponseItem, Role};
use model::{ModelError, Request, StreamEvent, TokenUsage};
use rollout::Event as StoredEvent;
use uuid::Uuid;

use crate::{
    AgentError,
    event::{Delta, Event, Opened, OpenedKind},
    records,
    session::Session,
    turn::{Progress, Stop},
};

/// How a response ended.
pub(crate) enum Heard {
    /// To its end.
    Completed(Option<TokenUsage>),
    /// Before its end.
    Broken(ModelError),
}

/// The item that deltas belong to.
struct Open {
    id: String,
    kind: OpenedKind,
    began_ms: i64,
    /// The words so far, which are kept when the turn is interrupted.
    text: String,
}

/// Hears a response: stores each item that is complete, then shows it; collects the calls.
pub(crate) async fn hear(
    session: &mut Session,
    progress: &mut Progress,
    request: Request,
    calls: &mut Vec<ResponseItem>,
) -> Result<Heard, Stop> {
    let asked = request.model.clone();
    let mut stream = session.model.stream(request);
    let mut open: Option<Open> = None;
    let cancel = progress.cancel.clone();
    loop {
        let event = tokio::select! {
            biased;
            () = cancel.cancelled() => {
                keep_partial(session, progress, open).await?;
                return Err(Stop::Interrupted);
            }
            event = stream.next() => event,
        };
        match event.unwrap_or_else(|| Err(unfinished())) {
            Err(error) => return Ok(Heard::Broken(error)),
            Ok(event) => match event {
                StreamEvent::Created => {}
                StreamEvent::ItemAdded(item) => open = begin(session, progress, &item).await,
                StreamEvent::ItemDone(item) => done(session, progress, item, &mut open, calls).await?,
                StreamEvent::TextDelta(text) => {
                    if let Some(open) = open.as_mut().filter(|open| open.kind != OpenedKind::Reasoning) {
                        open.text.push_str(&text);
                        piece(session, progress, open, Delta::Text(text)).await;
                    }
                }
                StreamEvent::SummaryPartAdded { index } => {
                    thought(session, progress, open.as_ref(), Delta::SummaryPart(index)).await;
                }
                StreamEvent::SummaryDelta { index, delta } => {
                    thought(session, progress, open.as_ref(), Delta::Summary(index, delta)).await;
                }
                StreamEvent::ReasoningDelta { index, delta } => {
                    thought(session, progress, open.as_ref(), Delta::Reasoning(index, delta)).await;
                }
                StreamEvent::RateLimits(limits) => session.shared.tell(Event::RateLimits(limits)).await,
                StreamEvent::TurnState(state) => progress.keep_state(state),
                StreamEvent::ServedBy(to) if to != asked => {
                    let rerouted = Event::Rerouted { turn: progress.id.clone(), from: asked.clone(), to };
                    session.shared.tell(rerouted).await;
                }
                StreamEvent::ServedBy(_) => {}
                StreamEvent::Completed { usage, .. } => return Ok(Heard::Completed(usage)),
            },
        }
    }
}

/// Hears a response of which only the words count; nothing of it is stored or shown.
pub(crate) async fn text_of(
    session: &Session,
    progress: &Progress,
    request: Request,
) -> Result<(Heard, String), Stop> {
    let mut stream = session.model.stream(request);
    let mut text = String::new();
    loop {
        let event = tokio::select! {
            biased;
            () = progress.cancel.cancelled() => return Err(Stop::Interrupted),
            event = stream.next() => event,
        };
        match event.unwrap_or_else(|| Err(unfinished())) {
            Err(error) => return Ok((Heard::Broken(error), text)),
            Ok(StreamEvent::ItemDone(item)) if item.role() == Some(Role::Assistant) => {
                text.push_str(&item.text())
            }
            Ok(StreamEvent::Completed { usage, .. }) => return Ok((Heard::Completed(usage), text)),
            Ok(_) => {}
        }
    }
}

fn unfinished() -> ModelError {
    ModelError::cut("the stream ended without a completed response")
}

/// Announces an item that the model begins.
async fn begin(session: &Session, progress: &Progress, item: &ResponseItem) -> Option<Open> {
    let kind = match item.kind() {
        "message" if item.role() == Some(Role::Assistant) => {
            OpenedKind::AgentMessage { phase: item.str("phase").map(str::to_owned) }
        }
        "reasoning" => OpenedKind::Reasoning,
        _ => return None,
    };
    let open =
        Open { id: id_of(item), kind, began_ms: records::now().timestamp_millis(), text: String::new() };
    let opened = Opened {
        turn: progress.id.clone(),
        item: open.id.clone(),
        kind: open.kind.clone(),
        at_ms: open.began_ms,
    };
    session.shared.tell(Event::Opened(opened)).await;
    Some(open)
}

async fn piece(session: &Session, progress: &Progress, open: &Open, delta: Delta) {
    let delta = Event::Delta { turn: progress.id.clone(), item: open.id.clone(), delta };
    session.shared.tell(delta).await;
}

async fn thought(session: &Session, progress: &Progress, open: Option<&Open>, delta: Delta) {
    if let Some(open) = open.filter(|open| open.kind == OpenedKind::Reasoning) {
        piece(session, progress, open, delta).await;
    }
}

/// Stores an item that is complete, and shows it.
async fn done(
    session: &mut Session,
    progress: &mut Progress,
    item: ResponseItem,
    open: &mut Option<Open>,
    calls: &mut Vec<ResponseItem>,
) -> Result<(), AgentError> {
    let began = open.take();
    let id = began.as_ref().map_or_else(|| id_of(&item), |open| open.id.clone());
    let events = match item.kind() {
        "message" if item.role() == Some(Role::Assistant) => {
            vec![records::agent_message(&item, &progress.id, &id)]
        }
        "reasoning" => records::reasoning(&item, &progress.id, &id),
        "web_search_call" => vec![records::web_search(&item, &id)],
        _ => Vec::new(),
    };
    if item.is_call() {
        calls.push(item.clone());
    }
    session.keep(vec![item], &events)?;
    if let Some(message @ StoredEvent::AgentMessage { .. }) = events.first() {
        progress.said(message.clone());
    }
    if !events.is_empty() {
        let began_ms = began.as_ref().map(|open| open.began_ms);
        session.show(progress, events, began.is_some(), began_ms).await;
    }
    Ok(())
}

/// Keeps the words of a message that an interruption cut off.
async fn keep_partial(
    session: &mut Session,
    progress: &mut Progress,
    open: Option<Open>,
) -> Result<(), AgentError> {
    let Some(Open { id, kind: OpenedKind::AgentMessage { .. }, began_ms, text }) = open else {
        return Ok(());
    };
    if text.is_empty() {
        return Ok(());
    }
    let item = ResponseItem::message(Role::Assistant, text);
    let message = records::agent_message(&item, &progress.id, &id);
    session.keep(vec![item], std::slice::from_ref(&message))?;
    progress.said(message.clone());
    session.show(progress, vec![message], true, Some(began_ms)).await;
    Ok(())
}

fn id_of(item: &ResponseItem) -> String {
    item.id().map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
