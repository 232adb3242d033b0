//! `turn/start`, `turn/steer`, `turn/interrupt`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::Turn;
use crate::{
    AbsolutePathBuf, ApprovalsReviewer, AskForApproval, CollaborationMode, PatchField, Personality,
    ReasoningEffort, ReasoningSummary, SandboxPolicy, ServiceTier, UserInput,
};

/// Says something to the agent. Overrides hold for this turn and the thread's later ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct TurnStartParams {
    pub thread_id: String,
    pub input: Vec<UserInput>,
    /// The client's own id of the message; it comes back in the item.
    pub client_user_message_id: Option<String>,
    pub cwd: Option<String>,
    pub approval_policy: Option<AskForApproval>,
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    pub sandbox_policy: Option<SandboxPolicy>,
    /// A named permission profile, such as `:read-only`; not together with `sandboxPolicy`.
    pub permissions: Option<String>,
    pub runtime_workspace_roots: Option<Vec<AbsolutePathBuf>>,
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "PatchField::is_keep")]
    #[ts(as = "Option<ServiceTier>")]
    pub service_tier: PatchField<ServiceTier>,
    /// The service tier of this turn alone.
    pub service_tier_for_turn: Option<ServiceTier>,
    pub effort: Option<ReasoningEffort>,
    pub summary: Option<ReasoningSummary>,
    pub personality: Option<Personality>,
    /// A JSON Schema for the final answer of this turn.
    pub output_schema: Option<Value>,
    pub collaboration_mode: Option<CollaborationMode>,
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// The output of a tool that the client ran by itself, to begin the turn with.
    pub tool_output: Option<TurnToolOutput>,
    pub environments: Option<Vec<TurnEnvironmentParams>>,
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    pub parent_turn_id: Option<String>,
    /// The first turn of the chain of work that led to this one.
    pub root_turn_id: Option<String>,
}

/// The output of a tool that the client ran by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct TurnToolOutput {
    pub name: String,
    pub namespace: Option<String>,
    /// A text, or the parts of a message.
    pub output: Value,
    pub retain: Option<bool>,
}

/// A place where commands run, other than the server's own; an empty list of them means that none may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct TurnEnvironmentParams {
    pub environment_id: String,
    pub cwd: String,
    pub runtime_workspace_roots: Option<Vec<String>>,
}

/// A piece of context that the client gives along, by an opaque name of its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct AdditionalContextEntry {
    pub kind: AdditionalContextKind,
    pub name: Option<String>,
    pub value: String,
}

/// Whose word a piece of context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum AdditionalContextKind {
    Untrusted,
    Application,
}

/// The turn just begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct TurnStartResponse {
    pub turn: Turn,
}

/// Says something more in a running turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct TurnSteerParams {
    pub thread_id: String,
    pub input: Vec<UserInput>,
    /// Refused unless this turn is the one that runs.
    pub expected_turn_id: String,
    pub client_user_message_id: Option<String>,
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
}

/// The turn that took the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct TurnSteerResponse {
    pub turn_id: String,
}

/// Stops a running turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct TurnInterruptParams {
    pub thread_id: String,
    pub turn_id: String,
}

/// The turn is being stopped; its end is told by `turn/completed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(export_to = "v2/")]
pub struct TurnInterruptResponse {}
