//! `mcpServer/resource/read`: what a server has, for the client.

use pretty_assertions::assert_eq;
use protocol::{McpResourceContent, McpResourceReadParams, McpServerResourceRead};
use testkit::{Daemon, Home};

use crate::steps::{UNKNOWN, refused, start};

#[tokio::test]
async fn a_resource_is_read_in_a_thread_and_without_one() {
    let home = Home::new().with_mcp_server("shell", "", "");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let of = |thread: Option<&str>, server: &str, uri: &str| McpResourceReadParams {
        thread_id: thread.map(str::to_owned),
        server: server.to_owned(),
        uri: uri.to_owned(),
    };
    for thread in [None, Some(id.as_str())] {
        let read = d.call::<McpServerResourceRead>(of(thread, "shell", "shell://a")).await;
        let hello = McpResourceContent::Text {
            uri: "shell://a".into(),
            mime_type: None,
            text: "hello".into(),
            meta: None,
        };
        assert_eq!(read.contents, [hello]);
        let error = d.fail::<McpServerResourceRead>(of(thread, "shell", "shell://none")).await;
        assert_eq!((error.code, error.message.as_str()), (-32002, "no such thing"));
        let error = d.fail::<McpServerResourceRead>(of(thread, "nope", "shell://a")).await;
        assert_eq!((error.code, error.message.as_str()), (-32603, "unknown MCP server 'nope'"));
    }
    let told = refused(d.fail::<McpServerResourceRead>(of(Some(UNKNOWN), "shell", "shell://a")).await);
    assert_eq!(told, format!("thread not found: {UNKNOWN}"));
}
