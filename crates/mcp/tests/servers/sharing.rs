//! One process for one entry, and none left behind.

use std::collections::HashMap;

use config::McpServer;
use mcp::Status;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Folder, call, entries, run, run_with, servers, text};

#[tokio::test]
async fn leases_share_a_server_and_each_hears_how_it_starts() {
    let folder = Folder::new();
    let entries = entries([("fake", folder.fake(""))]);
    let mut first = run(&entries);
    first.told.ready("fake").await;
    let mut second = run_with(&first.servers, &entries, &HashMap::new());
    assert_eq!(second.told.next().await.1, Status::Starting);
    assert_eq!(second.told.next().await.1, Status::Ready);
    drop(first.lease);
    assert_eq!(text(&call(&second.lease, "echo", json!(null)).await.unwrap()), "null");
    assert_eq!(folder.started().len(), 1);
}

#[tokio::test]
async fn another_entry_or_environment_is_another_server() {
    let folder = Folder::new();
    let servers = servers();
    let plain = entries([("fake", folder.fake(""))]);
    let env = HashMap::from([("HOME".to_owned(), "/elsewhere".to_owned())]);
    let filtered = McpServer { disabled_tools: vec!["echo".to_owned()], ..folder.fake("") };
    let all = [
        run_with(&servers, &plain, &HashMap::new()),
        run_with(&servers, &plain, &env),
        run_with(&servers, &entries([("fake", folder.fake("other"))]), &HashMap::new()),
        // The same as the first: what a thread may call is its own matter.
        run_with(&servers, &entries([("fake", filtered)]), &HashMap::new()),
    ];
    for running in &all {
        running.lease.settled().await;
    }
    assert_eq!(folder.started().len(), 3);
}

#[tokio::test]
async fn a_server_ends_with_its_last_lease_and_takes_its_children_along() {
    for mode in ["", "stubborn"] {
        let folder = Folder::new();
        let running = run(&entries([("fake", folder.fake(mode))]));
        let child = call(&running.lease, "spawn", json!({})).await.unwrap();
        let started = folder.started();
        assert_eq!((started.len(), started.last().map(String::as_str)), (2, Some(text(&child))));
        drop(running.lease);
        for pid in started {
            folder.death(&pid).await;
        }
    }
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_is_given_up() {
    let folder = Folder::new();
    let mut running = run(&entries([("fake", folder.fake("silent"))]));
    assert_eq!(running.told.next().await.1, Status::Starting);
    drop(running.lease);
    assert_eq!(running.told.next().await.1, Status::Cancelled);
}

#[tokio::test]
async fn nothing_is_left_after_the_shut_down() {
    let folder = Folder::new();
    let running = run(&entries([("fake", folder.fake("")), ("stubborn", folder.fake("stubborn"))]));
    running.lease.settled().await;
    let started = folder.started();
    assert_eq!(started.len(), 2);
    running.servers.shut_down().await;
    for pid in started {
        folder.death(&pid).await;
    }
    let error = call(&running.lease, "echo", json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "MCP server `fake` is not running: it was stopped");
}

#[tokio::test]
async fn renewed_servers_are_started_anew_and_the_old_ones_stay_while_they_are_held() {
    let folder = Folder::new();
    let entries = entries([("fake", folder.fake(""))]);
    let old = run(&entries);
    old.lease.settled().await;
    old.servers.renew();
    assert_eq!(text(&call(&old.lease, "echo", json!(null)).await.unwrap()), "null");
    let new = run_with(&old.servers, &entries, &HashMap::new());
    new.lease.settled().await;
    let [first, _] = &folder.started()[..] else { panic!("{:?}", folder.started()) };
    drop(old.lease);
    folder.death(first).await;
    assert_eq!(text(&call(&new.lease, "echo", json!(null)).await.unwrap()), "null");
}
