//! `thread/shellCommand`: the person runs a command, unasked and unconfined, and the model is told.

use pretty_assertions::assert_eq;
use protocol::{
    AskForApproval, CommandExecutionSource, CommandExecutionStatus, ItemCompletedNotification, SandboxMode,
    ThreadItem, ThreadShellCommand, ThreadShellCommandParams, TurnCompletedNotification, TurnStatus,
};
use testkit::{Daemon, Home};

use crate::steps::{UNKNOWN, begin_slow, ended, refused, start_asking, turn, turns};

fn shell(id: &str, command: &str) -> ThreadShellCommandParams {
    ThreadShellCommandParams { thread_id: id.into(), command: command.into(), timeout_ms: None }
}

#[tokio::test]
async fn it_is_a_turn_of_its_own_and_the_next_request_tells_of_it() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_asking(&home, &mut d, SandboxMode::ReadOnly, AskForApproval::Never).await;
    d.call::<ThreadShellCommand>(shell(&id, "echo hello | tee made")).await;
    let end = d.note::<TurnCompletedNotification>().await.turn;
    assert_eq!(end.status, TurnStatus::Completed);
    assert!(home.work().join("made").exists() && home.model().requests().is_empty());
    turn(&mut d, &id, "hi").await;
    let said = home.model().last_request().said().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    let told = said.iter().find(|text| text.starts_with("<user_shell_command>")).unwrap();
    assert!(told.contains("echo hello | tee made") && told.contains("Output:\nhello"), "{told}");
    let stored = turns(d.restart().await, &id).await;
    let ran = stored[0].items.iter().find_map(|item| match item {
        ThreadItem::CommandExecution { source, status, exit_code, aggregated_output, .. } => {
            Some((*source, *status, *exit_code, aggregated_output.as_deref()))
        }
        _ => None,
    });
    let expected =
        (CommandExecutionSource::UserShell, CommandExecutionStatus::Completed, Some(0), Some("hello\n"));
    assert_eq!(ran, Some(expected));
}

#[tokio::test]
async fn while_a_turn_runs_it_is_part_of_that() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_asking(&home, &mut d, SandboxMode::ReadOnly, AskForApproval::Never).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "hi").await;
    d.call::<ThreadShellCommand>(shell(&id, "echo inside")).await;
    let is_command = |item: &ThreadItem| matches!(item, ThreadItem::CommandExecution { .. });
    d.note_where::<ItemCompletedNotification>(|note| is_command(&note.item)).await;
    gate.open();
    assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Completed);
    let turns = turns(&mut d, &id).await;
    let commands = turns[0].items.iter().filter(|item| is_command(item)).count();
    assert_eq!((turns.len(), commands), (1, 1));
}

#[tokio::test]
async fn a_command_whose_time_is_up_ends_and_keeps_what_it_said() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_asking(&home, &mut d, SandboxMode::ReadOnly, AskForApproval::Never).await;
    let limited = |millis| ThreadShellCommandParams {
        timeout_ms: Some(millis),
        ..shell(&id, "echo early; sleep 100; echo late")
    };
    let told = d.fail::<ThreadShellCommand>(limited(-1)).await.message;
    assert_eq!(told, "thread/shellCommand timeoutMs must be non-negative, got -1");
    d.call::<ThreadShellCommand>(limited(500)).await;
    let ended = d.note::<ItemCompletedNotification>().await.item;
    let ThreadItem::CommandExecution { status, exit_code, aggregated_output, .. } = ended else {
        panic!("{ended:?}")
    };
    assert_eq!((status, exit_code), (CommandExecutionStatus::Failed, Some(124)));
    assert_eq!(aggregated_output.as_deref(), Some("early\n"));
    assert_eq!(d.note::<TurnCompletedNotification>().await.turn.status, TurnStatus::Completed);
}

#[tokio::test]
async fn nothing_to_run_and_nowhere_to_run_it_are_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_asking(&home, &mut d, SandboxMode::ReadOnly, AskForApproval::Never).await;
    assert_eq!(refused(d.fail::<ThreadShellCommand>(shell(&id, " ")).await), "command must not be empty");
    let told = refused(d.fail::<ThreadShellCommand>(shell(UNKNOWN, "ls")).await);
    assert_eq!(told, format!("thread not found: {UNKNOWN}"));
}
