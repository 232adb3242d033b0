//! What the model calls: commands, patches, and the person's word on them.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    CommandExecutionApprovalDecision as Decision, CommandExecutionRequestApproval,
    CommandExecutionRequestApprovalResponse, CommandExecutionStatus, FileChangeApprovalDecision,
    FileChangeRequestApproval, FileChangeRequestApprovalResponse, PatchApplyStatus, SandboxMode, ThreadItem,
    TurnDiffUpdatedNotification, TurnStart, TurnStatus,
};
use serde_json::json;
use testkit::{Answer, Daemon, Home, ask, call, events, say};

use crate::steps::{ended, script_escalation, start_in, turn, turns};

#[tokio::test]
async fn a_command_is_answered_and_reads_back_as_it_ran() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
    let command = json!({ "cmd": "echo out; exit 3" });
    home.model().script([call("c1", "exec_command", &command), say("done")]);
    turn(&mut d, &id, "go").await;
    let told = home.model().last_request().output_of("c1").to_string();
    assert!(told.contains("out") && told.contains("exited with code 3"), "{told}");
    let stored = turns(d.restart().await, &id).await;
    let ran = stored[0].items.iter().find_map(|item| match item {
        ThreadItem::CommandExecution { id, status, exit_code, aggregated_output, .. } => {
            Some((id.as_str(), *status, *exit_code, aggregated_output.as_deref()))
        }
        _ => None,
    });
    assert_eq!(ran, Some(("c1", CommandExecutionStatus::Failed, Some(3), Some("out\n"))));
}

#[tokio::test]
async fn a_command_that_is_too_long_to_run_is_not_asked_about() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
    let longest = 32 * 4096 - 1;
    let command = |bytes: usize| json!({ "cmd": format!("echo {}", "x".repeat(bytes - "echo ".len())), "sandbox_permissions": "require_escalated" });
    home.model().script([call("c1", "exec_command", &command(longest + 1)), say("done")]);
    turn(&mut d, &id, "go").await;
    let told = home.model().last_request().output_of("c1").to_string();
    assert!(told.contains("it has 131072 bytes, and the system takes 131071"), "{told}");
    home.model().script([call("c2", "exec_command", &command(longest)), say("done")]);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    let asked = d.expect_request::<CommandExecutionRequestApproval>().await;
    d.reply(&asked, CommandExecutionRequestApprovalResponse { decision: Decision::Accept });
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    let told = home.model().last_request().output_of("c2").to_string();
    assert!(told.contains("exited with code 0"), "{}", told.get(..300).unwrap_or(&told));
}

#[tokio::test]
async fn what_a_call_leaves_out_may_be_null() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
    let command = json!({
        "cmd": "echo out; exec sleep 1000", "workdir": null, "shell": null, "login": null, "tty": null,
        "yield_time_ms": 250, "max_output_tokens": null, "sandbox_permissions": null, "justification": null,
        "prefix_rule": null,
    });
    home.model().script([call("c1", "exec_command", &command), say("done")]);
    turn(&mut d, &id, "go").await;
    let told = home.model().last_request().output_of("c1").to_string();
    let session = told.split("session ID ").nth(1).unwrap();
    let session: String = session.chars().take_while(char::is_ascii_digit).collect();
    let session: u32 = session.parse().unwrap();
    let look =
        json!({ "session_id": session, "chars": null, "yield_time_ms": 250, "max_output_tokens": null });
    home.model().script([call("c2", "write_stdin", &look), say("done")]);
    turn(&mut d, &id, "look").await;
    let told = home.model().last_request().output_of("c2").to_string();
    assert!(told.contains("running"), "{told}");
}

#[tokio::test]
async fn more_commands_than_run_at_once_are_answered_one_after_the_other() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
    let ids: Vec<_> = (0..100).map(|n| format!("c{n}")).collect();
    let calls = ids.iter().map(|id| {
        events::function_call(id, "exec_command", &json!({ "cmd": format!("echo out-$CODEX_TOOL_CALL_ID") }))
    });
    let events: Vec<_> = [events::created()].into_iter().chain(calls).chain([events::completed()]).collect();
    home.model().script([Answer::stream(events), say("done")]);
    turn(&mut d, &id, "go").await;
    let request = home.model().last_request();
    for id in &ids {
        let told = request.output_of(id).to_string();
        assert!(told.contains(&format!("out-{id}")), "{id}: {told}");
    }
}

#[tokio::test]
async fn a_command_is_told_where_it_runs() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
    let command =
        json!({ "cmd": "echo $CODEX_THREAD_ID $CODEX_SESSION_ID $CODEX_TOOL_CALL_ID $CODEX_VERSION" });
    home.model().script([call("c1", "exec_command", &command), say("done")]);
    turn(&mut d, &id, "go").await;
    let told = home.model().last_request().output_of("c1").to_string();
    assert!(told.contains(&format!("{id} {id} c1 0.169.0")), "{told}");
}

#[tokio::test]
async fn a_command_that_is_declined_does_not_run_and_the_turn_goes_on() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
    script_escalation(&home);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    let asked = d.expect_request::<CommandExecutionRequestApproval>().await;
    assert_eq!((asked.params.item_id.as_str(), asked.params.reason.as_deref()), ("c1", Some("May I?")));
    assert_eq!(asked.params.proposed_execpolicy_amendment, Some(vec!["touch".to_owned(), "made".to_owned()]));
    d.reply(&asked, CommandExecutionRequestApprovalResponse { decision: Decision::Decline });
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    assert!(!home.work().join("made").exists());
    let told = home.model().last_request().output_of("c1").to_string();
    assert!(told.contains("rejected by user"), "{told}");
}

#[tokio::test]
async fn a_command_cannot_write_where_it_may_only_read() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
    let command = json!({ "cmd": "touch made; echo rc=$?" });
    home.model().script([call("c1", "exec_command", &command), say("done")]);
    turn(&mut d, &id, "go").await;
    let told = home.model().last_request().output_of("c1").to_string();
    assert!(told.contains("rc=1") && !home.work().join("made").exists(), "{told}");
}

#[tokio::test]
async fn settings_that_a_workspace_does_not_have_are_not_made_unasked() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::WorkspaceWrite).await;
    let command = json!({ "cmd": "touch beside; mkdir -p .codex; touch .codex/config.toml; echo rc=$?" });
    let patch = "*** Begin Patch\n*** Add File: .codex/config.toml\n+x\n*** End Patch\n";
    home.model().script([
        call("c1", "exec_command", &command),
        call("p1", "apply_patch", &json!({ "input": patch })),
        say("done"),
    ]);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    let asked = d.expect_request::<FileChangeRequestApproval>().await;
    let answer = FileChangeRequestApprovalResponse { decision: FileChangeApprovalDecision::Decline };
    d.reply(&asked, answer);
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    let told = home.model().last_request().output_of("c1").to_string();
    assert!(told.contains("rc=1"), "{told}");
    assert!(home.work().join("beside").exists() && !home.work().join(".codex").exists());
}

#[tokio::test]
async fn a_patch_changes_files_and_the_turn_shows_its_diff() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::WorkspaceWrite).await;
    let patch = "*** Begin Patch\n*** Add File: new.txt\n+one\n*** End Patch\n";
    home.model().script([call("p1", "apply_patch", &json!({ "input": patch })), say("done")]);
    turn(&mut d, &id, "go").await;
    assert_eq!(fs::read_to_string(home.work().join("new.txt")).unwrap(), "one\n");
    // Once behind the patch, and once more before the turn is over.
    let diff = d.note::<TurnDiffUpdatedNotification>().await.diff;
    assert!(diff.contains("+one"), "{diff}");
    assert_eq!(d.note::<TurnDiffUpdatedNotification>().await.diff, diff);
    let last = ["turn/diff/updated", "thread/status/changed", "turn/completed"];
    assert!(d.methods_from(0).ends_with(&last), "{:?}", d.methods_from(0));
    let stored = turns(d.restart().await, &id).await;
    let patched = stored[0].items.iter().any(
        |item| matches!(item, ThreadItem::FileChange { id, status: PatchApplyStatus::Completed, .. } if id == "p1"),
    );
    assert!(patched, "{:?}", stored[0].items);
}
