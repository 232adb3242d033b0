//! Reading threads: one of them, pages of them, and pages of what is in one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Thread;
use crate::{PatchField, ThreadItem, Turn, TurnItemsView};

/// Reads one thread without loading it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadReadParams {
    pub thread_id: String,
    pub include_turns: Option<bool>,
}

/// One thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadReadResponse {
    pub thread: Thread,
}

/// Asks for a page of the stored threads.
///
/// An absent or empty filter lets everything pass, but for `sourceKinds` and `archived`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadListParams {
    pub cursor: Option<String>,
    pub limit: Option<u32>,
    pub sort_key: Option<ThreadSortKey>,
    pub sort_direction: Option<SortDirection>,
    pub model_providers: Option<Vec<String>>,
    /// Absent or empty means the sources that a person works with.
    pub source_kinds: Option<Vec<ThreadSourceKind>>,
    /// True means the archived ones only, anything else the others only.
    pub archived: Option<bool>,
    pub cwd: Option<ThreadListCwdFilter>,
    /// A piece of the preview or the name.
    pub search_term: Option<String>,
    pub originators: Option<Vec<String>>,
    pub excluded_thread_ids: Option<Vec<String>>,
    pub parent_thread_id: Option<String>,
    /// Descendants at any depth; not together with `parentThreadId`.
    pub ancestor_thread_id: Option<String>,
    pub attached_to_thread_id: Option<String>,
    /// Null means threads that are in no section.
    #[serde(default, skip_serializing_if = "PatchField::is_keep")]
    #[ts(as = "Option<String>")]
    pub section_id: PatchField<String>,
    /// Null means threads that belong to no project.
    #[serde(default, skip_serializing_if = "PatchField::is_keep")]
    #[ts(as = "Option<String>")]
    pub project_id: PatchField<String>,
    /// A hint that an answer from the index alone will do.
    pub use_state_db_only: Option<bool>,
}

/// One working directory, or any of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(untagged)]
#[ts(export_to = "v2/")]
pub enum ThreadListCwdFilter {
    One(String),
    Many(Vec<String>),
}

impl ThreadListCwdFilter {
    /// Returns the directories, of which any will do.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(cwd) => std::slice::from_ref(cwd),
            Self::Many(cwds) => cwds,
        }
    }
}

/// What threads are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "v2/")]
pub enum ThreadSortKey {
    #[default]
    CreatedAt,
    UpdatedAt,
    RecencyAt,
    /// The place in a section; needs `sectionId`.
    SectionPosition,
}

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export_to = "v2/")]
pub enum SortDirection {
    Asc,
    Desc,
}

/// The kinds of sources that a list can be narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum ThreadSourceKind {
    Cli,
    Vscode,
    Exec,
    AppServer,
    /// Every thread that an agent made.
    SubAgent,
    SubAgentReview,
    SubAgentCompact,
    SubAgentThreadSpawn,
    SubAgentOther,
    Unknown,
}

/// A page of threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadListResponse {
    pub data: Vec<Thread>,
    /// Null on the last page.
    pub next_cursor: Option<String>,
    /// For the opposite direction, from this page's first thread on; null on an empty page.
    pub backwards_cursor: Option<String>,
}

/// Asks for a page of the threads in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadLoadedListParams {
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// The ids of a page of the threads in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadLoadedListResponse {
    pub data: Vec<String>,
    pub next_cursor: Option<String>,
}

/// Asks for a page of a thread's turns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadTurnsListParams {
    pub thread_id: String,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
    /// Newest first where absent.
    pub sort_direction: Option<SortDirection>,
    /// The summary where absent.
    pub items_view: Option<TurnItemsView>,
}

/// A page of a thread's turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadTurnsListResponse {
    #[serde(flatten)]
    pub page: TurnsPage,
}

/// A page of a thread's turns, as a resume brings it along.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct TurnsPage {
    pub data: Vec<Turn>,
    pub next_cursor: Option<String>,
    pub backwards_cursor: Option<String>,
}

/// Asks for a page of a thread's items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadItemsListParams {
    pub thread_id: String,
    /// Only the items of this turn.
    pub turn_id: Option<String>,
    pub cursor: Option<ThreadItemsListCursor>,
    pub limit: Option<u32>,
    /// Oldest first where absent.
    pub sort_direction: Option<SortDirection>,
}

/// Where a page of items begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(untagged)]
#[ts(export_to = "v2/")]
pub enum ThreadItemsListCursor {
    /// What an earlier page gave.
    Opaque(String),
    Anchor(ThreadItemsListAnchor),
}

/// A thing in the thread that a page begins beside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "v2/")]
pub enum ThreadItemsListAnchor {
    /// An item of the turn in `turnId`, itself left out.
    Item { item_id: String },
}

/// A page of a thread's items.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadItemsListResponse {
    pub data: Vec<ThreadItemEntry>,
    pub next_cursor: Option<String>,
    pub backwards_cursor: Option<String>,
}

/// An item with its turn and its times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadItemEntry {
    pub turn_id: String,
    pub item: ThreadItem,
    pub started_at_ms: Option<i64>,
    pub completed_at_ms: Option<i64>,
}
