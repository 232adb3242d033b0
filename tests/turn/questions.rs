//! What else the model asks of the person or the client: tools of the client, permissions, answers, plans.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    CollaborationMode, CommandExecutionApprovalDecision as Decision, CommandExecutionRequestApproval,
    CommandExecutionRequestApprovalResponse, DynamicToolCall, DynamicToolCallOutputContentItem as Part,
    DynamicToolCallResponse, DynamicToolFunction, DynamicToolSpec, ModeKind, PermissionsRequestApproval,
    SandboxMode, Settings, ThreadItem, ThreadResume, ThreadStart, ThreadStartParams, ToolRequestUserInput,
    ToolRequestUserInputAnswer, ToolRequestUserInputResponse, TurnStart, TurnStartParams, TurnStatus,
};
use serde_json::json;
use testkit::{Daemon, Home, ask, call, of, say};

use crate::steps::{ended, script_escalation, start, start_in, turns};

/// Says something in plan mode.
fn plan(id: &str) -> TurnStartParams {
    let settings =
        Settings { model: "mock-model".into(), reasoning_effort: None, developer_instructions: None };
    let mode = CollaborationMode { mode: ModeKind::Plan, settings };
    TurnStartParams { collaboration_mode: Some(mode), ..ask(id, "go") }
}

#[tokio::test]
async fn a_tool_of_the_client_is_offered_called_and_answered_also_after_a_resume() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let tool = DynamicToolFunction {
        name: "lookup".into(),
        description: "Looks something up.".into(),
        input_schema: json!({ "type": "object" }),
        defer_loading: false,
    };
    let params = ThreadStartParams {
        dynamic_tools: Some(vec![DynamicToolSpec::Function(tool)]),
        ..ThreadStartParams::default()
    };
    let id = d.call::<ThreadStart>(params).await.thread.id;
    for (success, told) in [(true, "found"), (false, "lost")] {
        home.model().script([call("t1", "lookup", &json!({ "q": 1 })), say("done")]);
        let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
        let asked = d.expect_request::<DynamicToolCall>().await;
        assert_eq!((asked.params.tool.as_str(), &asked.params.arguments), ("lookup", &json!({ "q": 1 })));
        let content_items = vec![Part::InputText { text: told.into() }];
        d.reply(&asked, DynamicToolCallResponse { content_items, success });
        ended(&mut d, &begun).await;
        let request = home.model().last_request();
        assert!(request.tools().contains(&"lookup"));
        let outputs: Vec<_> = request.input().iter().filter(|item| item["call_id"] == "t1").collect();
        assert_eq!(outputs.last().unwrap()["output"], told);
        d.restart().await.call::<ThreadResume>(of(&id)).await;
    }
    let shown: Vec<_> = turns(&mut d, &id).await.into_iter().flat_map(|turn| turn.items).collect();
    let calls = shown.iter().filter_map(|item| match item {
        ThreadItem::DynamicToolCall { success, .. } => *success,
        _ => None,
    });
    assert_eq!(calls.collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn permissions_that_were_granted_hold_for_the_later_commands_of_the_turn() {
    let home = Home::new().with_tables("[features]\nrequest_permissions_tool = true");
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
    let folder = home.work().join("out");
    fs::create_dir(&folder).unwrap();
    let wanted = json!({ "reason": "to write", "permissions": { "file_system": { "write": ["out"] } } });
    let write = |name: &str| json!({ "cmd": format!("echo x > out/{name}; echo rc=$?") });
    home.model().script([
        call("c1", "exec_command", &write("before")),
        call("p1", "request_permissions", &wanted),
        call("c2", "exec_command", &write("after")),
        say("done"),
        call("c3", "exec_command", &write("later")),
        say("done"),
    ]);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    let asked = d.expect_request::<PermissionsRequestApproval>().await;
    assert_eq!(asked.params.reason.as_deref(), Some("to write"));
    let more = json!({ "fileSystem": { "write": [folder, "/etc"] }, "network": { "enabled": true } });
    d.reply_raw(&asked.id, json!({ "permissions": more, "scope": "turn" }));
    ended(&mut d, &begun).await;
    let told = home.model().last_request().output_of("p1").as_str().unwrap().to_owned();
    let granted = json!({ "permissions": { "file_system": { "write": [folder] } }, "scope": "turn" });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap(), granted);
    let next = d.call::<TurnStart>(ask(&id, "again")).await.turn.id;
    ended(&mut d, &next).await;
    let there = ["before", "after", "later"].map(|name| folder.join(name).exists());
    assert_eq!(there, [false, true, false]);
}

#[tokio::test]
async fn the_person_is_asked_in_plan_mode_only_and_the_answer_is_the_output() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let question = json!({
        "questions": [{
            "id": "colour", "header": "Colour", "question": "Which?",
            "options": [{ "label": "red", "description": "Warm." }, { "label": "blue", "description": "Cold." }],
        }],
    });
    home.model().script([call("u1", "request_user_input", &question), say("done")]);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    ended(&mut d, &begun).await;
    let told = home.model().last_request().output_of("u1").to_string();
    assert!(told.contains("unavailable in Default mode"), "{told}");
    home.model().script([call("u2", "request_user_input", &question), say("done")]);
    let begun = d.call::<TurnStart>(plan(&id)).await.turn.id;
    let asked = d.expect_request::<ToolRequestUserInput>().await;
    let [one] = &asked.params.questions[..] else { panic!("{asked:?}") };
    assert_eq!((one.id.as_str(), one.is_other, one.options.as_ref().unwrap().len()), ("colour", true, 2));
    let answers = [("colour".to_owned(), ToolRequestUserInputAnswer { answers: vec!["red".into()] })].into();
    d.reply(&asked, ToolRequestUserInputResponse { answers });
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    let told = home.model().last_request().output_of("u2").as_str().unwrap().to_owned();
    let answer = json!({ "answers": { "colour": { "answers": ["red"] } } });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap(), answer);
}

#[tokio::test]
async fn a_proposed_plan_is_an_item_of_its_own_in_plan_mode() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let text = "Before\n<proposed_plan>\n# The plan\n</proposed_plan>\nAfter";
    for (params, planned) in [(plan(&id), true), (ask(&id, "go"), false)] {
        let params = match planned {
            true => params,
            false => {
                let mut mode = plan(&id).collaboration_mode;
                mode.iter_mut().for_each(|mode| mode.mode = ModeKind::Default);
                TurnStartParams { collaboration_mode: mode, ..params }
            }
        };
        home.model().script([say(text)]);
        let begun = d.call::<TurnStart>(params).await.turn.id;
        ended(&mut d, &begun).await;
        let items = turns(&mut d, &id).await.pop().unwrap().items;
        let plan = items.iter().find_map(|item| match item {
            ThreadItem::Plan { id, text } => Some((id.clone(), text.clone())),
            _ => None,
        });
        assert_eq!(plan, planned.then(|| (format!("{begun}-plan"), "# The plan\n".to_owned())));
        let said = items
            .iter()
            .any(|item| matches!(item, ThreadItem::AgentMessage { text: said, .. } if said == text));
        assert_eq!(said, !planned, "{items:?}");
    }
}

#[tokio::test]
async fn who_resumes_is_asked_again_what_is_still_open() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::ReadOnly).await;
    script_escalation(&home);
    let begun = d.call::<TurnStart>(ask(&id, "go")).await.turn.id;
    let first = d.expect_request::<CommandExecutionRequestApproval>().await;
    d.call::<ThreadResume>(of(&id)).await;
    let again = d.expect_request::<CommandExecutionRequestApproval>().await;
    assert_eq!((&again.id, &again.params), (&first.id, &first.params));
    d.reply(&again, CommandExecutionRequestApprovalResponse { decision: Decision::Accept });
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    assert!(home.work().join("made").exists());
}
