//! The records of a turn, in one place: what a rollout holds of it, and the request that the model gets.

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, Utc};
use items::ResponseItem;
use model::{Reasoning, Request, TokenUsage};
use rollout::{Compacted, Event, TurnContext};
use serde_json::{Map, Value, json};
use tools::Mode;

use crate::{event::Usage, failure::Failure, session::Session, settings::Settings, turn::Progress};

/// What the model is told of its task where nobody says otherwise.
const BASE_PROMPT: &str = include_str!("prompts/base.md");

pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

pub(crate) fn task_started(turn: &str, at: DateTime<Utc>, window: i64, mode: Mode) -> Event {
    Event::TaskStarted {
        turn_id: turn.to_owned(),
        started_at: Some(at.timestamp()),
        model_context_window: Some(window),
        collaboration_mode_kind: Some(mode_word(mode).to_owned()),
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Default => "default",
        Mode::Plan => "plan",
    }
}

pub(crate) fn task_complete(
    turn: &str,
    said: Option<String>,
    failure: Option<&Failure>,
    at: DateTime<Utc>,
    duration_ms: i64,
) -> Event {
    Event::TaskComplete {
        turn_id: Some(turn.to_owned()),
        last_agent_message: said,
        completed_at: Some(at.timestamp()),
        duration_ms: Some(duration_ms),
        error: failure.map(|failure| {
            json!({
                "message": failure.message,
                "codex_error_info": failure.info,
                "additional_details": failure.details,
            })
        }),
    }
}

pub(crate) fn turn_aborted(turn: &str, at: DateTime<Utc>, duration_ms: i64) -> Event {
    Event::TurnAborted {
        turn_id: Some(turn.to_owned()),
        reason: Some("interrupted".to_owned()),
        completed_at: Some(at.timestamp()),
        duration_ms: Some(duration_ms),
    }
}

pub(crate) fn error(turn: &str, failure: &Failure) -> Event {
    Event::Error {
        message: failure.message.clone(),
        codex_error_info: Some(failure.info.clone()),
        additional_details: failure.details.clone(),
        turn_id: Some(turn.to_owned()),
    }
}

pub(crate) fn rolled_back(num_turns: u32) -> Event {
    Event::ThreadRolledBack { num_turns }
}

pub(crate) fn context_compacted(turn: &str, item: &str) -> Event {
    Event::ContextCompacted { turn_id: Some(turn.to_owned()), item_id: Some(item.to_owned()) }
}

pub(crate) fn compacted(summary: &str, replacement: &[ResponseItem]) -> Compacted {
    Compacted {
        message: summary.to_owned(),
        replacement_history: Some(replacement.to_vec()),
        ..Compacted::default()
    }
}

pub(crate) fn agent_message(item: &ResponseItem, message: String, turn: &str, id: &str) -> Event {
    Event::AgentMessage {
        message,
        phase: item.str("phase").map(str::to_owned),
        memory_citation: None,
        turn_id: Some(turn.to_owned()),
        item_id: Some(id.to_owned()),
    }
}

pub(crate) fn plan(thread: &str, turn: &str, id: &str, text: String) -> Event {
    Event::ItemCompleted {
        thread_id: Some(thread.to_owned()),
        turn_id: Some(turn.to_owned()),
        item: json!({ "type": "Plan", "id": id, "text": text }),
        started_at_ms: None,
        completed_at_ms: None,
    }
}

/// The parts of a thought: its summary, and its own words where the model gives them.
pub(crate) fn reasoning(item: &ResponseItem, turn: &str, id: &str) -> Vec<Event> {
    let texts = |field| item.parts(field).filter_map(|part| part.get("text")?.as_str()).map(str::to_owned);
    let (turn_id, item_id) = (Some(turn.to_owned()), Some(id.to_owned()));
    let summary = texts("summary").map(|text| Event::AgentReasoning {
        text,
        turn_id: turn_id.clone(),
        item_id: item_id.clone(),
    });
    let raw = texts("content").map(|text| Event::AgentReasoningRawContent {
        text,
        turn_id: turn_id.clone(),
        item_id: item_id.clone(),
    });
    let events: Vec<_> = summary.chain(raw).collect();
    match events.is_empty() {
        // A thought that says nothing is still an item that was announced.
        true => vec![Event::AgentReasoning { text: String::new(), turn_id, item_id }],
        false => events,
    }
}

pub(crate) fn web_search(item: &ResponseItem, id: &str) -> Event {
    let action = item.field("action").cloned();
    let query =
        action.as_ref().and_then(|action| action.get("query")).and_then(Value::as_str).unwrap_or_default();
    Event::WebSearchEnd { call_id: id.to_owned(), query: query.to_owned(), action, extra: Map::new() }
}

/// Returns the words of a message event.
pub(crate) fn said(event: &Event) -> String {
    match event {
        Event::UserMessage { message, .. } | Event::AgentMessage { message, .. } => message.clone(),
        _ => String::new(),
    }
}

pub(crate) fn turn_context(settings: &Settings, turn: &str) -> TurnContext {
    let value = |v: serde_json::Result<Value>| v.unwrap_or_default();
    let extra = json!({
        "current_date": chrono::Local::now().format("%Y-%m-%d").to_string(),
        "summary": settings.summary.as_deref().unwrap_or("auto"),
        "collaboration_mode": {
            "mode": mode_word(settings.mode),
            "settings": {
                "model": settings.model,
                "reasoning_effort": settings.effort,
                "developer_instructions": settings.mode_instructions,
            },
        },
    });
    TurnContext {
        turn_id: Some(turn.to_owned()),
        cwd: Some(settings.cwd.to_string_lossy().into_owned()),
        model: Some(settings.model.clone()),
        effort: settings.effort.clone(),
        approval_policy: value(serde_json::to_value(settings.approval)),
        sandbox_policy: value(serde_json::to_value(&settings.sandbox)),
        extra: extra.as_object().cloned().unwrap_or_default(),
    }
}

pub(crate) fn token_count(usage: &Usage) -> Event {
    let counts = |usage: &TokenUsage| {
        json!({
            "input_tokens": usage.input_tokens,
            "cached_input_tokens": usage.cached_input_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_output_tokens": usage.reasoning_output_tokens,
            "total_tokens": usage.total_tokens,
        })
    };
    Event::TokenCount {
        info: Some(json!({
            "total_token_usage": counts(&usage.total),
            "last_token_usage": counts(&usage.last),
            "model_context_window": usage.window,
        })),
        rate_limits: None,
    }
}

/// Adds up two counts.
pub(crate) fn sum(a: &TokenUsage, b: &TokenUsage) -> TokenUsage {
    TokenUsage {
        input_tokens: a.input_tokens + b.input_tokens,
        cached_input_tokens: a.cached_input_tokens + b.cached_input_tokens,
        output_tokens: a.output_tokens + b.output_tokens,
        reasoning_output_tokens: a.reasoning_output_tokens + b.reasoning_output_tokens,
        total_tokens: a.total_tokens + b.total_tokens,
    }
}

/// Returns the calls that no output answers.
pub(crate) fn open_calls(items: &[ResponseItem]) -> impl Iterator<Item = &ResponseItem> {
    let answered: HashSet<_> =
        items.iter().filter(|item| item.is_output()).filter_map(ResponseItem::call_id).collect();
    items.iter().filter(move |item| item.is_call() && item.call_id().is_none_or(|id| !answered.contains(id)))
}

/// A conversation of its own is about what lies here, not about the web or the goal of the thread.
fn offered(tool: &Value, progress: &Progress) -> bool {
    let is_of_the_thread = || tool["name"].as_str().is_some_and(tools::is_about_the_goal);
    !progress.is_aside() || tool["type"] != "web_search" && !is_of_the_thread()
}

/// Returns what the model is told of its task.
pub(crate) fn instructions(settings: &Settings, progress: &Progress) -> String {
    let own = settings.base_instructions.as_deref().unwrap_or(BASE_PROMPT);
    progress.aside.as_ref().map_or(own, |aside| aside.instructions).to_owned()
}

/// Puts a request together.
pub(crate) fn request(session: &Session, progress: &Progress, output_schema: Option<Value>) -> Request {
    let items = session.known.as_ref().map(|known| Arc::clone(&known.items)).unwrap_or_default();
    let settings = &session.settings;
    let facts = model::facts(&settings.model);
    let reasoning = facts.reasons().then(|| Reasoning {
        effort: settings.effort.clone().or(facts.default_effort.map(str::to_owned)),
        summary: Some(settings.summary.clone().unwrap_or_else(|| "auto".to_owned())),
    });
    Request {
        model: settings.model.clone(),
        instructions: Some(instructions(settings, progress)),
        input: items,
        tools: progress.tools.specs().iter().filter(|tool| offered(tool, progress)).cloned().collect(),
        parallel_tool_calls: true,
        include: if reasoning.is_some() {
            vec!["reasoning.encrypted_content".to_owned()]
        } else {
            Vec::new()
        },
        reasoning,
        verbosity: settings.verbosity.clone(),
        service_tier: settings.service_tier.clone(),
        output_schema,
        thread_id: session.shared.id.to_string(),
        turn_state: progress.turn_state.clone(),
        client: session.shared.parts.client.clone(),
        turn_metadata: Map::from_iter([
            ("session_id".to_owned(), session.shared.id.to_string().into()),
            ("turn_id".to_owned(), progress.id.as_str().into()),
            ("sandbox".to_owned(), settings.sandbox.mode().into()),
        ]),
        client_metadata: Map::new(),
    }
}
