//! MCP servers.

use jsonrpc::RpcError;
use protocol::{
    McpAuthStatus, McpServerStartupState, McpServerStatus, McpServerStatusUpdatedNotification, McpTool,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tools::{McpError, McpServerState, McpStatus};

/// What a server that was asked says, or why it did not: its own error is handed on as it is.
pub(crate) fn mcp_error(error: McpError) -> RpcError {
    match error {
        McpError::Refused { code, message, data } => RpcError { code: code.into(), message, data },
        error => RpcError::internal(error.to_string()),
    }
}

/// What is known of a server; what it has to read is not among it.
pub(crate) fn mcp_server(
    state: &McpServerState,
    tools: impl Iterator<Item = Value>,
    auth_status: McpAuthStatus,
) -> McpServerStatus {
    let said = |key: &str| state.info.as_ref().and_then(|info| info.get(key)).cloned();
    let tools_error = match &state.status {
        McpStatus::Failed { error } => Some(error.to_string()),
        _ => None,
    };
    McpServerStatus {
        name: state.name.clone(),
        server_info: said("serverInfo").and_then(known),
        server_capabilities: said("capabilities"),
        tools: tools.filter_map(known).map(|tool: McpTool| (tool.name.clone(), tool)).collect(),
        tools_error,
        resources: Vec::new(),
        resource_templates: Vec::new(),
        auth_status,
    }
}

/// Reads what a server says in the words of its protocol; `None` for what does not fit them.
pub(crate) fn known<T: DeserializeOwned>(said: Value) -> Option<T> {
    serde_json::from_value(said).ok()
}

/// Says how a server of a thread is.
pub(crate) fn mcp_status(
    thread_id: String,
    name: String,
    status: &McpStatus,
) -> McpServerStatusUpdatedNotification {
    let (status, error) = match status {
        McpStatus::Starting => (McpServerStartupState::Starting, None),
        McpStatus::Ready => (McpServerStartupState::Ready, None),
        McpStatus::Failed { error } => (McpServerStartupState::Failed, Some(error.to_string())),
        McpStatus::Cancelled => (McpServerStartupState::Cancelled, None),
    };
    McpServerStatusUpdatedNotification { thread_id: Some(thread_id), name, status, error }
}
