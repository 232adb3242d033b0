//! `review/start`: has the agent look over changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Turn;

/// Has the agent look over changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ReviewStartParams {
    pub thread_id: String,
    pub target: ReviewTarget,
    /// Absent, it is `inline`.
    pub delivery: Option<ReviewDelivery>,
}

/// What is looked over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub enum ReviewTarget {
    /// What the working tree has and the last commit has not.
    UncommittedChanges,
    /// What the branch does not have.
    BaseBranch { branch: String },
    /// What one commit brought.
    Commit {
        sha: String,
        /// What to call it.
        title: Option<String>,
    },
    /// What the words say.
    Custom { instructions: String },
}

/// Where the review goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum ReviewDelivery {
    /// In the thread itself.
    Inline,
    /// In a new one.
    Detached,
}

/// The turn in which the review is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ReviewStartResponse {
    pub turn: Turn,
    /// The thread of that turn.
    pub review_thread_id: String,
}
