//! Threads: what is told of one, wherever it is told.

mod attachments;
mod goals;
mod lifecycle;
mod list;
mod open;
mod sections;
mod terminals;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::attachments::*;
pub use self::goals::*;
pub use self::lifecycle::*;
pub use self::list::*;
pub use self::open::*;
pub use self::sections::*;
pub use self::terminals::*;
use crate::{ReasoningEffort, Turn};

/// One thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct Thread {
    pub id: String,
    /// The id of the root of this thread's tree: its own, unless another agent made it.
    pub session_id: String,
    /// The thread that this one was forked from.
    pub forked_from_id: Option<String>,
    /// The thread whose agent made this one.
    pub parent_thread_id: Option<String>,
    /// The text of the first message of the person, whole; `""` before it.
    pub preview: String,
    /// Whether nothing of it is stored.
    pub ephemeral: bool,
    /// The section that a person put it into.
    pub section: Option<ThreadSection>,
    /// Unix seconds of when it came into that section.
    pub section_entered_at: Option<i64>,
    pub history_mode: ThreadHistoryMode,
    pub model_provider: String,
    pub model: Option<String>,
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds of the last activity.
    pub updated_at: i64,
    /// Unix seconds by which recent threads are ordered.
    pub recency_at: Option<i64>,
    pub status: ThreadStatus,
    /// The rollout; null for an ephemeral thread.
    pub path: Option<String>,
    pub cwd: String,
    /// The release that made the thread.
    pub cli_version: String,
    pub source: SessionSource,
    /// What the client that started the thread called its reason.
    pub thread_source: Option<String>,
    /// The client that started the thread.
    pub originator: Option<String>,
    pub agent_nickname: Option<String>,
    pub agent_role: Option<String>,
    pub git_info: Option<GitInfo>,
    pub name: Option<String>,
    /// Always null so far; the newer release requires it to be there.
    #[schemars(schema_with = "nullable_string")]
    pub project_id: Option<String>,
    /// Filled only where turns were asked for or are being given: read, resume, fork, rollback.
    pub turns: Vec<Turn>,
}

/// A schema that lets a field be null but, unlike that of an `Option`, not missing.
fn nullable_string(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": ["string", "null"] })
}

/// How a thread's history is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum ThreadHistoryMode {
    #[default]
    Legacy,
    Paginated,
}

/// Whether a thread is in memory, and what it does there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "v2/")]
pub enum ThreadStatus {
    NotLoaded,
    Idle,
    /// The last turn failed; until the next one begins or the thread is unloaded.
    SystemError,
    /// A turn runs.
    Active {
        active_flags: Vec<ThreadActiveFlag>,
    },
}

/// What a running turn waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum ThreadActiveFlag {
    WaitingOnApproval,
    WaitingOnUserInput,
}

/// What kind of program a thread comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum SessionSource {
    Cli,
    Vscode,
    Exec,
    AppServer,
    Custom(String),
    SubAgent(SubAgentSource),
    Unknown,
}

/// Why an agent made a thread; snake case on the wire, in both releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SubAgentSource {
    Review,
    Compact,
    ThreadSpawn {
        parent_thread_id: String,
        depth: i32,
        agent_path: Option<String>,
        agent_nickname: Option<String>,
        agent_role: Option<String>,
    },
    MemoryConsolidation,
    Other(String),
}

/// What is known of the repository that a thread works in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct GitInfo {
    pub sha: Option<String>,
    pub branch: Option<String>,
    pub origin_url: Option<String>,
}
