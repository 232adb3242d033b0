//! Words about the model: how hard it thinks, how it sums up, how it speaks, how fast it is served.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How hard the model thinks.
///
/// The schema lists the words that every client reads. Other words pass through, since a user's own model catalogue
/// may name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
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

/// How much of its thinking the model sums up for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningSummary {
    Auto,
    Concise,
    Detailed,
    None,
}

/// How the model speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum Personality {
    None,
    Friendly,
    Pragmatic,
}

/// How fast, and at what price, requests to the model are served.
///
/// The schema lists the words that every client reads; a provider may know others, which are told only to clients
/// of a thread for which one was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum ServiceTier {
    Fast,
    Flex,
    #[serde(untagged)]
    #[schemars(skip)]
    #[ts(skip)]
    Other(String),
}

/// How the person and the agent work together; outranks the model and the effort given beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CollaborationMode {
    pub mode: ModeKind,
    pub settings: Settings,
}

/// The kinds of working together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "lowercase")]
pub enum ModeKind {
    Plan,
    Default,
}

/// What a collaboration mode sets; snake case on the wire, in both releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Settings {
    pub model: String,
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Null means the built-in instructions of the mode.
    pub developer_instructions: Option<String>,
}
