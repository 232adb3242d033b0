//! `list_mcp_resources` and `list_mcp_resource_templates`: what MCP servers have to read.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use mcp::Lease;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    context::Context,
    mcp_call::{ALL_SERVERS, McpCall},
    tool::{Call, Output, Stopped, Tool, function},
};

/// Lists something of all servers, or page by page of one.
pub(crate) struct ListMcpResources {
    pub(crate) lease: Arc<Lease>,
    pub(crate) what: Listed,
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    Resources,
    Templates,
}

#[derive(Deserialize, Serialize)]
struct Arguments {
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl Listed {
    /// Returns the name of the tool.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Resources => "list_mcp_resources",
            Self::Templates => "list_mcp_resource_templates",
        }
    }
}

impl Tool for ListMcpResources {
    fn spec(&self) -> Option<Value> {
        let description = match self.what {
            Listed::Resources => {
                "Lists what MCP servers have to read, such as files, schemas or records. Prefer it to searching the web."
            }
            Listed::Templates => {
                "Lists the patterns from which the URIs of further resources of MCP servers are made."
            }
        };
        let properties = json!({
            "server": { "type": "string", "description": "The server; all of them by default." },
            "cursor": {
                "type": "string",
                "description": "With `server`: where the next page begins, as the page before it said.",
            },
        });
        Some(function(self.what.name(), description, properties, &[]))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let arguments: Arguments = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let shown_as = (arguments.server.as_deref().unwrap_or(ALL_SERVERS), self.what.name());
            let item = McpCall::begin(cx, call, shown_as, json!(arguments)).await;
            let Arguments { server, cursor } = arguments;
            let answer = match self.what {
                Listed::Resources => self.lease.list_resources(server.as_deref(), cursor, &cx.cancel).await,
                Listed::Templates => {
                    self.lease.list_resource_templates(server.as_deref(), cursor, &cx.cancel).await
                }
            };
            Ok(item.tell(cx, answer).await)
        }
        .boxed()
    }
}
