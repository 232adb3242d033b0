//! What joins a request and its answer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of a request, sent back with the type and the value that it came with.
///
/// Anything else (null, a fraction, a number beyond 64 bits) does not decode.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A JSON integer.
    Integer(i64),
    /// A JSON string, which may be empty.
    String(String),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => id.fmt(f),
            Self::String(id) => id.fmt(f),
        }
    }
}

impl From<i64> for RequestId {
    fn from(id: i64) -> Self {
        Self::Integer(id)
    }
}

impl From<&str> for RequestId {
    fn from(id: &str) -> Self {
        Self::String(id.to_owned())
    }
}
