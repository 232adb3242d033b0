//! MCP servers.

use protocol::{McpServerStartupState, McpServerStatusUpdatedNotification};
use tools::McpStatus;

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
