//! What MCP servers have to read, as the model gets to it.

use pretty_assertions::assert_eq;
use protocol::{McpToolCallStatus, ThreadItem};
use serde_json::{Value, json};
use testkit::{Daemon, Home, call, say};

use crate::steps::{start, turn, turns};

const TOOLS: [&str; 3] = ["list_mcp_resources", "list_mcp_resource_templates", "read_mcp_resource"];

#[tokio::test]
async fn the_tools_are_offered_where_there_is_a_server_that_is_not_disabled() {
    for (lines, offered) in [(None, false), (Some(""), true), (Some("enabled = false"), false)] {
        let home = Home::new();
        let home = match lines {
            Some(lines) => home.with_mcp_server("shell", "", lines),
            None => home,
        };
        let mut d = Daemon::start(&home).await;
        let id = start(&mut d).await;
        turn(&mut d, &id, "hi").await;
        let request = home.model().last_request();
        let tools = request.tools();
        assert_eq!(TOOLS.map(|tool| tools.contains(&tool)), [offered; 3], "{lines:?}");
    }
}

#[tokio::test]
async fn resources_are_listed_and_read_and_the_thread_reads_back_so() {
    let home = Home::new().with_mcp_server("shell", "", "");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let read = |uri: &str| json!({ "server": "shell", "uri": uri });
    home.model().script([
        call("r1", TOOLS[0], &json!({})),
        call("r2", TOOLS[1], &json!({ "server": "shell" })),
        call("r3", TOOLS[2], &read("shell://a")),
        call("r4", TOOLS[2], &read("shell://none")),
        call("r5", TOOLS[2], &json!({ "server": "nope", "uri": "x" })),
        call("r6", TOOLS[2], &json!({ "server": "shell" })),
        say("done"),
    ]);
    turn(&mut d, &id, "go").await;
    let request = home.model().last_request();
    let told = |call: &str| request.output_of(call).as_str().unwrap().to_owned();
    let parsed = |call: &str| serde_json::from_str::<Value>(&told(call)).unwrap();
    let resource = json!({ "server": "shell", "uri": "shell://a", "name": "a" });
    assert_eq!(parsed("r1"), json!({ "resources": [resource] }));
    let template = json!({ "server": "shell", "uriTemplate": "shell://{x}", "name": "t" });
    assert_eq!(parsed("r2"), json!({ "server": "shell", "resourceTemplates": [template] }));
    assert_eq!(parsed("r3"), json!({ "contents": [{ "uri": "shell://a", "text": "hello" }] }));
    assert_eq!(told("r4"), "no such thing");
    assert_eq!(told("r5"), "unknown MCP server 'nope'");
    assert_eq!(told("r6"), "failed to parse function arguments: missing field `uri` at line 1 column 18");
    let stored = turns(d.restart().await, &id).await;
    let shown = stored[0].items.iter().filter_map(|item| match item {
        ThreadItem::McpToolCall { id, server, tool, status, .. } => {
            Some((id.as_str(), server.as_str(), tool.as_str(), *status))
        }
        _ => None,
    });
    let expected = [
        ("r1", "codex", TOOLS[0], McpToolCallStatus::Completed),
        ("r2", "shell", TOOLS[1], McpToolCallStatus::Completed),
        ("r3", "shell", TOOLS[2], McpToolCallStatus::Completed),
        ("r4", "shell", TOOLS[2], McpToolCallStatus::Failed),
        ("r5", "nope", TOOLS[2], McpToolCallStatus::Failed),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}
