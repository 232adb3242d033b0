//! Whether a command or a patch is asked about, and what the person's word comes to.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    AskForApproval, CommandExecutionApprovalDecision as Decision, CommandExecutionRequestApproval,
    CommandExecutionRequestApprovalResponse, CommandExecutionStatus, FileChangeApprovalDecision,
    FileChangeRequestApproval, FileChangeRequestApprovalResponse, PatchApplyStatus, SandboxMode, ThreadItem,
    TurnStart, TurnStatus,
};
use serde_json::{Value, json};
use testkit::{Answer, Daemon, Home, ask, call, say};

use crate::steps::{ended, start_asking, start_in, turn, turns};

/// Appends a line to a file of the work folder, out of the sandbox.
fn escalated(call_id: &str) -> Answer {
    let command = json!({
        "cmd": "echo x >> made",
        "sandbox_permissions": "require_escalated",
        "justification": "May I?",
    });
    call(call_id, "exec_command", &command)
}

/// Adds a file to the work folder.
fn patch(call_id: &str) -> Answer {
    let patch = "*** Begin Patch\n*** Add File: new.txt\n+one\n*** End Patch\n";
    call(call_id, "apply_patch", &json!({ "input": patch }))
}

fn lines(home: &Home) -> usize {
    fs::read_to_string(home.work().join("made")).map_or(0, |text| text.lines().count())
}

async fn commands(d: &mut Daemon, id: &str) -> Vec<CommandExecutionStatus> {
    let items = turns(d, id).await.into_iter().flat_map(|turn| turn.items);
    let statuses = items.filter_map(|item| match item {
        ThreadItem::CommandExecution { status, .. } => Some(status),
        _ => None,
    });
    statuses.collect()
}

async fn patches(d: &mut Daemon, id: &str) -> Vec<PatchApplyStatus> {
    let items = turns(d, id).await.into_iter().flat_map(|turn| turn.items);
    let statuses = items.filter_map(|item| match item {
        ThreadItem::FileChange { status, .. } => Some(status),
        _ => None,
    });
    statuses.collect()
}

#[tokio::test]
async fn which_commands_are_asked_about_is_up_to_the_policy() {
    use AskForApproval::{Never, OnRequest, UnlessTrusted};
    let plain = |cmd: &str| json!({ "cmd": cmd });
    let harmless = plain("ls");
    let writes = plain("touch made");
    let wants_more = json!({ "cmd": "touch made", "sandbox_permissions": "require_escalated" });
    for (policy, command, asked, made) in [
        (UnlessTrusted, &harmless, 0, false),
        (UnlessTrusted, &writes, 1, true),
        (OnRequest, &writes, 0, false),
        (OnRequest, &wants_more, 1, true),
        (Never, &writes, 0, false),
        (Never, &wants_more, 0, false),
    ] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        d.answer_with::<CommandExecutionRequestApproval>(|_| CommandExecutionRequestApprovalResponse {
            decision: Decision::Accept,
        });
        let id = start_asking(&home, &mut d, SandboxMode::ReadOnly, policy).await;
        home.model().script([call("c1", "exec_command", command), say("done")]);
        turn(&mut d, &id, "go").await;
        let questions = d.requests::<CommandExecutionRequestApproval>().len();
        assert_eq!((questions, home.work().join("made").exists()), (asked, made), "{policy:?} {command}");
    }
}

#[tokio::test]
async fn a_command_runs_or_not_as_the_person_decides() {
    use CommandExecutionStatus::{Completed, Declined};
    for (decision, runs, asked_again, statuses, end) in [
        (Decision::Accept, 2, true, vec![Completed, Completed], TurnStatus::Completed),
        (Decision::AcceptForSession, 2, false, vec![Completed, Completed], TurnStatus::Completed),
        (Decision::Decline, 0, true, vec![Declined, Declined], TurnStatus::Completed),
        (Decision::Cancel, 0, false, vec![Declined], TurnStatus::Interrupted),
    ] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
        home.model().script([escalated("c1"), escalated("c2"), say("done")]);
        let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
        for _ in 0..=usize::from(asked_again) {
            let asked = d.expect_request::<CommandExecutionRequestApproval>().await;
            d.reply(&asked, CommandExecutionRequestApprovalResponse { decision: decision.clone() });
        }
        assert_eq!(ended(&mut d, &begun).await.status, end, "{decision:?}");
        assert_eq!((lines(&home), commands(&mut d, &id).await), (runs, statuses), "{decision:?}");
        let requests = home.model().requests().len();
        assert_eq!(requests, if end == TurnStatus::Completed { 3 } else { 1 }, "{decision:?}");
    }
}

#[tokio::test]
async fn a_patch_is_applied_or_not_as_the_person_decides() {
    use FileChangeApprovalDecision::{Accept, AcceptForSession, Cancel, Decline};
    use PatchApplyStatus::{Completed, Declined};
    for (decision, applied, status, end) in [
        (Accept, true, Completed, TurnStatus::Completed),
        (AcceptForSession, true, Completed, TurnStatus::Completed),
        (Decline, false, Declined, TurnStatus::Completed),
        (Cancel, false, Declined, TurnStatus::Interrupted),
    ] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
        let new = home.work().join("new.txt");
        home.model().script([patch("p1"), say("done")]);
        let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
        let asked = d.expect_request::<FileChangeRequestApproval>().await;
        assert_eq!(asked.params.item_id, "p1");
        d.reply(&asked, FileChangeRequestApprovalResponse { decision });
        assert_eq!(ended(&mut d, &begun).await.status, end, "{decision:?}");
        assert_eq!((new.exists(), patches(&mut d, &id).await), (applied, vec![status]), "{decision:?}");
    }
}

#[tokio::test]
async fn a_patch_that_nobody_may_be_asked_about_is_refused_to_the_model() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_asking(&home, &mut d, SandboxMode::ReadOnly, AskForApproval::Never).await;
    home.model().script([patch("p1"), say("done")]);
    turn(&mut d, &id, "go").await;
    let request = home.model().last_request();
    let told: &Value = request.output_of("p1");
    assert!(told.to_string().contains("reject"), "{told}");
    assert!(!home.work().join("new.txt").exists() && patches(&mut d, &id).await.is_empty());
}
