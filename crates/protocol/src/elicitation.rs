//! `mcpServer/elicitation/request`: an MCP server wants something of the person.

mod form;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

pub use self::form::*;

/// Passes on what an MCP server wants of the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct McpServerElicitationRequestParams {
    pub thread_id: String,
    /// The turn that runs; null where the server asks by itself.
    pub turn_id: Option<String>,
    pub server_name: String,
    #[serde(flatten)]
    pub request: McpServerElicitationRequestKind,
}

/// What an MCP server wants of the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "mode", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "v2/")]
pub enum McpServerElicitationRequestKind {
    /// A form to be filled in.
    Form {
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        message: String,
        requested_schema: McpElicitationSchema,
    },
    /// A page to be visited.
    Url {
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        message: String,
        url: String,
        elicitation_id: String,
    },
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/", optional_fields = nullable)]
pub struct McpServerElicitationRequestResponse {
    pub action: McpServerElicitationAction,
    /// The form as it was filled in.
    pub content: Option<Value>,
    #[serde(rename = "_meta")]
    pub meta: Option<Value>,
}

/// What the person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum McpServerElicitationAction {
    Accept,
    Decline,
    Cancel,
}
