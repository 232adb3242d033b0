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
