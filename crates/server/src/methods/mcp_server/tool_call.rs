//! `mcpServer/tool/call`: the client calls a tool of an MCP server, which the model hears nothing of.

use jsonrpc::RpcError;
use protocol::{McpServerToolCallParams as Params, McpServerToolCallResponse as Response};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tools::{McpCallOf, McpCallResult};

use crate::{context::Context, error::invalid, wire};

/// Nobody is asked whether it may: it is the person's own client that calls.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, server, tool, arguments, meta } = params;
    let object = |what: &str, value: Option<Value>| match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(invalid(format!("{what} must be an object"))),
    };
    let (arguments, meta) = (object("arguments", arguments)?, object("_meta", meta)?);
    let lease = super::servers(&cx, Some(&thread_id))?;
    let call = McpCallOf { server: &server, tool: &tool, arguments, meta, progress: None };
    let called = lease.call(call, &CancellationToken::new()).await.map_err(wire::mcp_error)?;
    let McpCallResult { content, structured_content, is_error, meta } = called;
    Ok(Response { content, structured_content, is_error, meta: meta.map(Value::Object) })
}
