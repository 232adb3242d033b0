//! Turns: one exchange with the agent, how far it got, and why it failed.

mod calls;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use ts_rs::TS;

pub use self::calls::*;
use crate::ThreadItem;

/// One turn of a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct Turn {
    pub id: String,
    /// As much as `itemsView` says; never missing, since clients of both releases need the field.
    pub items: Vec<ThreadItem>,
    #[serde(default)]
    pub items_view: TurnItemsView,
    pub status: TurnStatus,
    /// Why the turn failed; null unless `status` is `failed`.
    pub error: Option<TurnError>,
    /// Unix seconds.
    pub started_at: Option<i64>,
    /// Unix seconds.
    pub completed_at: Option<i64>,
    pub duration_ms: Option<i64>,
    /// The turn that this one was made for: itself, unless it belongs to a sub-agent.
    pub root_turn_id: Option<String>,
}

/// How far a turn got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum TurnStatus {
    Completed,
    Interrupted,
    Failed,
    InProgress,
}

/// How many of a turn's items are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum TurnItemsView {
    /// `items` is empty, whatever the turn holds.
    NotLoaded,
    /// The user's messages and the final answer.
    Summary,
    /// Every item.
    #[default]
    Full,
}

/// Why a turn failed, or why a request to the model is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct TurnError {
    pub message: String,
    #[serde(default, deserialize_with = "known_error_info")]
    pub codex_error_info: Option<CodexErrorInfo>,
    pub additional_details: Option<String>,
}

/// The kind of an error, for programs.
///
/// Only the kinds that both published releases know, since a client of the older one cannot read the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "v2/")]
pub enum CodexErrorInfo {
    ContextWindowExceeded,
    UsageLimitExceeded,
    ServerOverloaded,
    InternalServerError,
    Unauthorized,
    BadRequest,
    ThreadRollbackFailed,
    SandboxError,
    Other,
    /// No answer with a status came, or one that is no retry's business.
    HttpConnectionFailed {
        http_status_code: Option<u16>,
    },
    /// The stream of an answer could not be opened.
    ResponseStreamConnectionFailed {
        http_status_code: Option<u16>,
    },
    /// The stream of an answer ended early.
    ResponseStreamDisconnected {
        http_status_code: Option<u16>,
    },
    /// Every retry was used up.
    ResponseTooManyFailedAttempts {
        http_status_code: Option<u16>,
    },
    /// The running turn takes no further input.
    ActiveTurnNotSteerable {
        turn_kind: NonSteerableTurnKind,
    },
}

/// A kind of turn that takes no further input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum NonSteerableTurnKind {
    Review,
    Compact,
}

/// Reads an error kind as a rollout of any release may hold it: what we do not know is `other`.
fn known_error_info<'de, D: Deserializer<'de>>(from: D) -> Result<Option<CodexErrorInfo>, D::Error> {
    let info = Option::<Value>::deserialize(from)?;
    Ok(info.map(|info| serde_json::from_value(info).unwrap_or(CodexErrorInfo::Other)))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_kind_of_another_release_is_read_as_other() {
        for (written, read) in [
            (json!(null), None),
            (json!("badRequest"), Some(CodexErrorInfo::BadRequest)),
            (json!("rateLimitExceeded"), Some(CodexErrorInfo::Other)),
            (json!({"fromTheFuture": {"x": 1}}), Some(CodexErrorInfo::Other)),
            (
                json!({"httpConnectionFailed": {"httpStatusCode": 401}}),
                Some(CodexErrorInfo::HttpConnectionFailed { http_status_code: Some(401) }),
            ),
        ] {
            let error: TurnError =
                serde_json::from_value(json!({"message": "m", "codexErrorInfo": written})).unwrap();
            assert_eq!(error.codex_error_info, read, "{written}");
        }
        assert_eq!(serde_json::from_str::<TurnError>(r#"{"message":"m"}"#).unwrap().codex_error_info, None);
    }
}
