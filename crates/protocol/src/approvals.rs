//! When the agent asks before it acts, and who answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// When the agent asks before it acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export_to = "v2/")]
pub enum AskForApproval {
    /// Everything but commands known to be harmless.
    #[serde(rename = "untrusted")]
    UnlessTrusted,
    /// What the sandbox refused. Understood from clients of the older release; told as `on-request`, since clients
    /// of the newer one cannot read the word.
    #[serde(rename(deserialize = "on-failure", serialize = "on-request"))]
    #[schemars(skip)]
    #[ts(skip)]
    OnFailure,
    /// What the model asks for.
    OnRequest,
    /// Each kind of question on or off; experimental.
    Granular(GranularApproval),
    /// Nothing: what would be asked is refused.
    Never,
}

/// Which kinds of questions are asked; the others are refused unasked. Snake case on the wire, in both releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(export_to = "v2/")]
pub struct GranularApproval {
    pub sandbox_approval: bool,
    pub rules: bool,
    #[serde(default)]
    pub skill_approval: bool,
    #[serde(default)]
    pub request_permissions: bool,
    pub mcp_elicitations: bool,
}

/// Who answers the agent's questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "v2/")]
pub enum ApprovalsReviewer {
    #[default]
    User,
    /// Another agent. The newer release's word for it is understood, the older one's is told: both releases read it.
    #[serde(alias = "auto_review")]
    GuardianSubagent,
}
