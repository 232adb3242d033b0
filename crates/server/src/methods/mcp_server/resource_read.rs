//! `mcpServer/resource/read`: reads something that an MCP server has.

use jsonrpc::RpcError;
use protocol::{McpResourceReadParams as Params, McpResourceReadResponse as Response};
use tokio_util::sync::CancellationToken;

use crate::{context::Context, wire};

/// Waits for a server that is still starting, as long as its entry lets it; parts that are neither text nor bytes are
/// left out.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, server, uri } = params;
    let lease = super::servers(&cx, thread_id.as_deref())?;
    let read = lease.read_resource(&server, &uri, &CancellationToken::new()).await;
    let answer = read.map_err(wire::mcp_error)?;
    let contents = answer["contents"].as_array().into_iter().flatten().cloned();
    Ok(Response { contents: contents.filter_map(wire::known).collect() })
}
