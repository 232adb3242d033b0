//! `thread/backgroundTerminals/*`: commands that outlast their turn are listed and ended.

use pretty_assertions::assert_eq;
use protocol::{
    CommandExecutionStatus, ItemCompletedNotification, SandboxMode, ThreadBackgroundTerminal,
    ThreadBackgroundTerminalsClean, ThreadBackgroundTerminalsCleanParams, ThreadBackgroundTerminalsList,
    ThreadBackgroundTerminalsListParams, ThreadBackgroundTerminalsTerminate,
    ThreadBackgroundTerminalsTerminateParams, ThreadItem,
};
use serde_json::json;
use testkit::{Daemon, Home, call};

use crate::processes::{family, until_gone};
use crate::steps::{start_in, turn};

async fn list(d: &mut Daemon, id: &str) -> Vec<ThreadBackgroundTerminal> {
    let params = ThreadBackgroundTerminalsListParams {
        thread_id: id.into(),
        ..ThreadBackgroundTerminalsListParams::default()
    };
    d.call::<ThreadBackgroundTerminalsList>(params).await.data
}

#[tokio::test]
async fn commands_that_outlast_their_turn_are_listed_and_ended_one_by_one_or_all() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
    let command = json!({ "cmd": "sleep 1000", "yield_time_ms": 250 });
    home.model().script(["c1", "c2", "c3"].map(|id| call(id, "exec_command", &command)));
    turn(&mut d, &id, "go").await;
    let all = family(&d, "sleep", 3).await;
    let listed = list(&mut d, &id).await;
    let items: Vec<_> = listed.iter().map(|terminal| terminal.item_id.as_str()).collect();
    assert_eq!(items, ["c1", "c2", "c3"]);
    assert!(listed[0].command.ends_with("'sleep 1000'"), "{}", listed[0].command);
    let terminate = |process: &str| ThreadBackgroundTerminalsTerminateParams {
        thread_id: id.clone(),
        process_id: process.to_owned(),
    };
    let ended = d.call::<ThreadBackgroundTerminalsTerminate>(terminate(&listed[1].process_id)).await;
    assert!(ended.terminated);
    let again = d.call::<ThreadBackgroundTerminalsTerminate>(terminate(&listed[1].process_id)).await;
    assert!(!again.terminated);
    assert_eq!(list(&mut d, &id).await.len(), 2);
    d.call::<ThreadBackgroundTerminalsClean>(ThreadBackgroundTerminalsCleanParams { thread_id: id.clone() })
        .await;
    assert_eq!(list(&mut d, &id).await, []);
    for wanted in items {
        let done = d
            .note_where::<ItemCompletedNotification>(
                |note| matches!(&note.item, ThreadItem::CommandExecution { id, .. } if id == wanted),
            )
            .await;
        let ThreadItem::CommandExecution { status, .. } = done.item else { panic!() };
        assert_eq!(status, CommandExecutionStatus::Failed);
    }
    until_gone(&home, &d, &all).await;
}
