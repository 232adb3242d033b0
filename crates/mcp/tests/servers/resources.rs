//! Resources that are listed and read.

use mcp::McpError;
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Folder, entries, program, run};

#[tokio::test]
async fn resources_are_listed_by_server_or_all_together() {
    let folder = Folder::new();
    let servers = [("fake", folder.fake("")), ("other", folder.fake("")), ("dead", program("/no/such", &[]))];
    let running = run(&entries(servers));
    let (lease, cancel) = (&running.lease, &CancellationToken::new());
    lease.settled().await;
    let of = |server, name| json!({ "server": server, "uri": format!("fake://{name}"), "name": name });
    assert_eq!(
        lease.list_resources(Some("fake"), None, cancel).await.unwrap(),
        json!({ "server": "fake", "resources": [of("fake", "a")], "nextCursor": "2" })
    );
    assert_eq!(
        lease.list_resources(Some("fake"), Some("2".to_owned()), cancel).await.unwrap(),
        json!({ "server": "fake", "resources": [of("fake", "b")] })
    );
    assert_eq!(
        lease.list_resources(None, None, cancel).await.unwrap(),
        json!({ "resources": [of("fake", "a"), of("fake", "b"), of("other", "a"), of("other", "b")] })
    );
    let template = |server| json!({ "server": server, "uriTemplate": "fake://{x}", "name": "t" });
    assert_eq!(
        lease.list_resource_templates(None, None, cancel).await.unwrap(),
        json!({ "resourceTemplates": [template("fake"), template("other")] })
    );
    assert_eq!(lease.resources("fake", cancel).await.unwrap().len(), 2);
    assert_eq!(
        lease.resource_templates("fake", cancel).await.unwrap(),
        [json!({ "uriTemplate": "fake://{x}", "name": "t" })]
    );
    let whose = lease.list_resources(None, Some("2".to_owned()), cancel).await;
    assert!(matches!(whose, Err(McpError::CursorWithoutServer)), "{whose:?}");
}

#[tokio::test]
async fn a_resource_is_read_or_the_server_says_why_not() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake(""))]));
    let (lease, cancel) = (&running.lease, &CancellationToken::new());
    assert_eq!(
        lease.read_resource("fake", "fake://a", cancel).await.unwrap(),
        json!({ "contents": [{ "uri": "fake://a", "text": "hello" }] })
    );
    let error = lease.read_resource("fake", "fake://none", cancel).await.unwrap_err();
    assert!(matches!(error, McpError::Refused { code: -32002, .. }), "{error:?}");
}
