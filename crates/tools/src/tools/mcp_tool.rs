//! The tools of MCP servers.

use std::{
    pin::pin,
    sync::{Arc, PoisonError},
};

use config::{ApprovalPolicy, McpApproval};
use futures::{FutureExt, future::BoxFuture};
use mcp::{CallResult, Lease, McpError};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::{
    causes::with_causes,
    context::{Context, NoAnswer},
    exec::budget,
    host::{ElicitationQuestion, Elicited, News, Question, WaitsOn},
    mcp_call::McpCall,
    tool::{Call, Output, Stopped, Tool, function_of},
};

/// How many words on how far a call is may wait to be told: a client that reads slowly misses some.
const MOST_PROGRESS: usize = 16;

/// One tool of one server.
pub(crate) struct McpTool {
    pub(crate) lease: Arc<Lease>,
    pub(crate) tool: mcp::Tool,
    /// When the person is asked before it runs, as the config says.
    pub(crate) approval: McpApproval,
}

impl Tool for McpTool {
    fn spec(&self) -> Option<Value> {
        let description = self.tool.description().unwrap_or_default();
        Some(function_of(self.tool.name(), description, self.tool.input_schema().clone()))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let arguments = match call.arguments::<Option<Map<String, Value>>>() {
                Ok(arguments) => arguments.map_or(Value::Null, Value::Object),
                Err(told) => return Ok(told),
            };
            let shown_as = (self.tool.server(), self.tool.tool());
            let item = McpCall::begin(cx, call, shown_as, arguments.clone()).await;
            let outcome = match self.permitted(cx, &arguments).await {
                Ok(()) => self.call(cx, &call.id, &arguments).await,
                Err(refusal) => Err(refusal),
            };
            item.complete(cx, outcome.as_ref().map(stored).map_err(String::as_str)).await;
            Ok(match outcome {
                Ok(result) => told(&result),
                Err(reason) => reason.into(),
            })
        }
        .boxed()
    }
}

impl McpTool {
    /// Tells whether the person has a word in it, if the config and the server are to be believed.
    fn is_asked_about(&self, cx: &Context) -> bool {
        let only_looks = self.tool.hints().read_only == Some(true);
        match self.approval {
            McpApproval::Auto => !only_looks && cx.turn.sandbox.confines(),
            McpApproval::Prompt => true,
            McpApproval::Writes => !only_looks,
            McpApproval::Approve => false,
        }
    }

    /// Asks whether the tool may run, where the person has a word in it.
    async fn permitted(&self, cx: &Context, arguments: &Value) -> Result<(), String> {
        let name = (self.tool.server().to_owned(), self.tool.tool().to_owned());
        let allowed = || cx.thread.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_asked_about(cx) || allowed().allows_mcp_tool(&name) {
            return Ok(());
        }
        let asks = match &cx.turn.approval {
            ApprovalPolicy::Never => false,
            ApprovalPolicy::Granular(granular) => granular.mcp_elicitations,
            _ => true,
        };
        if !asks {
            return Err("rejected: this MCP tool may change things, and the approval policy forbids to ask"
                .to_owned());
        }
        let (server, tool) = &name;
        let question = ElicitationQuestion {
            server: server.clone(),
            message: format!("Allow the MCP server \"{server}\" to run its tool \"{tool}\"?"),
            schema: json!({ "type": "object", "properties": {} }),
            meta: Some(json!({
                "codex_approval_kind": "mcp_tool_call",
                "persist": ["session", "always"],
                "tool_description": self.tool.description(),
                "tool_params": arguments,
                "tool_title": self.tool.title(),
            })),
        };
        match cx.ask_person(WaitsOn::Approval, |reply| Question::Elicitation(question, reply)).await {
            Ok(Elicited::Accept { meta, .. }) => {
                let persist = meta.as_ref().and_then(|meta| meta["persist"].as_str());
                if persist == Some("always") {
                    cx.thread.workshop.always_allow(&name).await;
                }
                if matches!(persist, Some("session" | "always")) {
                    allowed().allow_mcp_tool(name);
                }
                Ok(())
            }
            Ok(Elicited::Decline | Elicited::Cancel) | Err(NoAnswer::Refused) => {
                Err("user rejected MCP tool call".to_owned())
            }
            Err(NoAnswer::Interrupted) => Err("aborted by user".to_owned()),
        }
    }

    /// Calls the tool, and tells how far it is meanwhile.
    async fn call(&self, cx: &Context, item: &str, arguments: &Value) -> Result<CallResult, String> {
        let (progress, mut said) = mpsc::channel(MOST_PROGRESS);
        let call = mcp::Call {
            server: self.tool.server(),
            tool: self.tool.tool(),
            arguments: arguments.as_object().cloned(),
            meta: None,
            progress: Some(progress),
        };
        let mut answer = pin!(self.lease.call(call, &cx.cancel));
        loop {
            tokio::select! {
                biased;
                Some(message) = said.recv() => {
                    cx.host.tell(News::Progress { item: item.to_owned(), message }).await;
                }
                answer = &mut answer => return answer.map_err(|error: McpError| with_causes(&error)),
            }
        }
    }
}

fn stored(result: &CallResult) -> Value {
    json!({
        "content": result.content,
        "structuredContent": result.structured_content,
        "isError": result.is_error,
        "_meta": result.meta,
    })
}

/// What the model is told: the parts that it can read, the rest as JSON, each text cut as any output is.
fn told(result: &CallResult) -> Output {
    let part = |part: &Value| match part["type"].as_str() {
        Some("text") => input_text(part["text"].as_str().unwrap_or_default()),
        Some("image") => {
            let url = format!(
                "data:{};base64,{}",
                part["mimeType"].as_str().unwrap_or("image/png"),
                part["data"].as_str().unwrap_or_default()
            );
            json!({ "type": "input_image", "image_url": url })
        }
        _ => input_text(&part.to_string()),
    };
    match (&result.content[..], &result.structured_content) {
        ([], Some(structured)) => budget::fit_text(&structured.to_string()).into(),
        ([only], _) if only["type"] == "text" => {
            budget::fit_text(only["text"].as_str().unwrap_or_default()).into()
        }
        (parts, _) => Output::Parts(parts.iter().map(part).collect()),
    }
}

fn input_text(text: &str) -> Value {
    json!({ "type": "input_text", "text": budget::fit_text(text) })
}
