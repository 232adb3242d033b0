//! The error half of an answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a request was refused, as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RpcError {
    /// One of the constants below, or what the other side chose.
    pub code: i64,
    /// The text that clients show, and sometimes match on.
    pub message: String,
    /// What a program may act on; left out of the answer where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcError {
    /// The request makes no sense, or not now: by far the most common code of this protocol.
    pub const INVALID_REQUEST: i64 = -32600;
    /// The method has something that it cannot do; an *unknown* method is [`Self::INVALID_REQUEST`].
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The params have the right shape and a wrong content; used by few methods.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The request was fine and failed all the same.
    pub const INTERNAL: i64 = -32603;
    /// Too much is under way already.
    pub const OVERLOADED: i64 = -32001;

    /// Makes an error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// Makes an error of code [`Self::INVALID_REQUEST`].
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Self::INVALID_REQUEST, message)
    }

    /// Makes an error of code [`Self::METHOD_NOT_FOUND`].
    pub fn method_not_found(message: impl Into<String>) -> Self {
        Self::new(Self::METHOD_NOT_FOUND, message)
    }

    /// Makes an error of code [`Self::INVALID_PARAMS`].
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(Self::INVALID_PARAMS, message)
    }

    /// Makes an error of code [`Self::INTERNAL`].
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Self::INTERNAL, message)
    }

    /// Makes the error of code [`Self::OVERLOADED`], in the words that clients know.
    pub fn overloaded() -> Self {
        Self::new(Self::OVERLOADED, "Server overloaded; retry later.")
    }

    /// Adds what a program may act on.
    #[must_use]
    pub fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }
}
