//! What happened in a thread: one vocabulary for reading and writing.
//!
//! The names are those of the published rollouts. Fields that some release leaves out are optional, and so are ours
//! (`item_id`, `turn_id`, `inputs`, `client_id`), which other programs ignore: with them a thread reads back with the
//! ids that it had while it ran. What is only carried stays JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The payload of an `event_msg` line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of the published rollouts, by their names")]
pub enum Event {
    /// A turn begins.
    #[serde(alias = "turn_started")]
    TaskStarted {
        turn_id: String,
        #[serde(default)]
        started_at: Option<i64>,
        #[serde(default)]
        model_context_window: Option<i64>,
        #[serde(default)]
        collaboration_mode_kind: Option<String>,
    },
    /// The person said something.
    UserMessage {
        #[serde(default)]
        message: String,
        #[serde(default)]
        images: Option<Vec<String>>,
        #[serde(default)]
        local_images: Vec<String>,
        #[serde(default)]
        text_elements: Vec<Value>,
        /// What was said in the form in which the client sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inputs: Option<Vec<Value>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<String>,
    },
    /// The model said something.
    AgentMessage {
        #[serde(default)]
        message: String,
        #[serde(default)]
        phase: Option<String>,
        #[serde(default)]
        memory_citation: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<String>,
    },
    /// A part of the summary of what the model thought.
    AgentReasoning {
        #[serde(default)]
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<String>,
    },
    /// What the model thought, in its own words.
    AgentReasoningRawContent {
        #[serde(default)]
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<String>,
    },
    /// A response was counted.
    TokenCount {
        #[serde(default)]
        info: Option<Value>,
        #[serde(default)]
        rate_limits: Option<Value>,
    },
    /// A turn ends.
    #[serde(alias = "turn_complete")]
    TaskComplete {
        #[serde(default)]
        turn_id: Option<String>,
        #[serde(default)]
        last_agent_message: Option<String>,
        #[serde(default)]
        completed_at: Option<i64>,
        #[serde(default)]
        duration_ms: Option<i64>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Value>,
    },
    /// A turn was stopped.
    TurnAborted {
        #[serde(default)]
        turn_id: Option<String>,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        completed_at: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<i64>,
    },
    /// A turn could not go on.
    Error {
        #[serde(default)]
        message: String,
        #[serde(default)]
        codex_error_info: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        additional_details: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
    },
    /// The last turns were taken back.
    ThreadRolledBack { num_turns: u32 },
    /// The history that the model knew was replaced by a summary.
    ContextCompacted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item_id: Option<String>,
    },
    /// A patch was applied, or not.
    PatchApplyEnd {
        call_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
        #[serde(default)]
        success: bool,
        #[serde(default)]
        status: Option<String>,
        /// By path.
        #[serde(default)]
        changes: Map<String, Value>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    /// A tool of an MCP server answered.
    McpToolCallEnd {
        call_id: String,
        #[serde(default)]
        invocation: Value,
        #[serde(default)]
        duration: Option<Value>,
        #[serde(default)]
        result: Value,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    /// The provider searched the web.
    WebSearchEnd {
        call_id: String,
        #[serde(default)]
        query: String,
        #[serde(default)]
        action: Option<Value>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    /// A review begins.
    EnteredReviewMode {
        #[serde(default)]
        user_facing_hint: Option<String>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    /// A review ends.
    ExitedReviewMode {
        #[serde(default)]
        review_output: Option<Value>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    /// An item of any kind is complete, as newer releases record it.
    ItemCompleted {
        #[serde(default)]
        thread_id: Option<String>,
        #[serde(default)]
        turn_id: Option<String>,
        item: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at_ms: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        completed_at_ms: Option<i64>,
    },
    /// A command ended.
    ExecCommandEnd {
        call_id: String,
        #[serde(default)]
        turn_id: Option<String>,
        #[serde(default)]
        process_id: Option<String>,
        #[serde(default)]
        command: Vec<String>,
        #[serde(default)]
        cwd: String,
        #[serde(default)]
        parsed_cmd: Vec<Value>,
        #[serde(default)]
        source: Option<String>,
        #[serde(default)]
        aggregated_output: Option<String>,
        #[serde(default)]
        exit_code: Option<i32>,
        #[serde(default)]
        duration: Option<Value>,
        #[serde(default)]
        status: Option<String>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    },
    /// A tool of the client answered.
    DynamicToolCallResponse {
        call_id: String,
        #[serde(default)]
        turn_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        #[serde(default)]
        tool: String,
        #[serde(default)]
        arguments: Value,
        #[serde(default)]
        content_items: Value,
        #[serde(default)]
        success: bool,
        #[serde(default)]
        error: Option<String>,
        #[serde(default)]
        duration: Option<Value>,
    },
    /// The model looked at an image.
    ViewImageToolCall {
        call_id: String,
        #[serde(default)]
        path: String,
    },
    /// An event that we do not know.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    /// As releases 0.120 and 0.169 wrote them.
    #[test]
    fn what_the_published_releases_write_reads_back_as_it_was() {
        for event in [
            json!({"type": "task_started", "turn_id": "t", "started_at": 5, "model_context_window": 258400, "collaboration_mode_kind": "default"}),
            json!({"type": "user_message", "message": "q", "images": ["u"], "local_images": ["/i"],
                "text_elements": [{"byte_range": {"start": 0, "end": 1}, "placeholder": "[x]"}]}),
            json!({"type": "agent_message", "message": "a", "phase": "commentary", "memory_citation": null}),
            json!({"type": "agent_reasoning", "text": "thought"}),
            json!({"type": "agent_reasoning_raw_content", "text": "thought"}),
            json!({"type": "token_count", "info": null, "rate_limits": {"plan_type": null}}),
            json!({"type": "turn_aborted", "turn_id": "t", "reason": "interrupted", "completed_at": 5, "duration_ms": 6}),
            json!({"type": "error", "message": "boom", "codex_error_info": "context_window_exceeded"}),
            json!({"type": "task_complete", "turn_id": "t", "last_agent_message": null, "completed_at": 5, "duration_ms": 6,
                "error": {"message": "boom", "codex_error_info": "other"}}),
            json!({"type": "thread_rolled_back", "num_turns": 2}),
            json!({"type": "context_compacted"}),
            json!({"type": "exec_command_end", "call_id": "c", "process_id": "1", "turn_id": "t", "command": ["/bin/bash", "-lc", "echo"],
                "cwd": "/w", "parsed_cmd": [{"type": "unknown", "cmd": "echo"}], "source": "user_shell", "stdout": "", "stderr": "",
                "aggregated_output": "", "exit_code": 3, "duration": {"secs": 0, "nanos": 5}, "formatted_output": "", "status": "failed"}),
            json!({"type": "patch_apply_end", "call_id": "c", "turn_id": "t", "stdout": "ok", "stderr": "", "success": true,
                "changes": {"/n": {"type": "update", "unified_diff": "@@", "move_path": null}}, "status": "completed"}),
            json!({"type": "mcp_tool_call_end", "call_id": "c", "invocation": {"server": "e", "tool": "t", "arguments": {"a": 1}},
                "mcp_app_resource_uri": "u", "duration": {"secs": 0, "nanos": 5}, "result": {"Ok": {"content": []}}}),
            json!({"type": "web_search_end", "call_id": "c", "query": "q", "action": {"type": "search", "query": "q"}}),
            json!({"type": "dynamic_tool_call_response", "call_id": "c", "turn_id": "t", "tool": "demo", "arguments": {"a": 1},
                "content_items": [{"type": "inputText", "text": "r"}], "success": true, "error": null, "duration": {"secs": 0, "nanos": 5}}),
            json!({"type": "view_image_tool_call", "call_id": "c", "path": "/i.png"}),
            json!({"type": "entered_review_mode", "target": {"type": "custom"}, "user_facing_hint": "h"}),
            json!({"type": "exited_review_mode", "review_output": {"findings": []}}),
            json!({"type": "item_completed", "thread_id": "t", "turn_id": "u", "item": {"type": "Plan", "id": "i", "text": "p"},
                "started_at_ms": 5, "completed_at_ms": 6}),
        ] {
            let read: Event = serde_json::from_value(event.clone()).unwrap();
            assert_ne!(read, Event::Other, "{event}");
            assert_eq!(serde_json::to_value(&read).unwrap(), event);
        }
    }

    #[test]
    fn names_of_other_releases_are_understood() {
        for (event, expected) in [
            (json!({"type": "turn_started", "turn_id": "t"}), "TaskStarted"),
            (json!({"type": "turn_complete"}), "TaskComplete"),
            (json!({"type": "user_message", "message": "q", "images": null, "kind": "plain"}), "UserMessage"),
            (json!({"type": "thread_settings_applied", "settings": {}}), "Other"),
        ] {
            let read: Event = serde_json::from_value(event).unwrap();
            assert!(format!("{read:?}").starts_with(expected), "{read:?}");
        }
    }
}
