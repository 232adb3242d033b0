//! One response of the model, from the first event of its stream to the last.

use futures::StreamExt;
use items::{ResponseItem, Role};
use model::{ModelError, Request, StreamEvent, TokenUsage};
use rollout::Event as StoredEvent;
use tools::Mode;
use uuid::Uuid;

use crate::{
    AgentError,
    event::{Delta, Event, Opened, OpenedKind},
    plan::{Piece, Splitter},
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
    /// Takes the plan out of the words, in plan mode.
    splitter: Option<Splitter>,
}

/// Hears a response: stores each item that is complete, then shows it; collects the calls.
pub(crate) async fn hear(
    session: &mut Session,
    progress: &mut Progress,
    request: Request,
    calls: &mut Vec<ResponseItem>,
) -> Result<Heard, Stop> {
    let asked = request.model.clone();
    let mut stream = session.shared.parts.model.stream(request);
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
                        words(session, progress, open, text).await;
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
    let mut stream = session.shared.parts.model.stream(request);
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
    let plans = session.settings.mode == Mode::Plan && kind != OpenedKind::Reasoning;
    let open = Open {
        id: id_of(item),
        kind,
        began_ms: records::now().timestamp_millis(),
        text: String::new(),
        splitter: plans.then(Splitter::default),
    };
    announce(session, progress, &open.id, open.kind.clone(), open.began_ms).await;
    Some(open)
}

/// Tells that an item begins, to whom the conversation is for.
async fn announce(session: &Session, progress: &Progress, item: &str, kind: OpenedKind, at_ms: i64) {
    if progress.is_aside() {
        return;
    }
    let opened = Opened { turn: progress.id.clone(), item: item.to_owned(), kind, at_ms };
    session.shared.tell(Event::Opened(opened)).await;
}

/// Takes in words of a message, and shows them: those of a plan as such.
async fn words(session: &Session, progress: &mut Progress, open: &mut Open, text: String) {
    open.text.push_str(&text);
    let pieces = match &mut open.splitter {
        Some(splitter) => splitter.feed(&text),
        None => vec![Piece::Message(text)],
    };
    show_pieces(session, progress, &open.id, pieces).await;
}

async fn show_pieces(session: &Session, progress: &mut Progress, message: &str, pieces: Vec<Piece>) {
    for piece in pieces {
        match piece {
            Piece::Message(text) => tell_piece(session, progress, message, Delta::Text(text)).await,
            Piece::Plan(text) => {
                let plan = begin_plan(session, progress).await;
                tell_piece(session, progress, &plan, Delta::Plan(text)).await;
            }
        }
    }
}

/// Announces the plan, where that was not done yet; returns its id.
async fn begin_plan(session: &Session, progress: &mut Progress) -> String {
    let id = format!("{}-plan", progress.id);
    if progress.plan_began_ms.is_none() {
        let at_ms = records::now().timestamp_millis();
        progress.plan_began_ms = Some(at_ms);
        announce(session, progress, &id, OpenedKind::Plan, at_ms).await;
    }
    id
}

async fn tell_piece(session: &Session, progress: &Progress, item: &str, delta: Delta) {
    if !progress.is_aside() {
        let delta = Event::Delta { turn: progress.id.clone(), item: item.to_owned(), delta };
        session.shared.tell(delta).await;
    }
}

async fn thought(session: &Session, progress: &Progress, open: Option<&Open>, delta: Delta) {
    if let Some(open) = open.filter(|open| open.kind == OpenedKind::Reasoning) {
        tell_piece(session, progress, &open.id, delta).await;
    }
}

/// Stores an item that is complete, and shows it.
async fn done(
    session: &mut Session,
    progress: &mut Progress,
    mut item: ResponseItem,
    open: &mut Option<Open>,
    calls: &mut Vec<ResponseItem>,
) -> Result<(), AgentError> {
    let mut began = open.take();
    if item.is_call() {
        progress.take_call(&mut item);
        calls.push(item.clone());
    }
    if progress.is_aside() {
        progress.aside_said(&item);
        session.learn(vec![item]);
        return Ok(());
    }
    let id = began.as_ref().map_or_else(|| id_of(&item), |open| open.id.clone());
    let mut plan = None;
    let events = match item.kind() {
        "message" if item.role() == Some(Role::Assistant) => {
            let mut text = item.text();
            if session.settings.mode == Mode::Plan {
                (text, plan) = Splitter::split(&text);
            }
            vec![records::agent_message(&item, text, &progress.id, &id)]
        }
        "reasoning" => records::reasoning(&item, &progress.id, &id),
        "web_search_call" => vec![records::web_search(&item, &id)],
        _ => Vec::new(),
    };
    if let Some(splitter) = began.as_mut().and_then(|open| open.splitter.take()) {
        show_pieces(session, progress, &id, splitter.finish()).await;
    }
    session.keep(vec![item], &events)?;
    if let Some(message @ StoredEvent::AgentMessage { .. }) = events.first() {
        progress.said(message.clone());
    }
    if !events.is_empty() {
        let began_ms = began.as_ref().map(|open| open.began_ms);
        session.show(progress, events, began.is_some(), began_ms).await;
    }
    if let Some(text) = plan {
        let id = begin_plan(session, progress).await;
        let plan = records::plan(&session.shared.id.to_string(), &progress.id, &id, text);
        session.keep(Vec::new(), std::slice::from_ref(&plan))?;
        let began_ms = progress.plan_began_ms.take();
        session.show(progress, vec![plan], true, began_ms).await;
    }
    Ok(())
}

/// Keeps the words of a message that an interruption cut off.
async fn keep_partial(
    session: &mut Session,
    progress: &mut Progress,
    open: Option<Open>,
) -> Result<(), AgentError> {
    let Some(Open { id, kind: OpenedKind::AgentMessage { .. }, began_ms, text, .. }) = open else {
        return Ok(());
    };
    if text.is_empty() || progress.is_aside() {
        return Ok(());
    }
    let item = ResponseItem::message(Role::Assistant, &text);
    let message = records::agent_message(&item, text, &progress.id, &id);
    session.keep(vec![item], std::slice::from_ref(&message))?;
    progress.said(message.clone());
    session.show(progress, vec![message], true, Some(began_ms)).await;
    Ok(())
}

fn id_of(item: &ResponseItem) -> String {
    item.id().map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
