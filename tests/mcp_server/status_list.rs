//! `mcpServerStatus/list`: every server of the config, what it offers, and why it does not.

use pretty_assertions::assert_eq;
use protocol::{
    ListMcpServerStatusParams, McpAuthStatus, McpServerStatus, McpServerStatusDetail, McpServerStatusList,
};
use testkit::{Daemon, Home};

use crate::steps::{UNKNOWN, refused, start};

fn tools(status: &McpServerStatus) -> Vec<&str> {
    status.tools.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn servers_are_listed_by_name_also_those_that_are_disabled_or_dead() {
    let home = Home::new()
        .with_mcp_server("shell", "", "disabled_tools = [\"fail\", \"ask\"]")
        .with_mcp_server("off", "", "enabled = false")
        .with_mcp_server("dead", "dead", "");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    for thread_id in [None, Some(id)] {
        let params = ListMcpServerStatusParams { thread_id, ..ListMcpServerStatusParams::default() };
        let listed = d.call::<McpServerStatusList>(params).await;
        let [dead, off, shell] = &listed.data[..] else { panic!("{listed:?}") };
        let name = |status: &McpServerStatus| (status.name.clone(), status.auth_status);
        let all = [dead, off, shell].map(name);
        assert_eq!(all, ["dead", "off", "shell"].map(|name| (name.to_owned(), McpAuthStatus::Unsupported)));
        let error = dead.tools_error.as_deref().unwrap();
        assert!(error.contains("exit status: 3") && error.contains("no configuration found"), "{error}");
        assert_eq!((tools(off), &off.tools_error, &off.server_info), (vec![], &None, &None));
        assert_eq!(tools(shell), ["change", "look", "work"]);
        assert_eq!(shell.tools["change"].description.as_deref(), Some("Changes."));
        assert_eq!(shell.server_info.as_ref().unwrap().name, "shell");
        assert_eq!(shell.resources[0].uri, "shell://a");
        assert_eq!(shell.resource_templates[0].uri_template, "shell://{x}");
        assert_eq!(listed.next_cursor, None);
    }
}

#[tokio::test]
async fn a_page_holds_what_was_asked_for_and_no_more() {
    let home = Home::new().with_mcp_server("a", "", "").with_mcp_server("b", "", "");
    let mut d = Daemon::start(&home).await;
    let page = |cursor: Option<&str>, limit| ListMcpServerStatusParams {
        cursor: cursor.map(str::to_owned),
        limit: Some(limit),
        detail: Some(McpServerStatusDetail::ToolsAndAuthOnly),
        ..ListMcpServerStatusParams::default()
    };
    let first = d.call::<McpServerStatusList>(page(None, 0)).await;
    assert_eq!((first.data[0].name.as_str(), first.next_cursor.as_deref()), ("a", Some("1")));
    assert_eq!(first.data[0].resources, []);
    let second = d.call::<McpServerStatusList>(page(Some("1"), 5)).await;
    assert_eq!((second.data[0].name.as_str(), second.next_cursor), ("b", None));
    assert_eq!(d.call::<McpServerStatusList>(page(Some("2"), 1)).await.data, []);
    let only = ListMcpServerStatusParams { server_name: Some("b".into()), ..page(None, 5) };
    assert_eq!(d.call::<McpServerStatusList>(only).await.data.len(), 1);
    for (cursor, told) in [("x", "invalid cursor: x"), ("3", "cursor 3 exceeds total MCP servers 2")] {
        assert_eq!(refused(d.fail::<McpServerStatusList>(page(Some(cursor), 1)).await), told);
    }
    let nowhere = ListMcpServerStatusParams { thread_id: Some(UNKNOWN.into()), ..page(None, 1) };
    let told = refused(d.fail::<McpServerStatusList>(nowhere).await);
    assert_eq!(told, format!("thread not found: {UNKNOWN}"));
}
