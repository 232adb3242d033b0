//! What becomes of the processes of commands: none outlives its turn's interruption, nor the server, however that ends.

use protocol::{
    ItemCompletedNotification, McpServerStartupState, McpServerStatusUpdatedNotification, SandboxMode,
    ThreadItem, ThreadShellCommand, ThreadShellCommandParams, TurnInterrupt, TurnInterruptParams, TurnStart,
    TurnStatus,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, ask, call, say};

use crate::processes::{FAMILY, SLEEPERS, family, until_gone};
use crate::steps::{ended, start, start_in, turn};

/// A command that starts a family and stays.
fn staying(tty: bool) -> Value {
    json!({ "cmd": format!("{FAMILY}wait"), "tty": tty, "yield_time_ms": 30_000 })
}

/// How a server is ended.
#[derive(Clone, Copy, Debug)]
enum End {
    Kill,
    Term,
    Input,
}

const ENDS: [End; 3] = [End::Kill, End::Term, End::Input];

async fn end(d: &mut Daemon, how: End) {
    match how {
        End::Kill => return d.kill().await,
        End::Term => d.signal("TERM"),
        End::Input => d.close_input(),
    }
    assert_eq!(d.ended().await, Some(0), "{how:?}");
}

#[tokio::test]
async fn an_interrupted_turn_leaves_nothing_of_its_command() {
    for (sandbox, tty) in [
        (SandboxMode::DangerFullAccess, false),
        (SandboxMode::DangerFullAccess, true),
        (SandboxMode::WorkspaceWrite, false),
    ] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start_in(&home, &mut d, sandbox).await;
        home.model().script([call("c1", "exec_command", &staying(tty))]);
        let turn_id = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
        let all = family(&d, "sleep", SLEEPERS).await;
        d.call::<TurnInterrupt>(TurnInterruptParams { thread_id: id, turn_id: turn_id.clone() }).await;
        assert_eq!(ended(&mut d, &turn_id).await.status, TurnStatus::Interrupted);
        until_gone(&home, &d, &all).await;
    }
}

#[tokio::test]
async fn a_command_in_a_turn_does_not_outlive_the_server() {
    for how in ENDS {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start_in(&home, &mut d, SandboxMode::WorkspaceWrite).await;
        home.model().script([call("c1", "exec_command", &staying(false))]);
        d.call::<TurnStart>(ask(&id, "go")).await;
        let all = family(&d, "sleep", SLEEPERS).await;
        end(&mut d, how).await;
        until_gone(&home, &d, &all).await;
    }
}

#[tokio::test]
async fn the_end_of_a_turn_is_told_though_its_command_does_not_want_to_end() {
    for how in [End::Term, End::Input] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
        let deaf =
            json!({ "cmd": format!("trap '' TERM; {FAMILY}wait; sleep 1000"), "yield_time_ms": 30_000 });
        home.model().script([call("c1", "exec_command", &deaf)]);
        let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
        let all = family(&d, "sleep", SLEEPERS).await;
        end(&mut d, how).await;
        let is_command =
            |note: &ItemCompletedNotification| matches!(note.item, ThreadItem::CommandExecution { .. });
        d.note_where::<ItemCompletedNotification>(is_command).await;
        assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Interrupted, "{how:?}");
        until_gone(&home, &d, &all).await;
    }
}

#[tokio::test]
async fn what_commands_left_running_does_not_outlive_the_server() {
    for how in ENDS {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
        let background = json!({ "cmd": "sleep 1000", "yield_time_ms": 250 });
        home.model().script([
            call("c1", "exec_command", &json!({ "cmd": FAMILY })),
            call("c2", "exec_command", &background),
            say("done"),
        ]);
        turn(&mut d, &id, "go").await;
        let all = family(&d, "sleep", SLEEPERS + 1).await;
        end(&mut d, how).await;
        until_gone(&home, &d, &all).await;
    }
}

#[tokio::test]
async fn an_mcp_server_does_not_outlive_the_server_even_if_it_does_not_want_to_end() {
    for how in ENDS {
        let home = Home::new().with_mcp_server("shell", "stubborn", "");
        let mut d = Daemon::start(&home).await;
        start(&mut d).await;
        d.note_where::<McpServerStatusUpdatedNotification>(|note| {
            note.status == McpServerStartupState::Ready
        })
        .await;
        let all = family(&d, "sleep", 2).await;
        end(&mut d, how).await;
        until_gone(&home, &d, &all).await;
    }
}

#[tokio::test]
async fn a_command_of_the_person_does_not_outlive_the_server() {
    for how in ENDS {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
        let command = format!("{FAMILY}wait");
        d.call::<ThreadShellCommand>(ThreadShellCommandParams { thread_id: id, command, timeout_ms: None })
            .await;
        let all = family(&d, "sleep", SLEEPERS).await;
        end(&mut d, how).await;
        until_gone(&home, &d, &all).await;
    }
}
