//! The item that shows what is asked of an MCP server, from its beginning to its end.

use std::time::Instant;

use mcp::McpError;
use rollout::Event;
use serde_json::{Map, Value, json};

use crate::{
    causes::with_causes,
    context::Context,
    exec::budget,
    host::Began,
    record,
    tool::{Call, Output},
};

/// Whose a call is shown to be that is about all servers; the name is that of published releases.
pub(crate) const ALL_SERVERS: &str = "codex";

/// What is asked of a server.
pub(crate) struct McpCall<'a> {
    call: &'a Call,
    /// The server and the tool, as the item names them, and what that is called with.
    invocation: Value,
    began: Began,
    since: Instant,
}

impl<'a> McpCall<'a> {
    /// Tells that it begins.
    pub(crate) async fn begin(
        cx: &Context,
        call: &'a Call,
        (server, tool): (&str, &str),
        arguments: Value,
    ) -> Self {
        let item = json!({
            "type": "McpToolCall",
            "id": call.id,
            "server": server,
            "tool": tool,
            "arguments": arguments,
            "status": "in_progress",
        });
        let invocation = json!({ "server": server, "tool": tool, "arguments": arguments });
        let began = cx.begin(record::begun(item, &cx.turn.id)).await;
        Self { call, invocation, began, since: Instant::now() }
    }

    /// Completes it with the answer, in the words of the protocol, or the reason why there is none.
    pub(crate) async fn complete(self, cx: &Context, outcome: Result<Value, &str>) {
        let Self { call, invocation, began, since } = self;
        let event = Event::McpToolCallEnd {
            call_id: call.id.clone(),
            invocation,
            duration: Some(record::duration(since.elapsed())),
            result: match outcome {
                Ok(result) => json!({ "Ok": result }),
                Err(reason) => json!({ "Err": reason }),
            },
            extra: Map::from_iter([("turn_id".to_owned(), cx.turn.id.as_str().into())]),
        };
        cx.host.complete(event, began).await;
    }

    /// Completes it with an answer that is shown as JSON, and returns what the model is told.
    pub(crate) async fn tell(self, cx: &Context, answer: Result<Value, McpError>) -> Output {
        let told = answer.map(|value| value.to_string()).map_err(|error| with_causes(&error));
        let shown = told.as_ref().map(|text| json!({ "content": [{ "type": "text", "text": text }] }));
        self.complete(cx, shown.map_err(String::as_str)).await;
        told.map_or_else(|reason| reason, |text| budget::fit_text(&text)).into()
    }
}
