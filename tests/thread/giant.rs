//! A thread of any size, with lines of 40 MB in it, is served in the memory of a small one.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;

use protocol::{SortDirection, ThreadTurnsList, ThreadTurnsListParams};
use protocol::{ThreadItem, ThreadItemsList, ThreadItemsListParams, ThreadResume, ThreadResumeParams};
use serde_json::{Value, json};
use testkit::{Daemon, Home, Rollout, of};

use crate::memory::memory;
use crate::steps::turn;

/// How much memory a call may take over an idle server, beside twice its answer.
const MEMORY: u64 = 64 << 20;

/// How long the longest lines are.
const GIANT_LINE: usize = 40 << 20;

/// Whether all is tried that takes minutes in a debug build: a thread of 10 GB, and answers of 16 MB.
fn is_long() -> bool {
    env::var_os("SKEIN_LONG_TESTS").is_some()
}

/// A home with one thread of that size.
fn giant() -> Home {
    let home = Home::new().with_rollout(Rollout::new());
    let path = &home.thread(0).path;
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    let mut add = |kind: &str, payload: Value| {
        let line = json!({ "timestamp": "2025-01-05T12:00:01.000Z", "type": kind, "payload": payload });
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    };
    let giant = "x".repeat(GIANT_LINE);
    add("response_item", json!({ "type": "function_call_output", "call_id": "c", "output": giant }));
    let words = "some words of the model ".repeat(8 << 10);
    let size = if is_long() { 10 << 30 } else { 100 << 20 };
    let mut turn = 0;
    while fs::metadata(path).unwrap().len() + (GIANT_LINE as u64) < size {
        let id = format!("turn-{turn}");
        let said = json!([{ "type": "output_text", "text": words }]);
        add("event_msg", json!({ "type": "task_started", "turn_id": id }));
        add("event_msg", json!({ "type": "user_message", "message": "go on" }));
        add("response_item", json!({ "type": "message", "role": "assistant", "content": said }));
        add("event_msg", json!({ "type": "agent_message", "message": words }));
        add("event_msg", json!({ "type": "task_complete", "turn_id": id }));
        turn += 1;
    }
    add("event_msg", json!({ "type": "task_started", "turn_id": "last" }));
    add("event_msg", json!({ "type": "user_message", "message": "print it" }));
    add(
        "event_msg",
        json!({
            "type": "exec_command_end", "call_id": "printed", "turn_id": "last", "command": ["cat", "giant"],
            "cwd": "/", "parsed_cmd": [], "stdout": "", "stderr": "", "aggregated_output": giant, "exit_code": 0,
            "duration": { "secs": 1, "nanos": 0 }, "formatted_output": "", "status": "completed",
        }),
    );
    add("event_msg", json!({ "type": "task_complete", "turn_id": "last" }));
    home
}

#[tokio::test]
async fn no_call_on_a_giant_thread_takes_more_memory_than_a_few_of_its_lines() {
    let home = giant();
    let id = &home.thread(0).id;
    let on = |mut params: Value| {
        params["threadId"] = json!(id);
        params
    };
    let mut calls = vec![
        ("thread/list", json!({})),
        ("thread/list", json!({ "searchTerm": "nowhere" })),
        ("thread/read", on(json!({}))),
        ("thread/turns/list", on(json!({ "itemsView": "full" }))),
        ("thread/turns/list", on(json!({ "sortDirection": "asc" }))),
        ("thread/items/list", on(json!({}))),
        ("thread/items/list", on(json!({ "sortDirection": "desc" }))),
        ("thread/metadata/update", on(json!({ "gitInfo": { "branch": "b" } }))),
        ("thread/resume", on(json!({ "excludeTurns": true }))),
        ("thread/fork", on(json!({ "excludeTurns": true }))),
    ];
    if is_long() {
        calls
            .extend([("thread/read", on(json!({ "includeTurns": true }))), ("thread/resume", on(json!({})))]);
    }
    for (method, params) in calls {
        let mut d = Daemon::start(&home).await;
        let idle = memory(&d, "VmHWM");
        d.call_raw(method, params.clone()).await;
        let answer = d.lines().iter().map(String::len).max().unwrap_or_default() as u64;
        let taken = memory(&d, "VmHWM") - idle;
        assert!(taken <= MEMORY + 2 * answer, "{method} {params}: {taken} bytes for an answer of {answer}");
        d.stop().await;
    }
}

#[tokio::test]
async fn a_turn_in_a_giant_thread_takes_little_memory_and_its_model_knows_the_newest() {
    let home = giant();
    let mut d = Daemon::start(&home).await;
    let idle = memory(&d, "VmHWM");
    let resume = ThreadResumeParams { exclude_turns: Some(true), ..of(home.thread(0)).into() };
    d.call::<ThreadResume>(resume).await;
    turn(&mut d, home.thread(0), "and now?").await;
    let asked = home.model().last_request().body.to_string().len() as u64;
    let taken = memory(&d, "VmHWM") - idle;
    assert!(taken <= MEMORY + 2 * asked, "{taken} bytes for a request of {asked}");
}

#[tokio::test]
async fn a_giant_output_is_told_by_its_ends_and_its_length() {
    let home = giant();
    let mut d = Daemon::start(&home).await;
    let last = ThreadItemsListParams {
        turn_id: Some("last".into()),
        sort_direction: Some(SortDirection::Desc),
        ..of(home.thread(0)).into()
    };
    let items = d.call::<ThreadItemsList>(last).await.data;
    let ThreadItem::CommandExecution { aggregated_output: Some(printed), .. } = &items[0].item else {
        panic!("{items:?}")
    };
    let left_out = GIANT_LINE - 2 * (256 << 10);
    assert!(printed.contains(&format!("\n[{left_out} bytes left out]\n")), "{} bytes", printed.len());
}

#[tokio::test]
#[ignore = "takes minutes in a debug build: run with --run-ignored all"]
async fn the_turns_that_one_answer_cannot_hold_are_reached_from_its_cursor() {
    let home = giant();
    let mut d = Daemon::start(&home).await;
    let resumed = d.call::<ThreadResume>(of(home.thread(0))).await;
    let shown = &resumed.thread.turns;
    assert_eq!(shown.last().map(|turn| turn.id.as_str()), Some("last"));
    let number = |id: &str| id.strip_prefix("turn-").unwrap().parse::<usize>().unwrap();
    let oldest_shown = number(&shown[0].id);
    assert!(oldest_shown > 0);
    let mut cursor = resumed.turns_backwards_cursor;
    let mut older = Vec::new();
    for _ in 0..2 {
        let page =
            ThreadTurnsListParams { cursor: cursor.take(), limit: Some(1), ..of(home.thread(0)).into() };
        let page = d.call::<ThreadTurnsList>(page).await.page;
        older.extend(page.data.iter().map(|turn| number(&turn.id)));
        cursor = page.next_cursor;
    }
    assert_eq!(older, [oldest_shown, oldest_shown - 1]);
}
