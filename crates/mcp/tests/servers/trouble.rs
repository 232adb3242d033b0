//! Servers that do not start, do not answer, or die.

use std::{collections::HashMap, time::Duration};

use config::{ConfigError, Layer, McpServer};
use futures::FutureExt;
use mcp::{Call, McpError, Status};
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Entries, Folder, call, call_of, entries, kill, program, run, run_with, text};

#[tokio::test]
async fn a_server_that_does_not_start_says_why() {
    let folder = Folder::new();
    let short = Duration::from_millis(50);
    let silent = McpServer { startup_timeout: short, ..folder.fake("silent") };
    let entries = entries([
        ("missing", program("/no/such/mcp", &[])),
        ("exits", folder.fake("exit")),
        ("garbage", program("/bin/echo", &["welcome"])),
        ("silent", silent),
    ]);
    for (server, expected) in [
        ("missing", "cannot run `/no/such/mcp`: No such file or directory (os error 2)"),
        ("exits", "it closed the connection; it exited (exit status: 3): no configuration found"),
        ("garbage", "it closed the connection; it exited (exit status: 0)"),
        ("silent", "it did not answer within 0.05 s"),
    ] {
        let mut running = run(&entries);
        assert_eq!(running.told.failed(server).await, expected);
        let error = call_of(&running.lease, server, "x", json!({})).await.unwrap_err();
        assert_eq!(error.to_string(), format!("MCP server `{server}` is not running: {expected}"));
    }
}

#[tokio::test]
async fn ten_dead_servers_keep_no_one_waiting() {
    let folder = Folder::new();
    let mut all: Entries = entries([("fake", folder.fake(""))]);
    for number in 0..5 {
        all.insert(format!("missing{number}"), Ok(program("/no/such/mcp", &[])));
        all.insert(format!("silent{number}"), Ok(folder.fake("silent")));
    }
    // Not async, so it cannot wait; nor can the list.
    let running = run(&all);
    assert_eq!(running.lease.tools().iter().count(), 0);
    assert_eq!(text(&call(&running.lease, "echo", json!(null)).await.unwrap()), "null");
    let silent = running.lease.servers().into_iter().filter(|server| server.status == Status::Starting);
    assert_eq!(silent.count(), 5);
    // Who waited for them did so for everybody.
    let grace = Duration::from_millis(50);
    running.lease.settled_within(grace).await;
    assert!(running.lease.settled_within(grace).now_or_never().is_some());
    running.servers.shut_down().await;
}

#[tokio::test]
async fn a_broken_entry_is_a_server_that_failed() {
    let message = "`command` or `url` is missing, in `mcp_servers.odd`".to_owned();
    let broken = ConfigError { layer: Layer::User, path: None, range: None, message: message.clone() };
    let mut running = run(&Entries::from([("odd".to_owned(), Err(broken))]));
    assert_eq!(running.told.next().await, ("odd".to_owned(), Status::Starting));
    let failed = Status::Failed { error: message.into() };
    assert_eq!(running.told.next().await, ("odd".to_owned(), failed.clone()));
    assert_eq!(running.lease.servers()[0].status, failed);
}

#[tokio::test]
async fn what_else_a_server_writes_to_its_output_is_passed_over() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake("garbage"))]));
    assert_eq!(text(&call(&running.lease, "echo", json!(null)).await.unwrap()), "null");
}

#[tokio::test]
async fn a_call_without_an_answer_ends_and_the_server_is_told() {
    let folder = Folder::new();
    let short = McpServer { tool_timeout: Duration::from_millis(50), ..folder.fake("") };
    let patient = run(&entries([("fake", folder.fake(""))]));
    let hasty = run_with(&patient.servers, &entries([("fake", short)]), &HashMap::new());
    patient.lease.settled().await;
    let late = call(&hasty.lease, "hang", json!({})).await.unwrap_err();
    assert_eq!(late.to_string(), "MCP server `fake` did not answer within 0.05 s");
    let cancel = CancellationToken::new();
    let hang = Call { server: "fake", tool: "hang", arguments: None, meta: None, progress: None };
    let (cancelled, ()) = tokio::join!(patient.lease.call(hang, &cancel), async { cancel.cancel() });
    assert!(matches!(cancelled, Err(McpError::Cancelled)), "{cancelled:?}");
    // What is answered now was sent after all that.
    call(&patient.lease, "echo", json!({})).await.unwrap();
    let log = folder.log();
    let count = |method: &str| log.iter().filter(|line| *line == method).count();
    assert_eq!((count("tools/call"), count("notifications/cancelled")), (3, 2), "{log:?}");
    assert_eq!(folder.started().len(), 1);
}

#[tokio::test]
async fn a_killed_server_is_started_again_by_the_next_call_and_once() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake(""))]));
    running.told.ready("fake").await;
    let [first] = &folder.started()[..] else { panic!() };
    kill(first);
    let error = running.told.failed("fake").await;
    assert_eq!(error, "it went away; it exited (signal: 9 (SIGKILL))");
    // What it offered is still offered, else nobody would call it.
    assert!(running.lease.tools().find("mcp__fake__echo").is_some());
    let calls = [0; 3].map(|_| call(&running.lease, "echo", json!(null)));
    for result in futures::future::join_all(calls).await {
        assert_eq!(text(&result.unwrap()), "null");
    }
    assert_eq!(folder.started().len(), 2);
    assert_eq!(running.told.next().await.1, Status::Starting);
    assert_eq!(running.told.next().await.1, Status::Ready);
}

#[tokio::test]
async fn a_server_that_died_is_noticed_though_a_child_of_it_holds_the_pipes() {
    // The one of which only the output is held cannot be written to, the other one does not answer.
    for holder in ["sleep 1000 &", "exec 3<&0; sleep 1000 <&3 &"] {
        let folder = Folder::new();
        let mut running = run(&entries([("fake", folder.fake_in(&format!("{holder} exec \"$@\"")))]));
        running.told.ready("fake").await;
        let [first] = &folder.started()[..] else { panic!() };
        kill(first);
        let error = running.told.failed("fake").await;
        assert_eq!(error, "it went away; it exited (signal: 9 (SIGKILL))", "{holder}");
        assert_eq!(text(&call(&running.lease, "echo", json!(null)).await.unwrap()), "null");
        running.servers.shut_down().await;
    }
}

#[tokio::test]
async fn a_server_that_its_program_left_behind_is_one_all_the_same() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake_in("exec 3<&0; \"$@\" <&3 &"))]));
    running.told.ready("fake").await;
    folder.logged("ping").await;
    assert_eq!(text(&call(&running.lease, "echo", json!(null)).await.unwrap()), "null");
    assert_eq!(folder.started().len(), 1);
    running.servers.shut_down().await;
}

#[tokio::test]
async fn a_server_that_dies_of_every_call_is_given_up_until_someone_new_comes() {
    let folder = Folder::new();
    let entries = entries([("fake", folder.fake(""))]);
    let running = run(&entries);
    for start in 1..=4 {
        let error = call(&running.lease, "die", json!({})).await.unwrap_err();
        assert_eq!(error.to_string(), "MCP server `fake` closed the connection");
        assert_eq!(folder.started().len(), start);
    }
    let error = call(&running.lease, "die", json!({})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "MCP server `fake` is not running: it went away; it exited (exit status: 4): dying of a call"
    );
    assert_eq!(running.lease.tools().iter().count(), 0);
    assert_eq!(folder.started().len(), 4);
    let next = run_with(&running.servers, &entries, &HashMap::new());
    assert_eq!(text(&call(&next.lease, "echo", json!(null)).await.unwrap()), "null");
    assert_eq!(folder.started().len(), 5);
}
