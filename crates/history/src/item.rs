//! The one projection from a stored event to the item that clients see.
//!
//! Invariant: live and replay use this function and nothing else, so a resumed thread reads as it did while running.
//! Not here: text deltas, which are never stored, and which turn an item belongs to (module `turns`).

mod completed;
mod input;
pub(crate) mod review;
pub(crate) mod tool;

use protocol::{PatchApplyStatus, ThreadItem};
use rollout::Event;
use serde_json::Value;

use crate::size::fit;
use crate::stored::{memory_citation, millis, path, word};
use tool::Command;

/// Stands where a review began without a word about what is reviewed.
const REVIEW: &str = "Review requested.";

/// When an item began and ended, as far as its record tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Times {
    pub started_at_ms: Option<i64>,
    pub completed_at_ms: Option<i64>,
}

/// Returns the item that an event completes, under this id; `None` where it shows nothing that we know.
pub(crate) fn item(event: Event, id: String) -> Option<ThreadItem> {
    let item = match event {
        Event::UserMessage { message, images, local_images, text_elements, inputs, client_id, .. } => {
            let content = match inputs {
                Some(inputs) => input::as_sent(&inputs),
                None => {
                    input::from_message(&message, &text_elements, &images.unwrap_or_default(), &local_images)
                }
            };
            ThreadItem::UserMessage { id, client_id, content }
        }
        Event::AgentMessage { message, phase, memory_citation: citation, .. } => ThreadItem::AgentMessage {
            id,
            text: message,
            phase: phase.and_then(|phase| crate::stored::wire(&Value::String(phase))),
            memory_citation: memory_citation(citation.as_ref()),
        },
        Event::AgentReasoning { text, .. } => {
            ThreadItem::Reasoning { id, summary: vec![text], content: Vec::new() }
        }
        Event::AgentReasoningRawContent { text, .. } => {
            ThreadItem::Reasoning { id, summary: Vec::new(), content: vec![text] }
        }
        Event::ExecCommandEnd {
            process_id,
            command,
            cwd,
            parsed_cmd,
            source,
            aggregated_output,
            exit_code,
            duration,
            status,
            ..
        } => Command {
            argv: &command,
            cwd: &cwd,
            process_id: process_id.as_deref(),
            source: source.as_deref(),
            status: status.as_deref(),
            parsed: &parsed_cmd,
            output: aggregated_output.as_deref(),
            exit_code,
            duration: duration.as_ref(),
        }
        .into_item(id),
        Event::PatchApplyEnd { success, status, changes, .. } => ThreadItem::FileChange {
            id,
            changes: tool::changes(&changes),
            status: word(status.as_deref()).unwrap_or(match success {
                true => PatchApplyStatus::Completed,
                false => PatchApplyStatus::Failed,
            }),
        },
        Event::McpToolCallEnd { invocation, duration, result, .. } => {
            let tool::McpOutcome { status, result, error } = tool::mcp_outcome(&result);
            let text = |field: &str| invocation[field].as_str().unwrap_or_default().to_owned();
            ThreadItem::McpToolCall {
                id,
                server: text("server"),
                tool: text("tool"),
                status,
                arguments: invocation["arguments"].clone(),
                result,
                error,
                duration_ms: millis(duration.as_ref()),
            }
        }
        Event::WebSearchEnd { query, action, .. } => {
            ThreadItem::WebSearch { id, query, action: tool::search_action(action.as_ref()), results: None }
        }
        Event::ViewImageToolCall { path: stored, .. } => ThreadItem::ImageView { id, path: path(&stored) },
        Event::EnteredReviewMode { user_facing_hint, .. } => ThreadItem::EnteredReviewMode {
            id,
            review: user_facing_hint.unwrap_or_else(|| REVIEW.to_owned()),
        },
        Event::ExitedReviewMode { review_output, .. } => {
            ThreadItem::ExitedReviewMode { id, review: review::text(review_output.as_ref()) }
        }
        Event::ContextCompacted { .. } => ThreadItem::ContextCompaction { id },
        Event::ItemCompleted { item, .. } => completed::item(&item, id)?,
        event @ Event::DynamicToolCallResponse { .. } => completed::dynamic_tool_call(&event, id)?,
        Event::TaskStarted { .. }
        | Event::TokenCount { .. }
        | Event::TaskComplete { .. }
        | Event::TurnAborted { .. }
        | Event::Error { .. }
        | Event::ThreadRolledBack { .. }
        | Event::Other => return None,
    };
    Some(fit(item))
}

/// Returns when the item of an event began and ended; `written_at_ms` is when its line was written.
///
/// Words of the person are there at once; what ran for a while says for how long. When the model began to speak is
/// not recorded by older releases, nor by us.
pub(crate) fn times(event: &Event, written_at_ms: Option<i64>) -> Times {
    let began = |duration: &Option<Value>| Some(written_at_ms? - millis(duration.as_ref())?);
    let started_at_ms = match event {
        Event::ItemCompleted { started_at_ms, completed_at_ms, .. } => {
            return Times {
                started_at_ms: *started_at_ms,
                completed_at_ms: completed_at_ms.or(written_at_ms),
            };
        }
        Event::ExecCommandEnd { duration, .. }
        | Event::McpToolCallEnd { duration, .. }
        | Event::DynamicToolCallResponse { duration, .. } => began(duration),
        Event::UserMessage { .. } => written_at_ms,
        _ => None,
    };
    Times { started_at_ms, completed_at_ms: written_at_ms }
}

/// Adds a further part to an item: only thoughts come in parts.
pub(crate) fn extend(item: &mut ThreadItem, part: ThreadItem) {
    if let (
        ThreadItem::Reasoning { summary, content, .. },
        ThreadItem::Reasoning { summary: more_summary, content: more_content, .. },
    ) = (item, part)
    {
        summary.extend(more_summary);
        content.extend(more_content);
    }
}

#[cfg(test)]
mod tests;
