//! `thread/resume`: a stored thread goes on where it was.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    AskForApproval, SandboxMode, Thread, ThreadArchive, ThreadItem, ThreadLoadedList, ThreadLoadedListParams,
    ThreadOverrides, ThreadResume, ThreadResumeInitialTurnsPageParams, ThreadResumeParams, ThreadStart,
    ThreadStartParams, ThreadStatus, ThreadStatusChangedNotification, ThreadUnsubscribe, TurnStart,
    TurnStatus,
};
use serde_json::json;
use testkit::{Daemon, Home, Launch, Rollout, ask, json_lines, of, say};

use crate::steps::{UNKNOWN, begin_slow, ended, listed, read, refused, start, talk, texts, turn, turns};

async fn resume(d: &mut Daemon, thread: impl AsRef<str>) -> Thread {
    d.call::<ThreadResume>(of(thread)).await.thread
}

fn history(text: &str) -> ThreadResumeParams {
    let item =
        json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] });
    serde_json::from_value(json!({ "threadId": UNKNOWN, "history": [item] })).unwrap()
}

#[tokio::test]
async fn a_stored_thread_is_loaded_with_its_turns() {
    let home = Home::new().with_rollout(Rollout::new().silent().turn("t-1", "q", "a").cwd("/tmp"));
    let mut d = Daemon::start(&home).await;
    let answer = d.call::<ThreadResume>(of(home.thread(0))).await;
    let thread = &answer.thread;
    assert_eq!((texts(&thread.turns), &thread.status), (vec![vec!["q", "a"]], &ThreadStatus::Idle));
    assert_eq!((answer.settings.cwd.as_str(), answer.settings.model.as_str()), ("/tmp", "mock-model"));
    let told = d.note::<ThreadStatusChangedNotification>().await;
    assert_eq!((told.thread_id, told.status), (home.thread(0).id.clone(), ThreadStatus::Idle));
    let loaded = d.call::<ThreadLoadedList>(ThreadLoadedListParams::default()).await.data;
    assert_eq!(loaded, [home.thread(0).id.as_str()]);
    assert_eq!(d.methods_from(0), ["thread/status/changed"]);
}

#[tokio::test]
async fn opening_a_thread_changes_neither_the_file_nor_the_order() {
    let home = Home::new().with_rollout(Rollout::new().mtime(1_736_200_000));
    let before = fs::read(&home.thread(0).path).unwrap();
    let mut d = Daemon::start(&home).await;
    assert_eq!(resume(&mut d, home.thread(0)).await.updated_at, 1_736_200_000);
    assert_eq!(read(d.restart().await, home.thread(0)).await.updated_at, 1_736_200_000);
    assert_eq!(fs::read(&home.thread(0).path).unwrap(), before);
}

#[tokio::test]
async fn the_model_is_told_what_was_said_before() {
    let home = Home::new().with_rollout(Rollout::new().silent().turn("t-1", "q1", "a1"));
    let mut d = Daemon::start(&home).await;
    resume(&mut d, home.thread(0)).await;
    turn(&mut d, home.thread(0), "q2").await;
    let request = home.model().last_request();
    let said: Vec<_> = request.talk().into_iter().map(|(role, text)| format!("{role}: {text}")).collect();
    assert_eq!(said, ["user: q1", "assistant: a1", "user: q2"]);
}

#[tokio::test]
async fn a_thread_goes_on_with_the_model_that_it_had() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let with_model = protocol::TurnStartParams { model: Some("another".into()), ..ask(&id, "q1") };
    let begun = d.call::<TurnStart>(with_model).await.turn.id;
    ended(&mut d, &begun).await;
    let answer = d.restart().await.call::<ThreadResume>(of(&id)).await;
    assert_eq!(answer.settings.model, "another");
    turn(&mut d, &id, "q2").await;
    assert_eq!(home.model().last_request().body["model"], "another");
}

#[tokio::test]
async fn overrides_are_for_threads_that_are_not_loaded_yet() {
    let home = Home::new().with_rollout(Rollout::new());
    let overrides = ThreadOverrides {
        model: Some("another".into()),
        cwd: Some("/tmp".into()),
        approval_policy: Some(AskForApproval::OnRequest),
        sandbox: Some(SandboxMode::DangerFullAccess),
        ..ThreadOverrides::default()
    };
    let params = ThreadResumeParams { overrides, ..of(home.thread(0)).into() };
    let mut d = Daemon::start(&home).await;
    let loaded = d.call::<ThreadResume>(params.clone()).await.settings;
    assert_eq!((loaded.model.as_str(), loaded.cwd.as_str()), ("another", "/tmp"));
    assert_eq!(
        (loaded.approval_policy, &loaded.sandbox),
        (AskForApproval::OnRequest, &protocol::SandboxPolicy::DangerFullAccess)
    );
    let mut other = params;
    other.overrides.model = Some("a third".into());
    assert_eq!(d.call::<ThreadResume>(other).await.settings, loaded);
}

#[tokio::test]
async fn a_running_thread_is_joined() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "seed").await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    let thread = resume(&mut d, &id).await;
    assert_eq!(thread.status, ThreadStatus::Active { active_flags: vec![] });
    let statuses: Vec<_> = thread.turns.iter().map(|turn| turn.status).collect();
    assert_eq!(statuses, [TurnStatus::Completed, TurnStatus::InProgress]);
    assert_eq!(texts(&thread.turns)[1], ["slowly"]);
    gate.open();
    assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Completed);
}

#[tokio::test]
async fn a_loaded_thread_is_resumed_neither_with_a_history_nor_from_another_file() {
    let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new());
    let id = home.thread(0).id.clone();
    let mut d = Daemon::start(&home).await;
    resume(&mut d, &id).await;
    let refusal =
        refused(d.fail::<ThreadResume>(ThreadResumeParams { thread_id: id.clone(), ..history("x") }).await);
    assert_eq!(refusal, format!("cannot resume thread {id} with history while it is already running"));
    let other = home.thread(1).path.display().to_string();
    let refusal =
        refused(d.fail::<ThreadResume>(ThreadResumeParams { path: Some(other), ..of(&id).into() }).await);
    assert!(
        refusal.starts_with(&format!("cannot resume running thread {id} with mismatched path: ")),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_path_wins_over_the_id() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let path = Some(home.thread(0).path.display().to_string());
    for thread_id in ["ignored", "", UNKNOWN] {
        let params = ThreadResumeParams { path: path.clone(), ..of(thread_id).into() };
        assert_eq!(d.call::<ThreadResume>(params).await.thread.id, home.thread(0).id);
    }
}

#[tokio::test]
async fn a_history_begins_another_thread() {
    let home = Home::new().with_rollout(Rollout::new());
    let before = fs::read(&home.thread(0).path).unwrap();
    let mut d = Daemon::start(&home).await;
    let params = ThreadResumeParams { thread_id: home.thread(0).id.clone(), ..history("from history") };
    let thread = d.call::<ThreadResume>(params).await.thread;
    assert_ne!(thread.id, home.thread(0).id);
    assert_eq!((thread.preview.as_str(), thread.turns), ("from history", vec![]));
    turn(&mut d, &thread.id, "and on").await;
    let request = home.model().last_request();
    assert_eq!(request.talk(), [("user", "from history".to_owned()), ("user", "and on".to_owned())]);
    assert_eq!(fs::read(&home.thread(0).path).unwrap(), before);
    let resumed = resume(d.restart().await, &thread.id).await;
    assert_eq!(resumed.preview, "from history");
    let empty = ThreadResumeParams { history: Some(vec![]), ..of(UNKNOWN).into() };
    assert_eq!(refused(d.fail::<ThreadResume>(empty).await), "history must not be empty");
}

#[tokio::test]
async fn turns_may_be_left_out_or_come_as_a_page() {
    let home =
        Home::new().with_rollout(Rollout::new().silent().turn("t-1", "q1", "a1").turn("t-2", "q2", "a2"));
    let without = ThreadResumeParams { exclude_turns: Some(true), ..of(home.thread(0)).into() };
    let mut d = Daemon::start(&home).await;
    let answer = d.call::<ThreadResume>(without.clone()).await;
    assert_eq!((answer.thread.turns, answer.initial_turns_page), (vec![], None));
    let page = ThreadResumeInitialTurnsPageParams { limit: Some(1), ..Default::default() };
    let answer =
        d.call::<ThreadResume>(ThreadResumeParams { initial_turns_page: Some(page), ..without }).await;
    let page = answer.initial_turns_page.unwrap();
    assert_eq!((texts(&page.data), answer.thread.turns), (vec![vec!["q2", "a2"]], vec![]));
    assert!(page.next_cursor.is_some());
}

#[tokio::test]
async fn what_cannot_be_resumed_is_refused() {
    let home = Home::new()
        .with_rollout(Rollout::new().archived())
        .with_rollout(Rollout::new().id("00000000-0000-4000-8000-00000000aaaa"));
    fs::write(&home.thread(1).path, "garbage\n").unwrap();
    let mut d = Daemon::start(&home).await;
    for (thread, text) in [
        (UNKNOWN, format!("no rollout found for thread id {UNKNOWN}")),
        ("not-a-uuid", "invalid session id: ".to_owned()),
        ("../../x", "invalid session id: ".to_owned()),
        (
            home.thread(0).id.as_str(),
            format!("session {} is archived. Run `codex unarchive", home.thread(0).id),
        ),
    ] {
        let refusal = refused(d.fail::<ThreadResume>(of(thread)).await);
        assert!(refusal.starts_with(&text), "{refusal}");
    }
    assert_eq!(
        refused(d.fail_raw("thread/resume", json!({})).await),
        "Invalid request: missing field `threadId`"
    );
    let broken = d.fail::<ThreadResume>(of(home.thread(1))).await;
    assert!(broken.message.contains(&home.thread(1).path.display().to_string()), "{broken:?}");
    let nowhere = ThreadResumeParams { path: Some("/nowhere/rollout.jsonl".into()), ..of("x").into() };
    let nowhere = d.fail::<ThreadResume>(nowhere).await;
    assert!(nowhere.message.contains("/nowhere/rollout.jsonl"), "{nowhere:?}");
    let fresh = start(&mut d).await;
    assert_eq!(
        refused(d.fail::<ThreadResume>(of(&fresh)).await),
        format!("no rollout found for thread id {fresh}")
    );
    assert_eq!(fs::read_to_string(&home.thread(1).path).unwrap(), "garbage\n");
}

#[tokio::test]
async fn an_ephemeral_thread_cannot_be_resumed() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let params = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let id = d.call::<ThreadStart>(params).await.thread.id;
    turn(&mut d, &id, "hi").await;
    for _ in 0..2 {
        assert_eq!(
            refused(d.fail::<ThreadResume>(of(&id)).await),
            format!("no rollout found for thread id {id}")
        );
        d.restart().await;
    }
}

#[tokio::test]
async fn a_turn_behind_a_torn_line_keeps_its_id_and_the_line_costs_nothing() {
    for tail in
        ["{\"timestamp\":\"2025-01-05T12:00:05Z\",\"type\":\"event_msg\",\"payl", "\0\0\0\0", "garbage"]
    {
        let home = Home::new().with_rollout(Rollout::new().tail(tail));
        let mut d = Daemon::start(&home).await;
        resume(&mut d, home.thread(0)).await;
        let ids = talk(&home, &mut d, home.thread(0), [("q2", "a2")]).await;
        let turns = turns(d.restart().await, home.thread(0)).await;
        assert_eq!(
            (texts(&turns), &turns[1].id),
            (vec![vec!["Hello"], vec!["q2", "a2"]], &ids[0]),
            "{tail:?}"
        );
        let bytes = fs::read(&home.thread(0).path).unwrap();
        assert!(bytes.windows(tail.len()).any(|window| window == tail.as_bytes()), "{tail:?} was rewritten");
    }
}

#[tokio::test]
async fn a_message_without_its_line_break_is_not_glued_to_the_next() {
    let home = Home::new().with_rollout(Rollout::new());
    let text = fs::read_to_string(&home.thread(0).path).unwrap();
    fs::write(&home.thread(0).path, text.trim_end()).unwrap();
    let mut d = Daemon::start(&home).await;
    resume(&mut d, home.thread(0)).await;
    talk(&home, &mut d, home.thread(0), [("q2", "a2")]).await;
    assert_eq!(texts(&turns(d.restart().await, home.thread(0)).await), [vec!["Hello"], vec!["q2", "a2"]]);
    assert!(fs::read_to_string(&home.thread(0).path).unwrap().starts_with(&text));
}

#[tokio::test]
async fn a_thread_goes_on_in_the_form_that_its_file_has() {
    let home = Home::new().with_rollout(Rollout::new().ordinals()).with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for (index, numbered) in [(0, true), (1, false)] {
        resume(&mut d, home.thread(index)).await;
        talk(&home, &mut d, home.thread(index), [("q2", "a2"), ("q3", "a3")]).await;
        let lines = json_lines(&home.thread(index).path);
        for (number, line) in lines.iter().enumerate() {
            let expected = if numbered { json!(number) } else { json!(null) };
            assert_eq!(line["ordinal"], expected, "{line}");
        }
        let of_kind =
            |kind: &str| lines.iter().skip(3).filter(|line| line["payload"]["type"] == kind).count();
        let expected = if numbered { (4, 0, 0) } else { (0, 2, 2) };
        assert_eq!((of_kind("item_completed"), of_kind("user_message"), of_kind("agent_message")), expected);
        let turns = turns(&mut d, home.thread(index)).await;
        assert_eq!(texts(&turns)[1..], [["q2", "a2"], ["q3", "a3"]]);
    }
}

#[tokio::test]
async fn a_thread_moves_from_server_to_server() {
    let home = Home::new();
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let id = start(&mut a).await;
    talk(&home, &mut a, &id, [("q1", "a1")]).await;
    // Loaded there and idle: it may change hands, and whoever speaks next knows all that was said.
    resume(&mut b, &id).await;
    talk(&home, &mut b, &id, [("q2", "a2")]).await;
    talk(&home, &mut a, &id, [("q3", "a3")]).await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["q1", "a1", "q2", "a2", "q3"]);
    for d in [&mut a, &mut b] {
        assert_eq!(texts(&turns(d, &id).await), [["q1", "a1"], ["q2", "a2"], ["q3", "a3"]]);
    }
}

#[tokio::test]
async fn a_turn_is_refused_while_another_server_runs_one_in_the_thread() {
    let home = Home::new();
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let id = start(&mut a).await;
    talk(&home, &mut a, &id, [("q1", "a1")]).await;
    resume(&mut b, &id).await;
    let (running, gate) = begin_slow(&home, &mut a, &id, "slowly").await;
    let refusal = refused(b.fail::<TurnStart>(ask(&id, "meanwhile")).await);
    assert_eq!(refusal, format!("thread {id} already has an active writer"));
    gate.open();
    ended(&mut a, &running).await;
    talk(&home, &mut b, &id, [("q3", "a3")]).await;
    assert_eq!(texts(&turns(&mut a, &id).await), [["q1", "a1"], ["slowly", "at last"], ["q3", "a3"]]);
}

#[tokio::test]
async fn the_thread_of_a_killed_server_is_taken_over_in_the_middle_of_a_turn() {
    let home = Home::new();
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let id = start(&mut a).await;
    talk(&home, &mut a, &id, [("q1", "a1")]).await;
    begin_slow(&home, &mut a, &id, "q2").await;
    a.kill().await;
    let thread = resume(&mut b, &id).await;
    let statuses: Vec<_> = thread.turns.iter().map(|turn| turn.status).collect();
    assert_eq!(statuses, [TurnStatus::Completed, TurnStatus::Interrupted]);
    talk(&home, &mut b, &id, [("q3", "a3")]).await;
    assert_eq!(texts(&turns(&mut b, &id).await), [vec!["q1", "a1"], vec!["q2"], vec!["q3", "a3"]]);
}

#[tokio::test]
async fn resuming_again_subscribes_again() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let first = resume(&mut d, home.thread(0)).await;
    d.call::<ThreadUnsubscribe>(of(home.thread(0))).await;
    assert_eq!(resume(&mut d, home.thread(0)).await, first);
    home.model().script([say("heard")]);
    let turn = turn(&mut d, home.thread(0), "hi").await;
    assert_eq!(turn.status, TurnStatus::Completed);
}

#[tokio::test]
async fn a_file_whose_name_and_first_line_disagree_goes_by_the_first_line() {
    let home = Home::new();
    let stored = home.store(Rollout::new());
    let inside = "00000000-0000-4000-8000-00000000bbbb";
    let text = fs::read_to_string(&stored.path).unwrap().replace(&stored.id, inside);
    fs::write(&stored.path, text).unwrap();
    let mut d = Daemon::start(&home).await;
    assert_eq!(listed(&mut d).await, [inside]);
    let params = ThreadResumeParams { path: Some(stored.path.display().to_string()), ..of("x").into() };
    assert_eq!(d.call::<ThreadResume>(params).await.thread.id, inside);
}

#[tokio::test]
async fn experimental_fields_need_the_capability() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Launch::on(&home).capabilities(None).start().await;
    let id = &home.thread(0).id;
    let history = json!([{ "type": "message", "role": "user", "content": [] }]);
    for (field, value) in [("path", json!("/nope.jsonl")), ("history", history)] {
        let refusal = refused(d.fail_raw("thread/resume", json!({ "threadId": id, field: value })).await);
        assert_eq!(refusal, format!("thread/resume.{field} requires experimentalApi capability"));
    }
    d.call_raw("thread/resume", json!({ "threadId": id, "path": null, "history": null })).await;
    d.call::<ThreadArchive>(of(id)).await;
}

#[tokio::test]
async fn injected_context_and_calls_without_output_are_put_right_for_the_model() {
    let call = json!({ "type": "function_call", "call_id": "c1", "name": "exec_command", "arguments": "{}" });
    let home = Home::new().with_rollout(Rollout::new().line("response_item", call));
    let mut d = Daemon::start(&home).await;
    resume(&mut d, home.thread(0)).await;
    turn(&mut d, home.thread(0), "go on").await;
    let request = home.model().last_request();
    let outputs: Vec<_> =
        request.input().iter().filter(|item| item["type"] == "function_call_output").collect();
    assert_eq!((outputs.len(), &outputs[0]["call_id"]), (1, &json!("c1")));
    let items = d.call::<ThreadResume>(of(home.thread(0))).await.thread.turns;
    assert!(matches!(items[0].items[0], ThreadItem::UserMessage { .. }));
}
