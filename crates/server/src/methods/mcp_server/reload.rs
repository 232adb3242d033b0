//! `config/mcpServer/reload`: starts the MCP servers anew, by the config as it is now.

use jsonrpc::RpcError;
use protocol::{McpServerRefreshResponse as Response, NoParams};

use crate::context::Context;

/// Answers at once. Threads that are loaded have the new servers from now on; calls under way end with the old ones.
pub(crate) async fn handle(cx: Context, _: NoParams) -> Result<Response, RpcError> {
    // A config that is broken is told before anything is stopped.
    super::configured(&cx)?;
    cx.workshop.renew_servers();
    for thread in cx.agents.ids().into_iter().filter_map(|id| cx.agents.find(id)) {
        let loaded = cx.options.config.load(thread.tools().overrides());
        match loaded {
            Ok(config) => thread.renew_servers(config.mcp_servers),
            Err(error) => tracing::warn!(thread = %thread.id(), %error, "the MCP servers stay as they are"),
        }
    }
    Ok(Response {})
}
