//! `thread/read`: a thread as it is stored or as it runs, without loading it.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    ErrorNotification, ItemCompletedNotification, ThreadItem, ThreadLoadedList, ThreadLoadedListParams,
    ThreadRead, ThreadResume, ThreadStart, ThreadStartParams, ThreadStatus, TurnItemsView, TurnStart,
    TurnStatus,
};
use serde_json::{Value, json};
use testkit::{Answer, Daemon, Home, Rollout, ask, events, of, say, with_turns};

use crate::steps::{UNKNOWN, begin_slow, ended, read, refused, start, talk, texts, turn, turns};

#[tokio::test]
async fn a_stored_thread_reads_as_its_first_line_says() {
    let home = Home::new().with_rollout(Rollout::new().cwd("/some/where").mtime(1_736_200_000));
    let mut d = Daemon::start(&home).await;
    let thread = read(&mut d, home.thread(0)).await;
    assert_eq!((thread.id.as_str(), thread.preview.as_str()), (home.thread(0).id.as_str(), "Hello"));
    assert_eq!(thread.path, Some(home.thread(0).path.display().to_string()));
    assert_eq!((thread.created_at, thread.updated_at), (1_736_078_400, 1_736_200_000));
    assert_eq!((thread.cwd.as_str(), thread.cli_version.as_str()), ("/some/where", "0.0.0"));
    assert_eq!((thread.status, thread.turns, thread.name), (ThreadStatus::NotLoaded, vec![], None));
}

#[tokio::test]
async fn reading_neither_loads_nor_writes() {
    let home = Home::new().with_rollout(Rollout::new().mtime(1_736_200_000).tail("{\"torn"));
    let before = fs::read(&home.thread(0).path).unwrap();
    let mut d = Daemon::start(&home).await;
    turns(&mut d, home.thread(0)).await;
    assert_eq!(
        d.call::<ThreadLoadedList>(ThreadLoadedListParams::default()).await.data,
        Vec::<String>::new()
    );
    let refusal = refused(d.fail::<TurnStart>(ask(home.thread(0), "hi")).await);
    assert_eq!(refusal, format!("thread not found: {}", home.thread(0).id));
    assert_eq!(read(&mut d, home.thread(0)).await.updated_at, 1_736_200_000);
    assert_eq!(fs::read(&home.thread(0).path).unwrap(), before);
}

#[tokio::test]
async fn an_archived_thread_is_read_with_its_turns() {
    let home = Home::new().with_rollout(Rollout::new().silent().turn("t", "q", "a").archived());
    let mut d = Daemon::start(&home).await;
    assert_eq!(texts(&turns(&mut d, home.thread(0)).await), [["q", "a"]]);
}

#[tokio::test]
async fn turns_read_back_as_they_ran() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([Answer::stream([
        events::created(),
        events::reasoning_added("rs-1"),
        events::summary_part(0),
        events::summary_delta(0, "considering"),
        events::reasoning("rs-1", &["considering"], &["raw"]),
        events::message_added("m-1"),
        events::delta("one"),
        events::message("m-1", "one"),
        events::message("m-2", "two"),
        events::completed(),
    ])]);
    let first = turn(&mut d, &id, "first").await;
    home.model().script([say("three")]);
    let second = turn(&mut d, &id, "second").await;

    let mut live: Vec<Vec<ThreadItem>> = Vec::new();
    for turn in [&first, &second] {
        let completed = d.notes().into_iter().filter_map(<ItemCompletedNotification as testkit::Note>::take);
        live.push(completed.filter(|note| note.turn_id == turn.id).map(|note| note.item).collect());
    }
    assert_eq!((live[0].len(), live[1].len()), (4, 2));
    for _ in 0..2 {
        let read = turns(&mut d, &id).await;
        assert_eq!(read.iter().map(|turn| turn.items.clone()).collect::<Vec<_>>(), live);
        for (read, told) in read.iter().zip([&first, &second]) {
            assert_eq!((&read.id, read.status, &read.error), (&told.id, TurnStatus::Completed, &None));
            assert_eq!((read.started_at, read.completed_at), (told.started_at, told.completed_at));
            assert_eq!((read.duration_ms, read.items_view), (told.duration_ms, TurnItemsView::Full));
        }
        d.restart().await;
    }
}

#[tokio::test]
async fn a_running_turn_is_shown_in_progress() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "seed").await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "take your time").await;
    let thread = d.call::<ThreadRead>(with_turns(&id)).await.thread;
    assert_eq!(thread.status, ThreadStatus::Active { active_flags: vec![] });
    assert_eq!((&thread.turns[1].id, thread.turns[1].status), (&running, TurnStatus::InProgress));
    // What is half said is not an item yet.
    assert_eq!(texts(&thread.turns), [vec!["seed", "Done"], vec!["take your time"]]);
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(texts(&turns(&mut d, &id).await)[1], ["take your time", "at last"]);
}

#[tokio::test]
async fn before_the_first_message_there_are_no_turns_to_read() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let thread = read(&mut d, &id).await;
    assert_eq!((thread.preview.as_str(), thread.status), ("", ThreadStatus::Idle));
    let refusal = refused(d.fail::<ThreadRead>(with_turns(&id)).await);
    let text =
        format!("thread {id} is not materialized yet; includeTurns is unavailable before first user message");
    assert_eq!((refusal, home.files("rollout-").len()), (text, 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    assert_eq!(refused(d.fail::<ThreadRead>(of(UNKNOWN)).await), format!("thread not loaded: {UNKNOWN}"));
    for id in ["", "not-a-uuid", "../../../../etc/passwd", "67e55044-10b1-426f-9247-bb680e5fe0c8/../x"] {
        let refusal = refused(d.fail::<ThreadRead>(of(id)).await);
        assert!(refusal.starts_with("invalid thread id: "), "{id}: {refusal}");
    }
    let refusal = refused(d.fail_raw("thread/read", json!({})).await);
    assert_eq!(refusal, "Invalid request: missing field `threadId`");
    let ephemeral = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let ephemeral = d.call::<ThreadStart>(ephemeral).await.thread.id;
    turn(&mut d, &ephemeral, "hi").await;
    let refusal = refused(d.fail::<ThreadRead>(with_turns(&ephemeral)).await);
    assert_eq!(refusal, "ephemeral threads do not support includeTurns");
}

#[tokio::test]
async fn turns_without_marks_have_ids_that_stay() {
    let home = Home::new().with_rollout(Rollout::new().agent("a1").user("q2"));
    let mut d = Daemon::start(&home).await;
    let first = turns(&mut d, home.thread(0)).await;
    assert_eq!(texts(&first), [vec!["Hello", "a1"], vec!["q2"]]);
    assert_ne!(first[0].id, first[1].id);
    assert_eq!(turns(d.restart().await, home.thread(0)).await, first);
    assert_eq!(d.call::<ThreadResume>(of(home.thread(0))).await.thread.turns, first);
}

#[tokio::test]
async fn the_end_of_a_recorded_turn_is_told() {
    let begun = |id: &str| json!({ "type": "task_started", "turn_id": id, "started_at": 1_736_078_400, "model_context_window": null });
    let home = Home::new().with_rollout(
        Rollout::new()
            .silent()
            .event(begun("t-1"))
            .user("completed")
            .event(json!({ "type": "task_complete", "turn_id": "t-1", "last_agent_message": null,
                "completed_at": 1_736_078_460, "duration_ms": 60_000 }))
            .event(begun("t-2"))
            .user("aborted")
            .event(json!({ "type": "turn_aborted", "turn_id": "t-2", "reason": "interrupted" }))
            .event(begun("t-3"))
            .user("never closed"),
    );
    let mut d = Daemon::start(&home).await;
    let turns = turns(&mut d, home.thread(0)).await;
    let ends: Vec<_> = turns.iter().map(|turn| (turn.id.as_str(), turn.status)).collect();
    let expected =
        [("t-1", TurnStatus::Completed), ("t-2", TurnStatus::Interrupted), ("t-3", TurnStatus::Interrupted)];
    assert_eq!(ends, expected);
    let times = (turns[0].started_at, turns[0].completed_at, turns[0].duration_ms);
    assert_eq!(times, (Some(1_736_078_400), Some(1_736_078_460), Some(60_000)));
}

#[tokio::test]
async fn recorded_events_read_back_as_items() {
    let command = json!({ "type": "exec_command_end", "call_id": "c2", "turn_id": "t-1", "command": ["bash", "-lc", "ls"],
        "cwd": "/", "parsed_cmd": [{ "type": "unknown", "cmd": "ls" }], "source": "agent", "stdout": "o", "stderr": "",
        "aggregated_output": "o", "exit_code": 0, "duration": { "secs": 1, "nanos": 0 }, "formatted_output": "o",
        "status": "completed" });
    let patch = json!({ "type": "patch_apply_end", "call_id": "c3", "turn_id": "t-1", "stdout": "", "stderr": "",
        "success": true, "changes": { "/a": { "type": "add", "content": "x" } }, "status": "completed" });
    let tool = json!({ "type": "mcp_tool_call_end", "call_id": "c4",
        "invocation": { "server": "s", "tool": "t", "arguments": {} }, "duration": { "secs": 0, "nanos": 5 },
        "result": { "Ok": { "content": [], "isError": false } } });
    let search = json!({ "type": "web_search_end", "call_id": "c5", "query": "wq", "action": { "type": "search", "query": "wq" } });
    let plan = json!({ "type": "item_completed", "thread_id": UNKNOWN, "turn_id": "t-1",
        "item": { "type": "Plan", "id": "p1", "text": "the plan" } });
    for (event, expected) in [
        (
            json!({ "type": "agent_reasoning", "text": "thinking" }),
            json!({ "type": "reasoning", "summary": ["thinking"] }),
        ),
        (
            json!({ "type": "agent_reasoning_raw_content", "text": "raw" }),
            json!({ "type": "reasoning", "content": ["raw"] }),
        ),
        (
            command,
            json!({ "type": "commandExecution", "id": "c2", "command": "bash -lc ls", "aggregatedOutput": "o",
            "exitCode": 0, "durationMs": 1000, "source": "agent", "status": "completed" }),
        ),
        (
            patch,
            json!({ "type": "fileChange", "id": "c3", "status": "completed",
            "changes": [{ "path": "/a", "kind": { "type": "add" }, "diff": "x" }] }),
        ),
        (
            tool,
            json!({ "type": "mcpToolCall", "id": "c4", "server": "s", "tool": "t", "status": "completed" }),
        ),
        (search, json!({ "type": "webSearch", "id": "c5", "query": "wq" })),
        (plan, json!({ "type": "plan", "id": "p1", "text": "the plan" })),
        (json!({ "type": "context_compacted" }), json!({ "type": "contextCompaction" })),
    ] {
        let home = Home::new().with_rollout(
            Rollout::new()
                .silent()
                .event(json!({ "type": "task_started", "turn_id": "t-1", "model_context_window": null }))
                .user("q")
                .event(event)
                .event(json!({ "type": "task_complete", "turn_id": "t-1", "last_agent_message": null })),
        );
        let mut d = Daemon::start(&home).await;
        let turns = turns(&mut d, home.thread(0)).await;
        let item = serde_json::to_value(&turns[0].items[1]).unwrap();
        let shown: Value =
            expected.as_object().unwrap().keys().map(|field| (field.clone(), item[field].clone())).collect();
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn a_thread_of_the_newer_release_is_read() {
    let completed = |item: Value| {
        json!({ "type": "item_completed", "thread_id": UNKNOWN, "turn_id": "t-1", "item": item,
            "started_at_ms": 1_736_078_400_000_i64, "completed_at_ms": 1_736_078_400_000_i64 })
    };
    let text = json!([{ "type": "text", "text": "q", "text_elements": [] }]);
    let home = Home::new().with_rollout(
        Rollout::new()
            .silent()
            .ordinals()
            .event(json!({ "type": "task_started", "turn_id": "t-1", "model_context_window": null }))
            .event(completed(json!({ "type": "UserMessage", "id": "u1", "content": text })))
            .event(completed(
                json!({ "type": "AgentMessage", "id": "m1", "content": [{ "type": "Text", "text": "a" }] }),
            ))
            .event(json!({ "type": "task_complete", "turn_id": "t-1", "last_agent_message": "a" })),
    );
    let mut d = Daemon::start(&home).await;
    let turns = turns(&mut d, home.thread(0)).await;
    assert_eq!(texts(&turns), [["q", "a"]]);
    assert_eq!(turns[0].items.iter().map(ThreadItem::id).collect::<Vec<_>>(), ["u1", "m1"]);
    let thread = read(&mut d, home.thread(0)).await;
    assert_eq!((thread.preview.as_str(), thread.history_mode), ("q", protocol::ThreadHistoryMode::Paginated));
}

#[tokio::test]
async fn damage_costs_the_line_that_it_is_in() {
    let home = Home::new();
    let intact = home.store(Rollout::new().silent().turn("t-1", "q", "a"));
    let text = fs::read_to_string(&intact.path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let with = |bad: &[u8]| {
        let mut bytes = Vec::new();
        for line in &lines {
            bytes.extend([line.as_bytes(), b"\n", bad, b"\n"].concat());
        }
        bytes
    };
    let mut d = Daemon::start(&home).await;
    for bytes in [
        [text.as_bytes(), b"{\"timestamp\":\"2025-01-05T12:00:05Z\",\"type\":\"event_msg\",\"payl"].concat(),
        text.trim_end().as_bytes().to_vec(),
        text.replace('\n', "\r\n").into_bytes(),
        [text.as_bytes(), &[0; 700]].concat(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        with(b"garbage"),
        with(b""),
        with(b"\xff\xfe\x80"),
        with(b"[1,2]"),
        with(br#"{"type":"event_msg"}"#),
        with(br#"{"timestamp":"x","type":"of_the_future","payload":{"a":1}}"#),
        with(br#"{"timestamp":"x","type":"event_msg","payload":{"type":"of_the_future"}}"#),
        with(
            format!(r#"{{"type":"event_msg","payload":{{"type":"x","x":"{}"}}}}"#, "x".repeat(3 << 20))
                .as_bytes(),
        ),
    ] {
        fs::write(&intact.path, &bytes).unwrap();
        let shown = turns(&mut d, &intact).await;
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(3000)]).into_owned();
        assert_eq!(texts(&shown), [["q", "a"]], "{head}");
        assert_eq!((shown[0].id.as_str(), shown[0].status), ("t-1", TurnStatus::Completed), "{head}");
        assert_eq!(fs::read(&intact.path).unwrap(), bytes, "reading writes nothing");
    }
}

#[tokio::test]
async fn a_failed_turn_stays_failed() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    home.model().script([Answer::stream([events::created(), events::failed("server_error", "boom")])]);
    let failing = d.call::<TurnStart>(ask(&id, "q2")).await.turn.id;
    let told = d.note::<ErrorNotification>().await;
    assert_eq!(ended(&mut d, &failing).await.error, Some(told.error.clone()));
    let turns = turns(d.restart().await, &id).await;
    assert_eq!((turns[1].status, &turns[1].error), (TurnStatus::Failed, &Some(told.error)));
}

#[tokio::test]
async fn any_text_comes_back_as_it_was() {
    let (asked, answered) =
        ("é 漢字 👩‍👩‍👧 \u{202e} rtl \u{2028} ls \u{7} \"q\\\" \r\n end", "→ ответ 🎉 \u{301} \u{0}");
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [(asked, answered)]).await;
    assert_eq!(home.model().last_request().talk().last().unwrap(), &("user", asked.to_owned()));
    assert_eq!(texts(&turns(d.restart().await, &id).await), [[asked, answered]]);
    assert_eq!(read(&mut d, &id).await.preview, asked);
}

#[tokio::test]
async fn a_turn_survives_a_kill_right_after_it_completed() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    d.kill().await;
    let turns = turns(d.restart().await, &id).await;
    assert_eq!((texts(&turns), turns[0].status), (vec![vec!["q1", "a1"]], TurnStatus::Completed));
}

#[tokio::test]
async fn the_question_of_a_killed_turn_is_kept() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, _gate) = begin_slow(&home, &mut d, &id, "q1").await;
    d.kill().await;
    let turns = turns(d.restart().await, &id).await;
    assert_eq!((texts(&turns), turns[0].status), (vec![vec!["q1"]], TurnStatus::Interrupted));
    assert_eq!(turns[0].id, running);
}

#[tokio::test]
async fn history_outlives_the_index() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    let before = d.call::<ThreadRead>(with_turns(&id)).await.thread;
    d.stop().await;
    home.delete_index();
    let after = d.restart().await.call::<ThreadRead>(with_turns(&id)).await.thread;
    assert_eq!(after, protocol::Thread { status: ThreadStatus::NotLoaded, ..before });
}

#[tokio::test]
async fn another_server_reads_what_was_written_here() {
    let home = Home::new();
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let id = start(&mut a).await;
    talk(&home, &mut a, &id, [("q1", "a1")]).await;
    assert_eq!(texts(&turns(&mut b, &id).await), [["q1", "a1"]]);
    assert_eq!(read(&mut b, &id).await.status, ThreadStatus::NotLoaded);
    talk(&home, &mut a, &id, [("q2", "a2")]).await;
    assert_eq!(texts(&turns(&mut b, &id).await), [["q1", "a1"], ["q2", "a2"]]);
}
