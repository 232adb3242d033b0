//! Why a turn failed: as a rollout keeps it, from which the wire form is projected.

use model::{ErrorKind, ModelError};
use rollout::Event as StoredEvent;
use serde_json::{Value, json};

use crate::{AgentError, records};

/// What a usage limit is called in rollouts.
const USAGE_LIMIT: &str = "usage_limit_exceeded";

/// A failure of a turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) details: Option<String>,
    /// The kind in the words of rollouts, such as `context_window_exceeded`.
    pub(crate) info: Value,
}

impl Failure {
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { message: message.into(), details: None, info: "other".into() }
    }

    /// A stream that broke off and is asked for again.
    pub(crate) fn reconnecting(attempt: u32, of: u32, error: &ModelError) -> Self {
        let status = error.kind.http_status();
        Self {
            message: format!("Reconnecting... {attempt}/{of}"),
            details: Some(error.message.clone()),
            info: json!({ "response_stream_disconnected": { "http_status_code": status } }),
        }
    }

    /// Tells whether the provider gives no more for now.
    pub(crate) fn is_usage_limit(&self) -> bool {
        self.info == USAGE_LIMIT
    }

    pub(crate) fn record(&self, turn: &str) -> StoredEvent {
        records::error(turn, self)
    }
}

impl From<&ModelError> for Failure {
    fn from(error: &ModelError) -> Self {
        let info = match &error.kind {
            ErrorKind::ContextWindowExceeded => json!("context_window_exceeded"),
            ErrorKind::UsageLimitExceeded => json!(USAGE_LIMIT),
            ErrorKind::ServerOverloaded => json!("server_overloaded"),
            ErrorKind::InternalServerError => json!("internal_server_error"),
            ErrorKind::TooManyFailedAttempts { status } => {
                json!({ "response_too_many_failed_attempts": { "http_status_code": status } })
            }
            ErrorKind::HttpConnectionFailed { status } => {
                json!({ "http_connection_failed": { "http_status_code": status } })
            }
            ErrorKind::StreamDisconnected | ErrorKind::Other => json!("other"),
        };
        Self { message: error.message.clone(), details: error.details.clone(), info }
    }
}

impl From<&AgentError> for Failure {
    fn from(error: &AgentError) -> Self {
        Self::internal(tools::with_causes(error))
    }
}
