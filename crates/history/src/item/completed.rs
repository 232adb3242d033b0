//! Items as the newer release records them: whole, in the spelling of the rollout.

use protocol::ThreadItem;
use rollout::Event;
use serde_json::{Map, Value};

use super::tool::{self, Command};
use super::{REVIEW, input, review};
use crate::stored::{camel, camel_keys, memory_citation, millis, path, wire};

/// Reads the item of an `item_completed`; `None` where it is of a kind that we do not know.
pub(super) fn item(stored: &Value, id: String) -> Option<ThreadItem> {
    let text = |field: &str| stored[field].as_str();
    let owned = |field: &str| text(field).unwrap_or_default().to_owned();
    let list = |field: &str| stored[field].as_array().map_or(&[][..], Vec::as_slice);
    let texts = |field: &str| list(field).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(match text("type")? {
        "UserMessage" => ThreadItem::UserMessage {
            id,
            client_id: text("client_id").map(str::to_owned),
            content: input::from_item(list("content")),
        },
        "AgentMessage" => ThreadItem::AgentMessage {
            id,
            text: list("content").iter().filter_map(|part| part["text"].as_str()).collect(),
            phase: wire(&stored["phase"]),
            memory_citation: memory_citation(stored.get("memory_citation")),
        },
        "Reasoning" => {
            ThreadItem::Reasoning { id, summary: texts("summary_text"), content: texts("raw_content") }
        }
        "CommandExecution" => {
            let argv: Vec<String> = texts("command");
            Command {
                argv: &argv,
                cwd: text("cwd").unwrap_or_default(),
                process_id: text("process_id"),
                source: text("source"),
                status: text("status"),
                parsed: list("parsed_cmd"),
                output: text("aggregated_output"),
                exit_code: stored["exit_code"].as_i64().and_then(|code| code.try_into().ok()),
                duration: stored.get("duration"),
            }
            .into_item(id)
        }
        "FileChange" => ThreadItem::FileChange {
            id,
            changes: tool::changes(stored["changes"].as_object().unwrap_or(&Map::new())),
            status: wire(&camel(text("status")?).into())?,
        },
        "McpToolCall" => {
            let answer = stored.get("result").filter(|result| !result.is_null()).map(tool::mcp_answer);
            ThreadItem::McpToolCall {
                id,
                server: owned("server"),
                tool: owned("tool"),
                status: wire(&camel(text("status")?).into())?,
                arguments: stored["arguments"].clone(),
                result: answer.and_then(|answer| answer.result),
                error: wire(&stored["error"]),
                duration_ms: millis(stored.get("duration")),
            }
        }
        "WebSearch" => ThreadItem::WebSearch {
            id,
            query: owned("query"),
            action: tool::search_action(stored.get("action")),
            results: stored["results"].as_array().cloned(),
        },
        "ImageView" => ThreadItem::ImageView { id, path: path(text("path")?) },
        "EnteredReviewMode" => ThreadItem::EnteredReviewMode {
            id,
            review: text("user_facing_hint").unwrap_or(REVIEW).to_owned(),
        },
        "ExitedReviewMode" => {
            ThreadItem::ExitedReviewMode { id, review: review::text(stored.get("review_output")) }
        }
        _ => return respelled(stored, id),
    })
}

/// Reads the answer of a client's tool, which is recorded as an event of its own.
pub(super) fn dynamic_tool_call(event: &Event, id: String) -> Option<ThreadItem> {
    let mut item = serde_json::to_value(event).ok()?;
    let status = if item["success"].as_bool() == Some(true) { "completed" } else { "failed" };
    (item["type"], item["status"]) = ("DynamicToolCall".into(), status.into());
    respelled(&item, id)
}

/// Reads an item whose fields are those of the wire but for their spelling.
fn respelled(stored: &Value, id: String) -> Option<ThreadItem> {
    let mut item = camel_keys(stored);
    // Arguments are the tool's own, to the letter.
    if let Some(arguments) = stored.get("arguments") {
        item["arguments"] = arguments.clone();
    }
    for field in ["type", "status", "tool"] {
        if let Some(word) = stored[field].as_str().filter(|_| field != "tool" || is_collab(stored)) {
            item[field] = camel(word).into();
        }
    }
    item["durationMs"] = millis(stored.get("duration")).into();
    item["id"] = id.into();
    wire(&item)
}

/// The tools of collaboration are words of the protocol; those of a client are names.
fn is_collab(stored: &Value) -> bool {
    stored["type"] == "CollabAgentToolCall"
}
