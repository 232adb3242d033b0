//! `mcpServer/tool/call`: the client calls a tool by itself.

use pretty_assertions::assert_eq;
use protocol::{McpServerToolCall, McpServerToolCallParams};
use serde_json::json;
use testkit::{Daemon, Home};

use crate::steps::{UNKNOWN, refused, start};

#[tokio::test]
async fn a_tool_is_called_unasked_and_its_failure_is_an_answer() {
    let home = Home::new().with_mcp_server("shell", "", "disabled_tools = [\"look\"]");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let of = |thread: &str, server: &str, tool: &str| McpServerToolCallParams {
        thread_id: thread.to_owned(),
        server: server.to_owned(),
        tool: tool.to_owned(),
        ..McpServerToolCallParams::default()
    };
    let changed = d.call::<McpServerToolCall>(of(&id, "shell", "change")).await;
    assert_eq!(changed.content, [json!({ "type": "text", "text": "changed" })]);
    let failed = d.call::<McpServerToolCall>(of(&id, "shell", "fail")).await;
    assert_eq!(failed.is_error, Some(true));
    for (server, tool, told) in [
        ("shell", "look", "tool `look` of MCP server `shell` is disabled"),
        ("nope", "look", "unknown MCP server 'nope'"),
    ] {
        let error = d.fail::<McpServerToolCall>(of(&id, server, tool)).await;
        assert_eq!((error.code, error.message.as_str()), (-32603, told));
    }
    let odd = McpServerToolCallParams { arguments: Some(json!([1])), ..of(&id, "shell", "change") };
    assert_eq!(refused(d.fail::<McpServerToolCall>(odd).await), "arguments must be an object");
    let told = refused(d.fail::<McpServerToolCall>(of(UNKNOWN, "shell", "change")).await);
    assert_eq!(told, format!("thread not found: {UNKNOWN}"));
}
