//! `item/fileChange/requestApproval`: may these files be changed?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Asks whether files may be changed. The changes stand in the item, which is told before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct FileChangeRequestApprovalParams {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    pub started_at_ms: i64,
    pub reason: Option<String>,
    /// A folder that may be written for the rest of the thread if the answer is yes.
    pub grant_root: Option<String>,
}

/// The answer about changes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct FileChangeRequestApprovalResponse {
    pub decision: FileChangeApprovalDecision,
}

/// What is decided about changes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum FileChangeApprovalDecision {
    /// They are made, this once.
    Accept,
    /// They are made, and changes of the same files are not asked about again in this thread.
    AcceptForSession,
    /// They are not made; the turn goes on.
    Decline,
    /// They are not made, and the turn ends.
    Cancel,
}
