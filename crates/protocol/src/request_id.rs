//! The id by which an answer finds its request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The id of a request: text or a whole number, given back as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(untagged)]
pub enum RequestId {
    /// Any text, also none.
    String(String),
    /// A whole number.
    Integer(i64),
}
