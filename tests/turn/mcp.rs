//! Tools of MCP servers: called, asked about, refused, and servers that are dead.

use pretty_assertions::assert_eq;
use protocol::{
    AskForApproval, McpServerElicitationAction as Action, McpServerElicitationRequest,
    McpServerElicitationRequestKind as Kind, McpServerElicitationRequestResponse as Elicited,
    McpServerStartupState, McpServerStatusUpdatedNotification, McpToolCallProgressNotification,
    McpToolCallStatus as Status, SandboxMode, ServerRequestResolvedNotification, ThreadItem, TurnStart,
    TurnStatus,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, ask, call, say};

use crate::steps::{ended, start, start_asking, start_in, turn, turns};

const CHANGE: &str = "mcp__shell__change";

fn answer(action: Action, content: Option<Value>, meta: Option<Value>) -> Elicited {
    Elicited { action, content, meta }
}

/// The calls of a thread's first turn: id, tool, status, the text of the answer, the error.
async fn calls(d: &mut Daemon, id: &str) -> Vec<(String, String, Status, Option<String>, Option<String>)> {
    let turns = turns(d, id).await;
    let seen = turns[0].items.iter().filter_map(|item| match item {
        ThreadItem::McpToolCall { id, tool, status, result, error, .. } => Some((
            id.clone(),
            tool.clone(),
            *status,
            result.as_ref().and_then(|result| Some(result.content.first()?["text"].as_str()?.to_owned())),
            error.as_ref().map(|error| error.message.clone()),
        )),
        _ => None,
    });
    seen.collect()
}

#[tokio::test]
async fn a_tool_is_called_and_the_call_reads_back_as_it_was() {
    let home = Home::new().with_mcp_server("shell", "", "");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([
        call("m1", "mcp__shell__look", &json!({ "x": "hi" })),
        call("m2", "mcp__shell__fail", &json!({})),
        call("m3", "mcp__shell__look", &json!([1])),
        say("done"),
    ]);
    turn(&mut d, &id, "go").await;
    let request = home.model().last_request();
    let told = request.output_of("m3").to_string();
    assert!(
        told.contains("failed to parse function arguments: invalid type: sequence, expected a map"),
        "{told}"
    );
    assert_eq!([request.output_of("m1"), request.output_of("m2")], [&json!("looked"), &json!("went wrong")]);
    let live = calls(&mut d, &id).await;
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        ("m1".to_owned(), "look".to_owned(), Status::Completed, text("looked"), None),
        ("m2".to_owned(), "fail".to_owned(), Status::Failed, text("went wrong"), None),
    ];
    assert_eq!(live, expected);
    assert_eq!(calls(d.restart().await, &id).await, live);
}

#[tokio::test]
async fn a_tool_that_may_change_things_is_asked_about_once_if_the_person_says_so() {
    let home = Home::new().with_mcp_server("shell", "", "");
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
    let change = |call_id| call(call_id, CHANGE, &json!({ "x": "y" }));
    home.model().script([change("m1"), change("m2"), change("m3"), change("m4"), say("done")]);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    for (action, meta) in [
        (Action::Decline, None),
        (Action::Accept, None),
        (Action::Accept, Some(json!({ "persist": "session" }))),
    ] {
        let asked = d.expect_request::<McpServerElicitationRequest>().await;
        assert_eq!(
            (asked.params.server_name.as_str(), asked.params.turn_id.as_deref()),
            ("shell", Some(begun.as_str()))
        );
        let Kind::Form { meta: Some(about), .. } = &asked.params.request else { panic!("{asked:?}") };
        assert_eq!(
            (&about["codex_approval_kind"], &about["tool_params"]["x"]),
            (&json!("mcp_tool_call"), &json!("y"))
        );
        d.reply(&asked, answer(action, None, meta));
        let resolved = d.note::<ServerRequestResolvedNotification>().await;
        assert_eq!(resolved.request_id, asked.id);
    }
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    let seen = calls(&mut d, &id).await;
    let statuses: Vec<_> = seen.iter().map(|call| call.2).collect();
    assert_eq!(statuses, [Status::Failed, Status::Completed, Status::Completed, Status::Completed]);
    assert_eq!(seen[0].4.as_deref(), Some("user rejected MCP tool call"));
    assert_eq!(home.model().last_request().output_of("m1"), &json!("user rejected MCP tool call"));
}

#[tokio::test]
async fn a_tool_that_is_allowed_for_good_is_not_asked_about_by_the_next_server_either() {
    let home = Home::new().with_mcp_server("shell", "", "");
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
    home.model().script([call("m1", CHANGE, &json!({})), say("done")]);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    let asked = d.expect_request::<McpServerElicitationRequest>().await;
    d.reply(&asked, answer(Action::Accept, None, Some(json!({ "persist": "always" }))));
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    let d = d.restart().await;
    let id = start_in(&home, d, SandboxMode::ReadOnly).await;
    home.model().script([call("m2", CHANGE, &json!({})), say("done")]);
    turn(d, &id, "go").await;
    assert_eq!(calls(d, &id).await[0].2, Status::Completed);
}

#[tokio::test]
async fn whether_the_person_is_asked_is_up_to_policy_sandbox_and_config() {
    use AskForApproval::{Never, OnRequest};
    use SandboxMode::{DangerFullAccess, ReadOnly};
    let of = |tool: &str, mode: &str| format!("tools.{tool}.approval_mode = \"{mode}\"");
    for (approval, sandbox, tool, lines, expected) in [
        (Never, ReadOnly, "change", String::new(), "refused"),
        (Never, ReadOnly, "look", String::new(), "ran"),
        (Never, DangerFullAccess, "change", String::new(), "ran"),
        (OnRequest, DangerFullAccess, "change", of("change", "writes"), "asked"),
        (OnRequest, ReadOnly, "change", of("change", "approve"), "ran"),
        (OnRequest, ReadOnly, "change", "default_tools_approval_mode = \"approve\"".into(), "ran"),
        (OnRequest, DangerFullAccess, "look", of("look", "prompt"), "asked"),
        (Never, DangerFullAccess, "look", of("look", "prompt"), "refused"),
    ] {
        let home = Home::new().with_mcp_server("shell", "", &lines);
        let mut d = Daemon::start(&home).await;
        d.answer_with::<McpServerElicitationRequest>(|_| answer(Action::Accept, None, None));
        let id = start_asking(&home, &mut d, sandbox, approval).await;
        home.model().script([call("m1", &format!("mcp__shell__{tool}"), &json!({})), say("done")]);
        turn(&mut d, &id, "go").await;
        let status = calls(&mut d, &id).await[0].2;
        let asked = d.requests::<McpServerElicitationRequest>().len();
        let seen = match (asked, status) {
            (0, Status::Completed) => "ran",
            (1, Status::Completed) => "asked",
            (0, Status::Failed) => "refused",
            other => panic!("{other:?}"),
        };
        assert_eq!(seen, expected, "{approval:?} {sandbox:?} {tool} {lines}");
    }
}

#[tokio::test]
async fn a_dead_server_costs_its_own_tools_and_nothing_else() {
    let home = Home::new()
        .with_mcp_server("dead", "dead", "")
        .with_mcp_server("shell", "", "")
        .with_tables("[mcp_servers.missing]\ncommand = \"/no/such/program\"")
        .with_tables("[mcp_servers.broken]\nargs = []");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    for (name, told) in [
        ("dead", "it closed the connection; it exited (exit status: 3): no configuration found"),
        ("missing", "cannot run /no/such/program: No such file or directory (os error 2)"),
        ("broken", "`command` or `url` is missing, in `mcp_servers.broken`"),
    ] {
        let failed = |note: &McpServerStatusUpdatedNotification| {
            note.name == name && note.status == McpServerStartupState::Failed
        };
        let error = d.note_where(failed).await.error.unwrap();
        // Of a broken entry it is told where it stands.
        assert!(error == told || error.ends_with(&format!(": {told}")), "{error}");
    }
    home.model().script([
        call("m1", "mcp__shell__look", &json!({})),
        call("m2", "mcp__dead__look", &json!({})),
        say("done"),
    ]);
    turn(&mut d, &id, "go").await;
    let request = home.model().last_request();
    assert_eq!(request.output_of("m1"), &json!("looked"));
    assert_eq!(request.output_of("m2"), &json!("unsupported call: mcp__dead__look"));
}

#[tokio::test]
async fn what_a_server_asks_reaches_the_person_and_the_answer_the_server() {
    let home = Home::new().with_mcp_server("shell", "", "");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let content = json!({ "name": "Ada" });
    for (action, content, expected) in [
        (Action::Accept, Some(content.clone()), json!({ "action": "accept", "content": content })),
        (Action::Decline, None, json!({ "action": "decline" })),
        (Action::Cancel, None, json!({ "action": "cancel" })),
    ] {
        home.model().script([call("m1", "mcp__shell__ask", &json!({})), say("done")]);
        let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
        let asked = d.expect_request::<McpServerElicitationRequest>().await;
        let Kind::Form { message, .. } = &asked.params.request else { panic!("{asked:?}") };
        assert_eq!(message, "Who?");
        d.reply(&asked, answer(action, content, None));
        ended(&mut d, &begun).await;
        let items = turns(&mut d, &id).await.pop().unwrap().items;
        let heard = items.into_iter().find_map(|item| match item {
            ThreadItem::McpToolCall { result, .. } => result?.structured_content,
            _ => None,
        });
        assert_eq!(heard.unwrap()["result"], expected);
    }
}

#[tokio::test]
async fn how_far_a_tool_is_is_told() {
    let home = Home::new().with_mcp_server("shell", "", "");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([call("m1", "mcp__shell__work", &json!({})), say("done")]);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    let progress = d.note::<McpToolCallProgressNotification>().await;
    assert_eq!((progress.item_id.as_str(), progress.message.as_str()), ("m1", "half of it"));
    std::fs::write(home.root().join("worked"), "").unwrap();
    ended(&mut d, &begun).await;
    assert_eq!(home.model().last_request().output_of("m1"), &json!("worked"));
}
