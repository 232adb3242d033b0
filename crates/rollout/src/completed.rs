//! Our events as the items that files with numbers hold, in the words of release 0.169, which reads them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Event, Record, ThreadId};

/// Puts events that tell of a complete item into its form; parts of one thought become one item.
///
/// `turn` is the turn of the record before the first one, and then that of the last.
pub(crate) fn records(
    records: &[Record],
    thread: ThreadId,
    turn: &mut Option<String>,
    now_ms: i64,
) -> Vec<Record> {
    let mut put: Vec<Record> = Vec::with_capacity(records.len());
    for record in records {
        let Record::EventMsg(event) = record else {
            put.push(record.clone());
            continue;
        };
        if let Some(named) = turn_of(event) {
            *turn = Some(named.to_owned());
        }
        let Some(mut item) = item(event) else {
            put.push(record.clone());
            continue;
        };
        if let Some(Record::EventMsg(Event::ItemCompleted { item: before, .. })) = put.last_mut()
            && is_more_of(&item, before)
        {
            extend(before, &mut item);
            continue;
        }
        put.push(Record::EventMsg(Event::ItemCompleted {
            thread_id: Some(thread.to_string()),
            turn_id: Some(turn.clone().unwrap_or_default()),
            item,
            started_at_ms: Some(now_ms),
            completed_at_ms: Some(now_ms),
        }));
    }
    put
}

fn turn_of(event: &Event) -> Option<&str> {
    match event {
        Event::TaskStarted { turn_id, .. } => Some(turn_id),
        Event::UserMessage { turn_id, .. }
        | Event::AgentMessage { turn_id, .. }
        | Event::AgentReasoning { turn_id, .. }
        | Event::AgentReasoningRawContent { turn_id, .. }
        | Event::ContextCompacted { turn_id, .. }
        | Event::PatchApplyEnd { turn_id, .. }
        | Event::ExecCommandEnd { turn_id, .. } => turn_id.as_deref(),
        _ => None,
    }
}

const THOUGHT: [&str; 2] = ["summary_text", "raw_content"];

fn is_more_of(item: &Value, before: &Value) -> bool {
    item["type"] == "Reasoning" && before["type"] == "Reasoning" && item["id"] == before["id"]
}

fn extend(thought: &mut Value, more: &mut Value) {
    for field in THOUGHT {
        if let (Some(parts), Some(more)) = (thought[field].as_array_mut(), more[field].as_array_mut()) {
            parts.append(more);
        }
    }
}

/// Returns the item that an event tells of; `None` for an event of another kind.
fn item(event: &Event) -> Option<Value> {
    let item = match event {
        Event::UserMessage { item_id, client_id, .. } => json!({
            "type": "UserMessage", "id": id(item_id), "client_id": client_id, "content": content(event),
        }),
        Event::AgentMessage { message, phase, memory_citation, item_id, .. } => json!({
            "type": "AgentMessage", "id": id(item_id), "content": [{ "type": "Text", "text": message }],
            "phase": phase, "memory_citation": memory_citation,
        }),
        Event::AgentReasoning { text, item_id, .. } => json!({
            "type": "Reasoning", "id": id(item_id), "summary_text": [text], "raw_content": [],
        }),
        Event::AgentReasoningRawContent { text, item_id, .. } => json!({
            "type": "Reasoning", "id": id(item_id), "summary_text": [], "raw_content": [text],
        }),
        Event::ContextCompacted { item_id, .. } => json!({ "type": "ContextCompaction", "id": id(item_id) }),
        Event::ExecCommandEnd { call_id, process_id, command, cwd, parsed_cmd, source, .. } => {
            let Event::ExecCommandEnd { aggregated_output, exit_code, duration, status, .. } = event else {
                return None;
            };
            json!({
                "type": "CommandExecution", "id": call_id, "process_id": process_id, "command": command,
                "cwd": file_url(cwd), "parsed_cmd": parsed_cmd, "source": source, "status": status,
                "aggregated_output": aggregated_output, "exit_code": exit_code, "duration": duration,
            })
        }
        Event::PatchApplyEnd { call_id, success, status, changes, extra, .. } => json!({
            "type": "FileChange", "id": call_id, "changes": changes,
            "status": status.as_deref().unwrap_or(end_of(*success)),
            "stdout": extra.get("stdout"), "stderr": extra.get("stderr"),
        }),
        Event::McpToolCallEnd { call_id, invocation, duration, result, .. } => {
            let answer = result.get("Ok");
            let went_well = answer.is_some_and(|answer| answer["isError"] != true);
            json!({
                "type": "McpToolCall", "id": call_id, "server": invocation["server"], "tool": invocation["tool"],
                "arguments": invocation["arguments"], "status": end_of(went_well), "result": answer,
                "error": result.get("Err").map(|message| json!({ "message": message })), "duration": duration,
            })
        }
        Event::WebSearchEnd { call_id, query, action, .. } => json!({
            "type": "WebSearch", "id": call_id, "query": query, "action": action,
        }),
        Event::ViewImageToolCall { call_id, path } => json!({
            "type": "ImageView", "id": call_id, "path": file_url(path),
        }),
        Event::EnteredReviewMode { user_facing_hint, extra } => json!({
            "type": "EnteredReviewMode", "id": extra_id(extra), "target": extra.get("target"),
            "user_facing_hint": user_facing_hint,
        }),
        Event::ExitedReviewMode { review_output, extra } => json!({
            "type": "ExitedReviewMode", "id": extra_id(extra), "review_output": review_output,
        }),
        _ => return None,
    };
    Some(without_nulls(item))
}

/// An item without an id could not be read: one that has none gets one.
fn id(id: &Option<String>) -> String {
    id.clone().unwrap_or_else(|| Uuid::now_v7().to_string())
}

fn extra_id(extra: &Map<String, Value>) -> String {
    id(&extra.get("item_id").and_then(Value::as_str).map(str::to_owned))
}

fn end_of(success: bool) -> &'static str {
    if success { "completed" } else { "failed" }
}

/// Returns the inputs of a message in the spelling of items, which is not that of the wire.
fn content(message: &Event) -> Vec<Value> {
    let Event::UserMessage { message, images, local_images, text_elements, inputs, .. } = message else {
        return Vec::new();
    };
    if let Some(inputs) = inputs {
        return inputs.iter().map(input).collect();
    }
    let text = json!({ "type": "text", "text": message, "text_elements": text_elements });
    let images = images.iter().flatten().map(|url| json!({ "type": "image", "image_url": url }));
    let local_images = local_images.iter().map(|path| json!({ "type": "local_image", "path": path }));
    [text].into_iter().chain(images).chain(local_images).collect()
}

fn input(wire: &Value) -> Value {
    let mut input = wire.clone();
    match wire["type"].as_str() {
        Some("image") => {
            let url = input.as_object_mut().and_then(|input| input.remove("url"));
            input["image_url"] = url.unwrap_or_default();
        }
        Some("localImage") => input["type"] = "local_image".into(),
        Some("text") => {
            for element in input["text_elements"].as_array_mut().into_iter().flatten() {
                if let Some(range) = element.as_object_mut().and_then(|element| element.remove("byteRange")) {
                    element["byte_range"] = range;
                }
            }
        }
        _ => {}
    }
    without_nulls(input)
}

fn without_nulls(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    object
}

/// Spells a path as a URL; items have those where events have paths.
fn file_url(path: &str) -> String {
    use std::fmt::Write as _;

    let mut url = String::from("file://");
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                url.push(byte.into())
            }
            _ => {
                let _ = write!(url, "%{byte:02X}"); // a string takes all that is written to it
            }
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn event(event: Value) -> Record {
        Record::EventMsg(serde_json::from_value(event).unwrap())
    }

    /// Puts events into a file of turn `t`, and returns what becomes of them.
    fn put(events: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let events: Vec<_> = events.into_iter().map(event).collect();
        let put = records(&events, ThreadId::default(), &mut Some("t".into()), 7);
        put.iter().map(|record| serde_json::to_value(record).unwrap()["payload"].take()).collect()
    }

    #[test]
    fn an_event_becomes_the_item_that_release_0_169_writes() {
        let search = json!({"type": "search", "query": "rust"});
        for (event, item) in [
            (
                json!({"type": "user_message", "message": "q", "item_id": "i", "inputs": [
                    {"type": "text", "text": "q", "text_elements": [{"byteRange": {"start": 0, "end": 1}, "placeholder": "[x]"}]},
                    {"type": "image", "url": "data:x", "detail": null}, {"type": "localImage", "path": "/i.png"},
                    {"type": "skill", "name": "n", "path": "/s"}, {"type": "mention", "name": "m", "path": "app://m"},
                ]}),
                json!({"type": "UserMessage", "id": "i", "content": [
                    {"type": "text", "text": "q", "text_elements": [{"byte_range": {"start": 0, "end": 1}, "placeholder": "[x]"}]},
                    {"type": "image", "image_url": "data:x"}, {"type": "local_image", "path": "/i.png"},
                    {"type": "skill", "name": "n", "path": "/s"}, {"type": "mention", "name": "m", "path": "app://m"},
                ]}),
            ),
            (
                json!({"type": "user_message", "message": "q", "images": ["data:x"], "local_images": ["/i"], "item_id": "i"}),
                json!({"type": "UserMessage", "id": "i", "content": [
                    {"type": "text", "text": "q", "text_elements": []}, {"type": "image", "image_url": "data:x"},
                    {"type": "local_image", "path": "/i"},
                ]}),
            ),
            (
                json!({"type": "agent_message", "message": "a", "phase": "commentary", "item_id": "i"}),
                json!({"type": "AgentMessage", "id": "i", "content": [{"type": "Text", "text": "a"}], "phase": "commentary"}),
            ),
            (
                json!({"type": "context_compacted", "item_id": "i"}),
                json!({"type": "ContextCompaction", "id": "i"}),
            ),
            (
                json!({"type": "exec_command_end", "call_id": "c", "process_id": "1", "turn_id": "t", "command": ["echo", "a"],
                    "cwd": "/w s/é", "parsed_cmd": [{"type": "unknown", "cmd": "echo a"}], "source": "agent", "stdout": "a\n",
                    "stderr": "", "aggregated_output": "a\n", "exit_code": 0, "duration": {"secs": 0, "nanos": 5},
                    "formatted_output": "a\n", "status": "completed"}),
                json!({"type": "CommandExecution", "id": "c", "process_id": "1", "command": ["echo", "a"],
                    "cwd": "file:///w%20s/%C3%A9", "parsed_cmd": [{"type": "unknown", "cmd": "echo a"}], "source": "agent",
                    "status": "completed", "aggregated_output": "a\n", "exit_code": 0, "duration": {"secs": 0, "nanos": 5}}),
            ),
            (
                json!({"type": "patch_apply_end", "call_id": "c", "turn_id": "t", "stdout": "ok", "stderr": "", "success": false,
                    "changes": {"/n": {"type": "add", "content": "one\n"}}}),
                json!({"type": "FileChange", "id": "c", "changes": {"/n": {"type": "add", "content": "one\n"}},
                    "status": "failed", "stdout": "ok", "stderr": ""}),
            ),
            (
                json!({"type": "mcp_tool_call_end", "call_id": "c", "invocation": {"server": "e", "tool": "ok", "arguments": {"a": 1}},
                    "duration": {"secs": 0, "nanos": 5}, "result": {"Ok": {"content": [], "isError": true}}}),
                json!({"type": "McpToolCall", "id": "c", "server": "e", "tool": "ok", "arguments": {"a": 1}, "status": "failed",
                    "result": {"content": [], "isError": true}, "duration": {"secs": 0, "nanos": 5}}),
            ),
            (
                json!({"type": "mcp_tool_call_end", "call_id": "c", "invocation": {"server": "e", "tool": "ok"}, "result": {"Err": "no"}}),
                json!({"type": "McpToolCall", "id": "c", "server": "e", "tool": "ok", "status": "failed", "error": {"message": "no"}}),
            ),
            (
                json!({"type": "web_search_end", "call_id": "c", "query": "rust", "action": search}),
                json!({"type": "WebSearch", "id": "c", "query": "rust", "action": search}),
            ),
            (
                json!({"type": "view_image_tool_call", "call_id": "c", "path": "/i.png"}),
                json!({"type": "ImageView", "id": "c", "path": "file:///i.png"}),
            ),
            (
                json!({"type": "entered_review_mode", "item_id": "i", "target": {"type": "custom"}, "user_facing_hint": "h"}),
                json!({"type": "EnteredReviewMode", "id": "i", "target": {"type": "custom"}, "user_facing_hint": "h"}),
            ),
            (
                json!({"type": "exited_review_mode", "item_id": "i", "review_output": {"findings": []}}),
                json!({"type": "ExitedReviewMode", "id": "i", "review_output": {"findings": []}}),
            ),
        ] {
            let completed = json!({"type": "item_completed", "thread_id": ThreadId::default(), "turn_id": "t", "item": item,
                "started_at_ms": 7, "completed_at_ms": 7});
            assert_eq!(put([event]), [completed]);
        }
    }

    #[test]
    fn parts_of_one_thought_are_one_item() {
        let part = |kind: &str, id: &str| json!({"type": kind, "text": kind, "item_id": id});
        let items = put([
            part("agent_reasoning", "a"),
            part("agent_reasoning", "a"),
            part("agent_reasoning_raw_content", "a"),
            part("agent_reasoning_raw_content", "b"),
        ]);
        let items: Vec<_> = items.iter().map(|event| event["item"].clone()).collect();
        assert_eq!(
            items,
            [
                json!({"type": "Reasoning", "id": "a", "summary_text": ["agent_reasoning", "agent_reasoning"],
                "raw_content": ["agent_reasoning_raw_content"]}),
                json!({"type": "Reasoning", "id": "b", "summary_text": [], "raw_content": ["agent_reasoning_raw_content"]}),
            ]
        );
    }

    #[test]
    fn an_item_is_of_the_turn_that_was_named_last_and_has_an_id() {
        let started = json!({"type": "task_started", "turn_id": "u"});
        let items = put([
            json!({"type": "web_search_end", "call_id": "c"}),
            started.clone(),
            json!({"type": "agent_message", "message": "a"}),
        ]);
        assert_eq!((&items[0]["turn_id"], &items[2]["turn_id"]), (&"t".into(), &"u".into()));
        assert_eq!(items[1]["turn_id"], "u", "an event of another kind stays one: {}", items[1]);
        assert!(items[2]["item"]["id"].as_str().is_some_and(|id| id.len() == 36));
    }
}
