//! `mcpServer/*` and its like: MCP servers, as clients look at them and use them.

pub(crate) mod reload;
pub(crate) mod resource_read;
pub(crate) mod status_list;
pub(crate) mod tool_call;

use std::sync::Arc;

use jsonrpc::RpcError;
use serde_json::Map;
use tools::{McpEntries, McpLease};

use crate::{context::Context, error::of_agent, wire};

/// Returns the servers of a thread, or those that the config names: for as long as they are used.
fn servers(cx: &Context, thread: Option<&str>) -> Result<Arc<McpLease>, RpcError> {
    let Some(thread) = thread else {
        return Ok(Arc::new(cx.workshop.lease(&configured(cx)?)));
    };
    let thread = cx.agents.require(wire::thread_id(thread)?).map_err(|error| of_agent(&error))?;
    thread.start_servers();
    Ok(thread.tools().mcp_lease().unwrap_or_else(|| Arc::new(cx.workshop.lease(&McpEntries::new()))))
}

/// Returns the servers that the config names now.
fn configured(cx: &Context) -> Result<McpEntries, RpcError> {
    let config = cx.options.config.load(&Map::new()).map_err(|error| wire::config_error(&error))?;
    Ok(config.mcp_servers)
}
