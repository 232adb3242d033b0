//! Words about the model: how hard it thinks, how it sums up, how it speaks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How hard the model thinks.
///
/// The schema lists the words that every client reads. Other words pass through, since a user's own model catalogue
/// may name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export_to = "v2/")]
pub enum ReasoningEffort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    #[serde(untagged)]
    #[schemars(skip)]
    #[ts(skip)]
    Other(String),
}
