//! Recorded sessions and the turns that they show.

use pretty_assertions::assert_eq;
use rollout::{Disk, Home, Record, SessionMeta, ThreadId, Writer};
use serde_json::{Value, json};

use super::*;
use crate::testing::{agent, event, line, recorded_turn, stored, user};

const UNKNOWN: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// Feeds lines as they were read, while `running` runs.
fn projected(lines: &[String], running: Option<&str>) -> Vec<Turn> {
    let mut projector = Projector::new(running.map(str::to_owned));
    for (index, line) in lines.iter().enumerate() {
        if let Some(line) = Line::parse(line.as_bytes()) {
            projector.feed(&line, index as u64);
        }
    }
    projector.finish()
}

/// Shows turns as a person would see them: `id status: text, text`.
fn shown(turns: &[Turn]) -> Vec<String> {
    let text = |item: &ThreadItem| match item {
        ThreadItem::UserMessage { content, .. } => match content.as_slice() {
            [protocol::UserInput::Text { text, .. }, ..] => text.clone(),
            _ => String::new(),
        },
        ThreadItem::AgentMessage { text, .. } => text.clone(),
        other => other.id().to_owned(),
    };
    let status = |turn: &Turn| serde_json::to_value(turn.status).unwrap().as_str().unwrap().to_owned();
    let texts = |turn: &Turn| turn.items.iter().map(text).collect::<Vec<_>>().join(", ");
    turns.iter().map(|turn| format!("{} {}: {}", turn.id, status(turn), texts(turn))).collect()
}

fn start(id: &str) -> String {
    event(json!({"type": "task_started", "turn_id": id}))
}

fn end(id: &str) -> String {
    event(json!({"type": "task_complete", "turn_id": id}))
}

fn abort(id: &str) -> String {
    event(json!({"type": "turn_aborted", "turn_id": id, "reason": "interrupted"}))
}

fn error() -> String {
    event(json!({"type": "error", "message": "boom", "codex_error_info": "internal_server_error"}))
}

#[test]
fn recorded_sessions_read_as_turns() {
    let session =
        line("session_meta", json!({"id": UNKNOWN, "timestamp": "2025-01-05T12:00:00.000Z", "cwd": "/"}));
    let rolled_back = |count: u32| event(json!({"type": "thread_rolled_back", "num_turns": count}));
    let failed_as_newer = event(
        json!({"type": "task_complete", "turn_id": "B", "error": {"message": "boom", "codex_error_info": "other"}}),
    );
    for (name, lines, running, expected) in [
        ("only words", user("only words"), None, &["rollout-1 completed: only words"][..]),
        (
            "without marks",
            [vec![session.clone()], user("q1"), agent("a1"), user("q2")].concat(),
            None,
            &["rollout-2 completed: q1, a1", "rollout-6 completed: q2"],
        ),
        ("with marks", recorded_turn("A", "q1", "a1"), None, &["A completed: q1, a1"]),
        ("aborted", [vec![start("A")], user("q1"), vec![abort("A")]].concat(), None, &["A interrupted: q1"]),
        ("killed", [vec![start("A")], user("q1")].concat(), None, &["A interrupted: q1"]),
        ("running", [vec![start("A")], user("q1")].concat(), Some("A"), &["A inProgress: q1"]),
        (
            "another one runs",
            [vec![start("A")], user("q1"), vec![start("B")], user("q2")].concat(),
            Some("B"),
            &["A interrupted: q1", "B inProgress: q2"],
        ),
        ("said to run, but ended", recorded_turn("A", "q1", "a1"), Some("A"), &["A completed: q1, a1"]),
        ("failed", [vec![start("A")], user("q1"), vec![error(), end("A")]].concat(), None, &["A failed: q1"]),
        ("failed, then killed", [vec![start("A"), error()]].concat(), None, &["A failed: "]),
        (
            "failed, then aborted",
            [vec![start("A"), error(), abort("A")]].concat(),
            None,
            &["A interrupted: "],
        ),
        ("failed as newer releases say it", vec![start("B"), failed_as_newer], None, &["B failed: "]),
        ("an error after the end", vec![start("A"), end("A"), error()], None, &["A completed: "]),
        (
            "rolled back",
            [
                recorded_turn("A", "q1", "a1"),
                recorded_turn("B", "q2", "a2"),
                recorded_turn("C", "q3", "a3"),
                vec![rolled_back(2)],
                recorded_turn("D", "q4", "a4"),
            ]
            .concat(),
            None,
            &["A completed: q1, a1", "D completed: q4, a4"],
        ),
        ("rolled back beyond the first", [user("q1"), vec![rolled_back(99)]].concat(), None, &[]),
        (
            "a command ends in a later turn",
            [
                recorded_turn("A", "q1", "a1"),
                vec![start("B"), event(json!({"type": "exec_command_end", "call_id": "c", "turn_id": "A"}))],
                user("q2"),
            ]
            .concat(),
            None,
            &["A completed: q1, a1, c", "B interrupted: q2"],
        ),
        (
            "odd lines",
            [
                vec![session, "garbage".into(), String::new()],
                recorded_turn("A", "q1", "a1"),
                vec![
                    "[1,2]".into(),
                    r#"{"type":"event_msg"}"#.into(),
                    line("future_kind", json!({"a": 1})),
                    event(json!({"type": "future_event"})),
                    start("B")[..40].into(),
                ],
            ]
            .concat(),
            None,
            &["A completed: q1, a1"],
        ),
    ] {
        assert_eq!(shown(&projected(&lines, running)), expected, "{name}");
    }
}

#[test]
fn every_recorded_event_shows_in_its_turn() {
    let events = [
        json!({"type": "agent_reasoning", "text": "thinking"}),
        json!({"type": "agent_reasoning_raw_content", "text": "raw"}),
        json!({"type": "patch_apply_end", "call_id": "c3", "turn_id": "t-1", "success": true, "changes": {"/a": {"type": "add", "content": "x"}}, "status": "completed"}),
        json!({"type": "mcp_tool_call_end", "call_id": "c4", "invocation": {"server": "s", "tool": "t", "arguments": {}}, "duration": {"secs": 0, "nanos": 5}, "result": {"Ok": {"content": [], "isError": false}}}),
        json!({"type": "web_search_end", "call_id": "c5", "query": "wq", "action": {"type": "search", "query": "wq"}}),
        json!({"type": "entered_review_mode", "target": {"type": "uncommittedChanges"}, "user_facing_hint": "hint"}),
        json!({"type": "exited_review_mode", "review_output": {"findings": [], "overall_explanation": "exp"}}),
        json!({"type": "item_completed", "thread_id": UNKNOWN, "turn_id": "t-1", "item": {"type": "Plan", "id": "p1", "text": "the plan"}}),
        json!({"type": "context_compacted"}),
        json!({"type": "exec_command_end", "call_id": "c2", "turn_id": "t-1", "command": ["ls"], "exit_code": 0}),
    ];
    let mut lines = recorded_turn("t-1", "q1", "a1");
    let last = lines.pop().unwrap();
    lines.extend(events.map(event));
    lines.push(last);
    let turns = projected(&lines, None);
    let items = turns[0].items.iter().map(|item| {
        let value = serde_json::to_value(item).unwrap();
        format!("{} {}", value["type"].as_str().unwrap(), item.id())
    });
    assert_eq!(
        items.collect::<Vec<_>>(),
        [
            "userMessage item-1",
            "agentMessage item-2",
            "reasoning item-3",
            "fileChange c3",
            "mcpToolCall c4",
            "webSearch c5",
            "enteredReviewMode item-4",
            "exitedReviewMode item-5",
            "plan p1",
            "contextCompaction item-6",
            "commandExecution c2",
        ]
    );
    let thought = ThreadItem::Reasoning {
        id: "item-3".into(),
        summary: vec!["thinking".into()],
        content: vec!["raw".into()],
    };
    assert_eq!(turns[0].items[2], thought);
}

#[test]
fn a_turn_has_the_times_and_the_error_of_its_marks() {
    let lines = [
        event(
            json!({"type": "task_started", "turn_id": "A", "root_turn_id": "R", "started_at": 1_736_078_400}),
        ),
        error(),
        event(
            json!({"type": "task_complete", "turn_id": "A", "completed_at": 1_736_078_460, "duration_ms": 60_000}),
        ),
        user("without marks").remove(1),
    ];
    let turns = serde_json::to_value(projected(&lines, None)).unwrap();
    assert_eq!(
        turns[0],
        json!({
            "id": "A", "rootTurnId": "R", "items": [], "itemsView": "full", "status": "failed",
            "error": {"message": "boom", "codexErrorInfo": "internalServerError", "additionalDetails": null},
            "startedAt": 1_736_078_400, "completedAt": 1_736_078_460, "durationMs": 60_000,
        })
    );
    let times = |turn: &Value| {
        ["rootTurnId", "startedAt", "completedAt", "durationMs"].map(|field| turn[field].clone())
    };
    assert_eq!(times(&turns[1]), [json!(null), json!(null), json!(null), json!(null)]);
}

#[test]
fn the_error_that_was_told_live_is_that_of_the_turn() {
    let error =
        json!({"type": "error", "message": "boom", "codex_error_info": "other", "additional_details": "why"});
    let end = json!({"type": "task_complete", "turn_id": "A", "error": {"message": "boom", "codex_error_info": "other"}});
    let told = error_of(&serde_json::from_value(error.clone()).unwrap());
    assert_eq!(told.as_ref().and_then(|error| error.additional_details.as_deref()), Some("why"));
    let turns = projected(&[start("A"), event(error), event(end.clone())], None);
    assert_eq!(turns[0].error, told);
    assert_eq!(error_of(&serde_json::from_value(end).unwrap()), None);
}

#[test]
fn a_thread_of_the_newer_release_keeps_its_live_ids() {
    let item = |item: Value| {
        event(
            json!({"type": "item_completed", "thread_id": UNKNOWN, "turn_id": "A", "item": item, "started_at_ms": 1, "completed_at_ms": 2}),
        )
    };
    let lines = [
        start("A"),
        item(
            json!({"type": "UserMessage", "id": "u1", "content": [{"type": "text", "text": "q1", "text_elements": []}]}),
        ),
        item(json!({"type": "Reasoning", "id": "r1", "summary_text": ["s"], "raw_content": []})),
        item(json!({"type": "AgentMessage", "id": "m1", "content": [{"type": "Text", "text": "a1"}]})),
        end("A"),
    ];
    let turns = projected(&lines, None);
    assert_eq!(shown(&turns), ["A completed: q1, r1, a1"]);
    assert_eq!(turns[0].items.iter().map(ThreadItem::id).collect::<Vec<_>>(), ["u1", "r1", "m1"]);
}

/// What our agent appends in one session, an append a row.
fn session() -> Vec<Vec<Event>> {
    let events = [
        json!([{"type": "task_started", "turn_id": "A", "started_at": 7}]),
        json!([{"type": "user_message", "message": "look", "local_images": ["/i.png"], "item_id": "u1", "turn_id": "A", "client_id": "c",
            "inputs": [{"type": "localImage", "path": "/i.png", "detail": null}, {"type": "text", "text": "look", "text_elements": []}, {"type": "mention", "name": "M", "path": "app://m"}]}]),
        json!([{"type": "agent_reasoning", "text": "s1", "item_id": "r1"}, {"type": "agent_reasoning", "text": "s2", "item_id": "r1"}, {"type": "agent_reasoning_raw_content", "text": "raw", "item_id": "r1"}]),
        json!([{"type": "agent_reasoning", "text": "s3", "item_id": "r2"}]),
        json!([{"type": "agent_message", "message": "I look", "phase": "commentary", "item_id": "m1", "turn_id": "A"}]),
        json!([{"type": "exec_command_end", "call_id": "c1", "turn_id": "A", "command": ["ls", "a b"], "cwd": "/w", "source": "agent", "aggregated_output": "x\n", "exit_code": 0, "duration": {"secs": 1, "nanos": 0}, "status": "completed"}]),
        json!([{"type": "patch_apply_end", "call_id": "c2", "turn_id": "A", "success": true, "status": "completed", "changes": {"/w/a": {"type": "add", "content": "x"}}}]),
        json!([{"type": "mcp_tool_call_end", "call_id": "c3", "invocation": {"server": "s", "tool": "t", "arguments": {"a": 1}}, "duration": {"secs": 0, "nanos": 0}, "result": {"Err": "no"}}]),
        json!([{"type": "web_search_end", "call_id": "c4", "query": "q", "action": {"type": "search", "query": "q"}}]),
        json!([{"type": "agent_message", "message": "", "item_id": "m2", "turn_id": "A"}, {"type": "agent_message", "message": "done", "phase": "final_answer", "item_id": "m2", "turn_id": "A"}]),
        json!([{"type": "task_complete", "turn_id": "A", "last_agent_message": "done"}]),
        json!([{"type": "task_started", "turn_id": "B", "started_at": 8}]),
        json!([{"type": "context_compacted", "item_id": "x1", "turn_id": "B"}]),
        json!([{"type": "error", "message": "boom", "codex_error_info": "other"}, {"type": "task_complete", "turn_id": "B", "error": {"message": "boom", "codex_error_info": "other"}}]),
    ];
    events.map(|append| serde_json::from_value(append).unwrap()).into()
}

/// Tells a session live, appends it to a file of this form, and returns what was told and what is read.
fn told_and_read(history_mode: Option<&str>) -> (Vec<ThreadItem>, Vec<ThreadItem>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollout.jsonl");
    let history_mode = history_mode.map(str::to_owned);
    let meta = SessionMeta { id: ThreadId::new(), history_mode, ..SessionMeta::default() };
    let mut writer = Writer::create(&Disk::default(), &path, meta).unwrap();
    let mut told = Vec::new();
    for events in session() {
        told.extend(items_of(&events));
        writer.append(&events.into_iter().map(Record::EventMsg).collect::<Vec<_>>()).unwrap();
    }
    let segments = rollout::segments(&Home::new(folder.path().to_owned()), &path).unwrap();
    let turns = crate::turns(&segments, None, usize::MAX).unwrap().turns;
    (told, turns.into_iter().flat_map(|turn| turn.items).collect())
}

#[test]
fn what_was_told_live_is_what_a_later_read_shows() {
    let (told, read) = told_and_read(None);
    assert_eq!(read, told);
    let ids: Vec<_> = told.iter().map(ThreadItem::id).collect();
    assert_eq!(ids, ["u1", "r1", "r2", "m1", "c1", "c2", "c3", "c4", "m2", "m2", "x1"]);
}

#[test]
fn so_it_is_in_a_file_of_the_newer_form() {
    let (told, read) = told_and_read(Some("paginated"));
    assert_eq!(read, told);
}

#[test]
fn a_whole_read_and_a_projector_agree() {
    let lines = [recorded_turn("A", "q1", "a1"), vec!["garbage".into()], user("q2")].concat();
    assert_eq!(
        crate::turns(&stored(&lines).segments, None, usize::MAX).unwrap().turns,
        projected(&lines, None)
    );
}
