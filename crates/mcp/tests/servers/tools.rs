//! Tools that are listed and called.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use config::{McpServer, McpTransport};
use mcp::{Call, Lease, McpError, Status};
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::support::{Folder, LONG, call, call_of, entries, run, run_with, servers, text};

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn names(lease: &Lease) -> Vec<String> {
    lease.tools().iter().map(|tool| tool.name().to_owned()).collect()
}

#[tokio::test]
async fn tools_are_listed_and_called() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake(""))]));
    assert_eq!(running.told.next().await, ("fake".to_owned(), Status::Starting));
    assert_eq!(running.told.next().await, ("fake".to_owned(), Status::Ready));
    let tools = running.lease.tools();
    let echo = tools.find("mcp__fake__echo").unwrap();
    assert_eq!((echo.server(), echo.tool(), echo.description()), ("fake", "echo", Some("does echo")));
    assert_eq!(echo.input_schema(), &json!({ "type": "object" }));
    let info = running.lease.servers().remove(0).info.unwrap();
    assert_eq!(info["serverInfo"], json!({ "name": "fake", "version": "1" }));
    assert_eq!(info["protocolVersion"], "2025-06-18");
    let meta = json!({ "mark": 7 }).as_object().cloned();
    let arguments = json!({ "x": "hi" }).as_object().cloned();
    let call = Call { server: echo.server(), tool: echo.tool(), arguments, meta, progress: None };
    let result = running.lease.call(call, &CancellationToken::new()).await.unwrap();
    assert_eq!(text(&result), r#"{"x":"hi"}"#);
    assert_eq!(result.structured_content, Some(json!({ "arguments": { "x": "hi" } })));
    assert_eq!(result.meta, json!({ "mark": 7 }).as_object().cloned());
    assert_eq!(result.is_error, None);
}

#[tokio::test]
async fn a_call_waits_for_a_server_that_is_still_starting() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake(""))]));
    assert_eq!(names(&running.lease), Vec::<String>::new());
    assert_eq!(text(&call(&running.lease, "echo", json!(null)).await.unwrap()), "null");
    running.lease.settled().await;
    assert!(names(&running.lease).contains(&"mcp__fake__echo".to_owned()));
}

#[tokio::test]
async fn a_tool_that_fails_answers_and_a_server_that_refuses_does_not() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake(""))]));
    let failed = call(&running.lease, "fail", json!({})).await.unwrap();
    assert_eq!((text(&failed), failed.is_error), ("bad", Some(true)));
    let refused = call(&running.lease, "none", json!({})).await.unwrap_err();
    assert_eq!(refused.to_string(), "no such thing");
    let McpError::Refused { code, data, .. } = refused else { panic!("{refused:?}") };
    assert_eq!((code, data), (-32002, Some(json!({ "a": 1 }))));
    let unknown = call_of(&running.lease, "nope", "echo", json!({})).await.unwrap_err();
    assert_eq!(unknown.to_string(), "unknown MCP server 'nope'");
}

#[tokio::test]
async fn tools_that_are_not_enabled_are_not_there() {
    let folder = Folder::new();
    let only = Some(strings(&["echo", "fail"]));
    let entry = McpServer { enabled_tools: only, disabled_tools: strings(&["fail"]), ..folder.fake("") };
    let off = McpServer { enabled: false, ..folder.fake("") };
    let running = run(&entries([("fake", entry), ("off", off)]));
    running.lease.settled().await;
    assert_eq!(names(&running.lease), ["mcp__fake__echo"]);
    for tool in ["fail", "env"] {
        let error = call(&running.lease, tool, json!({})).await.unwrap_err();
        assert_eq!(error.to_string(), format!("tool `{tool}` of MCP server `fake` is disabled"));
    }
    assert_eq!(folder.started().len(), 1);
}

#[tokio::test]
async fn a_malformed_tool_costs_that_tool() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake("odd-tools"))]));
    running.lease.settled().await;
    assert_eq!(names(&running.lease), ["mcp__fake__good"]);
}

#[tokio::test]
async fn a_server_that_changes_its_tools_is_listed_again() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake(""))]));
    call(&running.lease, "grow", json!({})).await.unwrap();
    let grown = async {
        while running.lease.tools().find("mcp__fake__grown").is_none() {
            // The list is fetched beside the calls.
            call(&running.lease, "echo", json!({})).await.unwrap();
        }
    };
    timeout(LONG, grown).await.unwrap();
}

#[tokio::test]
async fn a_program_sees_the_environment_that_it_is_given_and_no_other() {
    let folder = Folder::new();
    let McpTransport::Stdio { command, args, .. } = folder.fake("").transport else { panic!() };
    let transport = McpTransport::Stdio {
        command,
        args,
        env: BTreeMap::from([("OWN".to_owned(), "1".to_owned())]),
        env_vars: strings(&["NAMED"]),
        cwd: Some(folder.path().to_owned()),
    };
    let env = ["HOME", "NAMED", "SECRET"].map(|name| (name.to_owned(), format!("{name}'s")));
    let entries = entries([("fake", McpServer { transport, ..folder.fake("") })]);
    let running = run_with(&servers(), &entries, &HashMap::from(env));
    let mut seen = call(&running.lease, "env", json!({})).await.unwrap().structured_content.unwrap();
    let expected = json!({ "HOME": "HOME's", "NAMED": "NAMED's", "OWN": "1" });
    assert_eq!(seen["env"].take(), expected);
    assert_eq!(seen["cwd"], folder.path().canonicalize().unwrap().to_str().unwrap());
}

#[tokio::test]
async fn how_far_a_call_is_is_told_to_who_waits_for_it() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake(""))]));
    let work = |words: &str| {
        let (progress, said) = mpsc::channel(1);
        let arguments = json!({ "progress": 1, "total": 2, "message": words }).as_object().cloned();
        let lease = Arc::clone(&running.lease);
        let worked = tokio::spawn(async move {
            let call = Call { server: "fake", tool: "work", arguments, meta: None, progress: Some(progress) };
            lease.call(call, &CancellationToken::new()).await
        });
        (said, worked)
    };
    let (mut first, one) = work("on the first");
    let (mut second, two) = work("on the second");
    assert_eq!(timeout(LONG, first.recv()).await.unwrap().unwrap(), "on the first");
    assert_eq!(timeout(LONG, second.recv()).await.unwrap().unwrap(), "on the second");
    call(&running.lease, "finish", json!({})).await.unwrap();
    assert_eq!(text(&one.await.unwrap().unwrap()), "finished");
    assert_eq!(text(&two.await.unwrap().unwrap()), "finished");
    assert_eq!((first.recv().await, second.recv().await), (None, None));
}

#[tokio::test]
async fn a_long_answer_is_cut_and_one_that_is_too_long_is_an_error_at_once() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake(""))]));
    let cut = call(&running.lease, "long", json!({ "bytes": 5 << 20 })).await.unwrap();
    assert!(text(&cut).ends_with("bytes more are left out]"));
    let error = call(&running.lease, "long", json!({ "bytes": 17 << 20 })).await.unwrap_err();
    assert_eq!(error.to_string(), "MCP server `fake` sent more than 16777216 bytes");
    // It is alive and well.
    assert_eq!(text(&call(&running.lease, "echo", json!(null)).await.unwrap()), "null");
    assert_eq!(folder.started().len(), 1);
}
