//! `read_mcp_resource`: reads something that an MCP server has.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use mcp::Lease;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    context::Context,
    mcp_call::McpCall,
    tool::{Call, Output, Stopped, Tool, function},
};

pub(crate) struct ReadMcpResource {
    pub(crate) lease: Arc<Lease>,
}

#[derive(Deserialize, Serialize)]
struct Arguments {
    server: String,
    uri: String,
}

impl ReadMcpResource {
    pub(crate) const NAME: &str = "read_mcp_resource";
}

impl Tool for ReadMcpResource {
    fn spec(&self) -> Option<Value> {
        let properties = json!({
            "server": { "type": "string", "description": "The server, as `list_mcp_resources` names it." },
            "uri": { "type": "string", "description": "The resource: listed, or made from a listed template." },
        });
        Some(function(Self::NAME, "Reads a resource of an MCP server.", properties, &["server", "uri"]))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let arguments: Arguments = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let Arguments { server, uri } = &arguments;
            let item = McpCall::begin(cx, call, (server, Self::NAME), json!(arguments)).await;
            let answer = self.lease.read_resource(server, uri, &cx.cancel).await;
            Ok(item.tell(cx, answer).await)
        }
        .boxed()
    }
}
