//! `thread/list`: everything that is stored, once, in order, whatever state the index is in.

mod filters;
mod pages;

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    SortDirection, Thread, ThreadArchive, ThreadList, ThreadListParams, ThreadSortKey, ThreadStart,
    ThreadStartParams, ThreadStatus,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, Launch, Rollout, ask, of};

use crate::index::{self, Index};
use crate::steps::{ended, list, listed, refused, start, turn};

fn by(sort_key: ThreadSortKey) -> ThreadListParams {
    ThreadListParams { sort_key: Some(sort_key), ..ThreadListParams::default() }
}

fn limit(limit: u32) -> ThreadListParams {
    ThreadListParams { limit: Some(limit), ..ThreadListParams::default() }
}

fn searching(term: &str) -> ThreadListParams {
    ThreadListParams { search_term: Some(term.into()), ..ThreadListParams::default() }
}

/// Follows the cursor to the end; the threads, and how many were on each page.
async fn walk(d: &mut Daemon, mut params: ThreadListParams) -> (Vec<Thread>, Vec<usize>) {
    let (mut threads, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = d.call::<ThreadList>(params.clone()).await;
        sizes.push(page.data.len());
        threads.extend(page.data);
        if page.next_cursor.is_none() {
            return (threads, sizes);
        }
        assert_ne!(page.next_cursor, params.cursor, "the cursor stays where it is");
        params.cursor = page.next_cursor;
    }
}

/// The numbers that the home gave the threads, in the order of the list.
fn numbers(threads: Vec<Thread>) -> Vec<usize> {
    threads.into_iter().map(|thread| thread.id[24..].parse().unwrap()).collect()
}

#[tokio::test]
async fn an_empty_home_lists_nothing() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let page = d.call::<ThreadList>(ThreadListParams::default()).await;
    assert_eq!((page.data, page.next_cursor, page.backwards_cursor), (vec![], None, None));
}

const TIMES: [&str; 4] =
    ["2025-01-01T10-00-00", "2025-01-02T10-00-00", "2025-01-03T10-00-00", "2025-01-03T10-00-00"];

/// Four threads; the older ones were active later, and two are of one time.
fn four() -> Home {
    let mut home = Home::new();
    for (at, mtime) in TIMES.into_iter().zip([1_736_000_300, 1_736_000_200, 1_736_000_100, 1_736_000_100]) {
        home = home.with_rollout(Rollout::new().at(at).mtime(mtime));
    }
    home
}

#[tokio::test]
async fn the_order_is_of_creation_or_of_activity_and_goes_both_ways() {
    for state in index::ALL {
        let home = four();
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        for (sort_key, expected) in [
            (ThreadSortKey::CreatedAt, [3, 2, 1, 0]),
            (ThreadSortKey::UpdatedAt, [0, 1, 3, 2]),
            (ThreadSortKey::RecencyAt, [0, 1, 3, 2]),
        ] {
            assert_eq!(numbers(list(&mut d, by(sort_key)).await), expected, "{sort_key:?} {state:?}");
            let ascending = ThreadListParams { sort_direction: Some(SortDirection::Asc), ..by(sort_key) };
            let mut expected = expected;
            expected.reverse();
            assert_eq!(numbers(list(&mut d, ascending).await), expected, "{sort_key:?} upwards {state:?}");
        }
        let times: Vec<_> =
            list(&mut d, by(ThreadSortKey::UpdatedAt)).await.iter().map(|t| t.updated_at).collect();
        assert_eq!(times, [1_736_000_300, 1_736_000_200, 1_736_000_100, 1_736_000_100], "{state:?}");
    }
}

#[tokio::test]
async fn params_that_do_not_fit_are_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    for (params, text) in [
        (json!({ "limit": -1 }), "Invalid request: invalid value: integer `-1`, expected u32"),
        (json!({ "limit": 1.5 }), "Invalid request: invalid type: floating point `1.5`, expected u32"),
        (json!({ "limit": "2" }), "Invalid request: invalid type: string \"2\", expected u32"),
        (json!({ "sortKey": "bogus" }), "Invalid request: unknown variant `bogus`"),
        (json!({ "sourceKinds": ["bogus"] }), "Invalid request: unknown variant `bogus`"),
        (json!({ "parentThreadId": "x" }), "invalid thread id: "),
        (json!({ "sortKey": "section_position" }), "section-position sorting requires a section filter"),
    ] {
        let message = refused(d.fail_raw("thread/list", params.clone()).await);
        assert!(message.starts_with(text), "{params}: {message}");
    }
}

#[tokio::test]
async fn null_is_absent_and_unknown_params_are_ignored() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    let fields =
        ["cursor", "limit", "sortKey", "modelProviders", "sourceKinds", "archived", "cwd", "searchTerm"];
    let mut params: Value = fields.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
    params["fromTheFuture"] = json!({ "x": 1 });
    let page = d.call_raw("thread/list", params).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn the_preview_is_what_the_person_said_first() {
    let injected = json!({ "type": "message", "role": "user", "content": [
        { "type": "input_text", "text": "<environment_context>\n<cwd>/</cwd>\n</environment_context>" }] });
    let long = "words ".repeat(50_000);
    let home = Home::new()
        .with_rollout(
            Rollout::new().silent().line("response_item", injected).user("real words").user("later"),
        )
        .with_rollout(Rollout::new().preview(&long));
    let mut d = Daemon::start(&home).await;
    let previews: Vec<_> = walk(&mut d, limit(9)).await.0.into_iter().map(|thread| thread.preview).collect();
    assert!(previews == [long, "real words".to_owned()], "the long one is whole");
}

#[tokio::test]
async fn what_is_no_thread_is_not_listed_and_hides_none() {
    for state in [Index::Absent, Index::Left, Index::Unopenable] {
        let home = Home::new().with_rollout(Rollout::new());
        let day = home.thread(0).path.parent().unwrap().to_owned();
        let name =
            |id: usize| format!("rollout-2025-01-05T12-00-00-00000000-0000-4000-8000-00000000010{id}.jsonl");
        fs::write(day.join(name(1)), "").unwrap();
        fs::write(day.join(name(2)), "garbage\n\u{0}\n").unwrap();
        fs::create_dir(day.join(name(3))).unwrap();
        fs::write(day.join("notes.txt"), "hello").unwrap();
        fs::write(day.join("rollout-x.jsonl"), "hello").unwrap();
        fs::write(home.root().join("sessions/2025/file"), "hello").unwrap();
        std::os::unix::fs::symlink("/nowhere", day.join(name(4))).unwrap();
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        assert_eq!(listed(&mut d).await, [home.thread(0).id.as_str()], "{state:?}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_listed_by_what_can_be_read() {
    let home = Home::new();
    let intact = home.store(Rollout::new().turn("t", "q", "a"));
    let text = fs::read(&intact.path).unwrap();
    let damaged = |number: usize, bytes: &[u8]| {
        let stored = home.store(Rollout::new().at("2025-01-04T12-00-00"));
        assert_eq!(stored.id, format!("00000000-0000-4000-8000-{number:012}"));
        let bytes = String::from_utf8_lossy(bytes).replace(&intact.id, &stored.id);
        fs::write(&stored.path, bytes.replace('\u{fffd}', "\u{1}").into_bytes()).unwrap();
    };
    damaged(1, &[&text, b"{\"torn".as_slice()].concat());
    damaged(2, text.strip_suffix(b"\n").unwrap());
    damaged(3, &[b"\xef\xbb\xbf", text.as_slice()].concat());
    damaged(4, &[&text, [0; 500].as_slice()].concat());
    damaged(5, String::from_utf8(text.clone()).unwrap().replace('\n', "\r\n\r\n").as_bytes());
    let mut d = Daemon::start(&home).await;
    assert_eq!(numbers(list(&mut d, limit(10)).await), [5, 4, 3, 2, 1, 0]);
}

#[tokio::test]
async fn files_that_come_and_go_are_seen_at_the_next_call() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    index::complete(&home).await;
    assert_eq!(numbers(list(&mut d, limit(9)).await), [0]);
    let other = home.store(Rollout::new().at("2025-03-05T12-00-00"));
    assert_eq!(numbers(list(&mut d, limit(9)).await), [1, 0]);
    fs::remove_file(&home.thread(0).path).unwrap();
    assert_eq!(numbers(list(&mut d, limit(9)).await), [1]);
    fs::remove_dir_all(other.path.parent().unwrap()).unwrap();
    assert_eq!(numbers(list(&mut d, limit(9)).await), [0; 0]);
}

#[tokio::test]
async fn the_threads_of_another_server_are_seen() {
    let home = Home::new();
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let id = start(&mut a).await;
    assert_eq!(listed(&mut b).await, Vec::<String>::new());
    turn(&mut a, &id, "from the other one").await;
    let seen = list(&mut b, ThreadListParams::default()).await;
    assert_eq!((seen[0].id.as_str(), seen[0].preview.as_str()), (id.as_str(), "from the other one"));
    assert_eq!(seen[0].status, ThreadStatus::NotLoaded);
    a.call::<ThreadArchive>(of(&id)).await;
    assert_eq!(listed(&mut b).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_loaded_thread_is_listed_with_what_it_does() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let ephemeral = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let ephemeral = d.call::<ThreadStart>(ephemeral).await.thread.id;
    turn(&mut d, &ephemeral, "unseen").await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    let statuses = |threads: Vec<Thread>| threads.into_iter().map(|thread| thread.status).collect::<Vec<_>>();
    assert_eq!(statuses(list(&mut d, limit(9)).await), [ThreadStatus::Idle]);
    home.model().script([testkit::Answer::status(500, "boom")]);
    let failed = d.call::<protocol::TurnStart>(ask(&id, "again")).await.turn.id;
    d.note::<protocol::ErrorNotification>().await;
    ended(&mut d, &failed).await;
    assert_eq!(statuses(list(&mut d, limit(9)).await), [ThreadStatus::SystemError]);
    assert_eq!(statuses(list(d.restart().await, limit(9)).await), [ThreadStatus::NotLoaded]);
}

#[tokio::test]
async fn a_home_that_is_not_there_is_made_and_lists_nothing() {
    let home = Home::new();
    let root = home.work().join("new/home");
    let mut d = Launch::on(&home).env("CODEX_HOME", &root).start().await;
    assert_eq!(listed(&mut d).await, Vec::<String>::new());
    assert_eq!(d.greeting().codex_home, root.display().to_string());
}
