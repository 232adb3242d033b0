//! When the agent asks before it acts, who answers, and what is asked.

mod command;
mod file_change;
mod permissions;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::command::*;
pub use self::file_change::*;
pub use self::permissions::*;

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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn told<T: DeserializeOwned + Serialize>(said: Value) -> Value {
        serde_json::to_value(serde_json::from_value::<T>(said).unwrap()).unwrap()
    }

    #[test]
    fn a_word_of_one_release_is_told_by_one_that_both_know() {
        assert_eq!(told::<AskForApproval>(json!("on-failure")), json!("on-request"));
        assert_eq!(told::<AskForApproval>(json!("untrusted")), json!("untrusted"));
        assert_eq!(told::<ApprovalsReviewer>(json!("auto_review")), json!("guardian_subagent"));
    }

    #[test]
    fn what_a_granular_policy_leaves_out_is_off() {
        let said =
            json!({ "granular": { "sandbox_approval": true, "rules": false, "mcp_elicitations": true } });
        let mut full = said.clone();
        full["granular"]["skill_approval"] = false.into();
        full["granular"]["request_permissions"] = false.into();
        assert_eq!(told::<AskForApproval>(said), full);
    }
}
