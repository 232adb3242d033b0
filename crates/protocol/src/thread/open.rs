//! `thread/start`, `thread/resume`, `thread/fork`: the calls that load a thread, and what they answer.

use std::collections::BTreeMap;

use items::ResponseItem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::{SortDirection, Thread, ThreadHistoryMode, TurnsPage};
use crate::{
    AbsolutePathBuf, ApprovalsReviewer, AskForApproval, DynamicToolSpec, PatchField, Personality,
    ReasoningEffort, SandboxMode, SandboxPolicy, ServiceTier, TurnEnvironmentParams, TurnItemsView,
};

/// What a client may set differently from the config when it loads a thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadOverrides {
    pub model: Option<String>,
    pub model_provider: Option<String>,
    #[serde(default, skip_serializing_if = "PatchField::is_keep")]
    #[ts(as = "Option<ServiceTier>")]
    pub service_tier: PatchField<ServiceTier>,
    pub cwd: Option<String>,
    pub approval_policy: Option<AskForApproval>,
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    pub sandbox: Option<SandboxMode>,
    /// A named permission profile, such as `:read-only`; not together with `sandbox`.
    pub permissions: Option<String>,
    /// The workspace roots, in place of those of the config.
    pub runtime_workspace_roots: Option<Vec<AbsolutePathBuf>>,
    /// Keys of the config, by dotted path.
    pub config: Option<BTreeMap<String, Value>>,
    pub base_instructions: Option<String>,
    pub developer_instructions: Option<String>,
}

/// What is in force in a thread that was just loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadSettings {
    pub model: String,
    pub model_provider: String,
    pub service_tier: Option<ServiceTier>,
    pub cwd: String,
    /// The files of instructions that were read for the thread.
    #[serde(default)]
    pub instruction_sources: Vec<String>,
    pub approval_policy: AskForApproval,
    pub approvals_reviewer: ApprovalsReviewer,
    pub sandbox: SandboxPolicy,
    pub reasoning_effort: Option<ReasoningEffort>,
}

/// Starts a thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadStartParams {
    #[serde(flatten)]
    pub overrides: ThreadOverrides,
    pub service_name: Option<String>,
    pub personality: Option<Personality>,
    /// Whether nothing of the thread is to be stored.
    pub ephemeral: Option<bool>,
    /// What the client calls its reason for the thread.
    pub thread_source: Option<String>,
    pub history_mode: Option<ThreadHistoryMode>,
    /// Tools that the client runs.
    pub dynamic_tools: Option<Vec<DynamicToolSpec>>,
    pub environments: Option<Vec<TurnEnvironmentParams>>,
    pub experimental_raw_events: Option<bool>,
    pub persist_extended_history: Option<bool>,
    /// Does nothing: a field for trying the experimental gate.
    pub mock_experimental_field: Option<String>,
}

/// The thread just started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadStartResponse {
    pub thread: Thread,
    #[serde(flatten)]
    pub settings: ThreadSettings,
}

/// Loads a stored thread, or listens to a loaded one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadResumeParams {
    /// Not looked at when `path` is given.
    pub thread_id: String,
    #[serde(flatten)]
    pub overrides: ThreadOverrides,
    pub personality: Option<Personality>,
    /// The rollout to open.
    pub path: Option<String>,
    /// What the model is to know, for a thread that begins anew with it.
    #[schemars(with = "Option<Vec<BTreeMap<String, Value>>>")]
    #[ts(type = "Array<{ [key in string]?: unknown }> | null")]
    pub history: Option<Vec<ResponseItem>>,
    pub persist_extended_history: Option<bool>,
    pub exclude_turns: Option<bool>,
    pub initial_turns_page: Option<ThreadResumeInitialTurnsPageParams>,
}

/// Which turns a resume is to bring along as a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadResumeInitialTurnsPageParams {
    pub limit: Option<u32>,
    pub sort_direction: Option<SortDirection>,
    pub items_view: Option<TurnItemsView>,
}

/// The thread just loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadResumeResponse {
    pub thread: Thread,
    #[serde(flatten)]
    pub settings: ThreadSettings,
    pub initial_turns_page: Option<TurnsPage>,
    /// Where to go on backwards with `thread/turns/list`, when turns were left out.
    pub turns_backwards_cursor: Option<String>,
    /// Where to go on backwards with `thread/items/list`, when turns were left out.
    pub items_backwards_cursor: Option<String>,
}

/// Starts a thread with the history of another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct ThreadForkParams {
    /// Not looked at when `path` is given.
    pub thread_id: String,
    #[serde(flatten)]
    pub overrides: ThreadOverrides,
    /// The rollout to copy.
    pub path: Option<String>,
    pub ephemeral: Option<bool>,
    pub thread_source: Option<String>,
    pub exclude_turns: Option<bool>,
    /// The last turn that the fork keeps.
    pub last_turn_id: Option<String>,
    /// The first turn that the fork does not keep.
    pub before_turn_id: Option<String>,
    pub persist_extended_history: Option<bool>,
}

/// The thread just forked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct ThreadForkResponse {
    pub thread: Thread,
    #[serde(flatten)]
    pub settings: ThreadSettings,
}
