//! `thread/list`: everything that is stored, once, in order, page by page, whatever state the index is in.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    SessionSource, SortDirection, SubAgentSource, Thread, ThreadArchive, ThreadList, ThreadListCwdFilter,
    ThreadListParams, ThreadNameSet, ThreadSetNameParams, ThreadSortKey, ThreadSourceKind, ThreadStart,
    ThreadStartParams, ThreadStatus,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, Launch, Rollout, ask, of};

use crate::index::{self, Index};
use crate::steps::{UNKNOWN, ended, ids, list, listed, refused, start, turn};

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
async fn pages_show_every_thread_once() {
    for state in [Index::Absent, Index::Left, Index::Unopenable] {
        let home = Home::new();
        for number in 0..40 {
            // Many of one time, and file names in another order than that of activity.
            let at = ["2025-01-01T10-00-00", "2025-01-02T10-00-00", "2025-01-03T10-00-00"][number % 3];
            home.store(Rollout::new().at(at).mtime(1_736_000_000 + (number * 37 % 5) as u64));
        }
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        for sort_key in [ThreadSortKey::CreatedAt, ThreadSortKey::UpdatedAt] {
            for sort_direction in [SortDirection::Asc, SortDirection::Desc] {
                let params = ThreadListParams { sort_direction: Some(sort_direction), ..by(sort_key) };
                let whole = list(&mut d, ThreadListParams { limit: Some(100), ..params.clone() }).await;
                assert_eq!(whole.len(), 40);
                let (paged, sizes) = walk(&mut d, ThreadListParams { limit: Some(7), ..params }).await;
                assert_eq!(sizes, [7, 7, 7, 7, 7, 5], "{state:?}");
                assert_eq!(ids(paged), ids(whole), "{sort_key:?} {sort_direction:?} {state:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_reaches_more_threads_than_the_published_servers_look_at() {
    const MANY: usize = 10_050;
    let home = Home::new();
    for _ in 0..MANY {
        home.store(Rollout::new());
    }
    let oldest = home.store(Rollout::new().at("2024-01-01T00-00-00").preview("the needle"));
    let mut d = Daemon::start(&home).await;
    assert_eq!(ids(list(&mut d, searching("needle")).await), [oldest.id.clone()]);
    index::complete(&home).await;
    let (threads, _) = walk(&mut d, limit(100)).await;
    let mut numbers = numbers(threads);
    assert_eq!(numbers.pop(), Some(MANY));
    assert!(numbers.into_iter().eq((0..MANY).rev()), "each once, the newest first");
}

#[tokio::test]
async fn a_page_holds_25_unless_the_client_says_otherwise() {
    let home = Home::new();
    for _ in 0..101 {
        home.store(Rollout::new());
    }
    let mut d = Daemon::start(&home).await;
    assert_eq!(listed(&mut d).await.len(), 25);
    for (asked, given) in [(0, 1), (1, 1), (50, 50)] {
        assert_eq!(list(&mut d, limit(asked)).await.len(), given, "{asked}");
    }
}

#[tokio::test]
async fn a_page_is_never_longer_than_clients_can_read() {
    let home = Home::new();
    for number in 0..120 {
        home.store(Rollout::new().preview("x".repeat(number * 20)));
    }
    let mut d = Daemon::start(&home).await;
    for asked in [100, 101, u32::MAX] {
        let (threads, sizes) = walk(&mut d, limit(asked)).await;
        assert!(numbers(threads).into_iter().eq((0..120).rev()), "each once, in order");
        assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
    }
    let longest = d.lines().iter().map(String::len).max();
    assert!(longest < Some(64 << 10), "{longest:?}");
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_cursor() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    assert_eq!(walk(&mut d, limit(2)).await.1, [2, 2]);
}

#[tokio::test]
async fn a_cursor_is_a_place_that_holds_over_restarts_and_changes() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    let page = d.call::<ThreadList>(limit(2)).await;
    home.store(Rollout::new().at("2025-02-01T10-00-00").preview("newer"));
    home.store(Rollout::new().at("2025-01-01T09-00-00").preview("older"));
    let rest = ThreadListParams { cursor: page.next_cursor, ..limit(10) };
    for _ in 0..2 {
        assert_eq!(numbers(list(&mut d, rest.clone()).await), [1, 0, 5]);
        d.restart().await;
    }
}

#[tokio::test]
async fn the_way_back_begins_with_the_thread_that_a_page_began_with() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    for sort_key in [ThreadSortKey::CreatedAt, ThreadSortKey::UpdatedAt] {
        let all = ids(list(&mut d, by(sort_key)).await);
        let first = d.call::<ThreadList>(ThreadListParams { limit: Some(1), ..by(sort_key) }).await;
        let second = d
            .call::<ThreadList>(ThreadListParams {
                cursor: first.next_cursor,
                limit: Some(2),
                ..by(sort_key)
            })
            .await;
        assert_eq!(ids(second.data), all[1..3]);
        let back = ThreadListParams {
            cursor: second.backwards_cursor,
            sort_direction: Some(SortDirection::Asc),
            ..by(sort_key)
        };
        let mut expected = all[..2].to_vec();
        expected.reverse();
        let mut shown = ids(list(&mut d, back).await);
        // A time that two threads share cannot tell them apart: the other one may come again.
        shown.retain(|id| expected.contains(id));
        assert_eq!(shown, expected, "{sort_key:?}");
    }
}

#[tokio::test]
async fn an_unreadable_cursor_is_refused() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    for cursor in
        ["", "not-a-cursor", "2025-01-05T20:00:00Z|../../../etc/passwd", "|", "2025-13-05T20:00:00Z"]
    {
        let params = ThreadListParams { cursor: Some(cursor.into()), ..ThreadListParams::default() };
        assert_eq!(refused(d.fail::<ThreadList>(params).await), format!("invalid cursor: {cursor}"));
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

/// Threads that differ in all that a filter looks at; each is made to be found by one of them.
fn varied() -> Home {
    let spawned = json!({ "subagent": { "thread_spawn": { "parent_thread_id": UNKNOWN, "depth": 1,
        "agent_nickname": "Atlas", "agent_role": "explorer" } } });
    Home::new()
        .with_rollout(Rollout::new().at("2025-01-01T12-00-00").cwd("/home/dev/p"))
        .with_rollout(Rollout::new().at("2025-01-02T12-00-00").cwd("/home/dev/p/sub").source(Value::Null))
        .with_rollout(Rollout::new().at("2025-01-03T12-00-00").provider("other".into()))
        .with_rollout(Rollout::new().at("2025-01-04T12-00-00").provider(Value::Null))
        .with_rollout(Rollout::new().at("2025-01-05T12-00-00").source("exec".into()))
        .with_rollout(Rollout::new().at("2025-01-06T12-00-00").source("mcp".into()))
        .with_rollout(Rollout::new().at("2025-01-07T12-00-00").source("never-heard-of".into()))
        .with_rollout(Rollout::new().at("2025-01-08T12-00-00").source(json!({ "subagent": "review" })))
        .with_rollout(Rollout::new().at("2025-01-09T12-00-00").source(json!({ "subagent": "compact" })))
        .with_rollout(
            Rollout::new().at("2025-01-10T12-00-00").source(json!({ "subagent": { "other": "guardian" } })),
        )
        .with_rollout(
            Rollout::new().at("2025-01-11T12-00-00").source(spawned).meta("parent_thread_id", UNKNOWN.into()),
        )
        .with_rollout(Rollout::new().at("2025-01-12T12-00-00").preview("Needle 100% a_b ☃ größer"))
        .with_rollout(Rollout::new().at("2025-01-13T12-00-00").archived())
        .with_rollout(Rollout::new().at("2025-01-14T12-00-00").silent())
        .with_rollout(Rollout::new().at("2025-01-15T12-00-00").meta("originator", "elsewhere".into()))
}

#[tokio::test]
async fn every_filter_says_the_same_in_every_state_of_the_index() {
    use ThreadSourceKind::*;
    let none = ThreadListParams::default;
    let kinds = |kinds: &[ThreadSourceKind]| ThreadListParams { source_kinds: Some(kinds.into()), ..none() };
    let cwd = |cwd: &str| ThreadListParams { cwd: Some(ThreadListCwdFilter::One(cwd.into())), ..none() };
    let cwds = |cwds: &[&str]| {
        let cwds = cwds.iter().map(|cwd| (*cwd).to_owned()).collect();
        ThreadListParams { cwd: Some(ThreadListCwdFilter::Many(cwds)), ..none() }
    };
    let providers = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        ThreadListParams { model_providers: Some(names), ..none() }
    };
    let cases: Vec<(ThreadListParams, &[usize])> = vec![
        // Of every provider, and of the sources that a person works with.
        (none(), &[14, 11, 3, 2, 1, 0]),
        (kinds(&[]), &[14, 11, 3, 2, 1, 0]),
        (providers(&[]), &[14, 11, 3, 2, 1, 0]),
        (providers(&["other"]), &[2]),
        // A file that names no provider counts as of the configured one.
        (providers(&["mock_provider"]), &[14, 11, 3, 1, 0]),
        (providers(&["other", "nope"]), &[2]),
        (kinds(&[Cli]), &[14, 11, 3, 2, 0]),
        (kinds(&[Vscode]), &[1]),
        (kinds(&[Exec, AppServer, Unknown]), &[6, 5, 4]),
        (kinds(&[SubAgent]), &[10, 9, 8, 7]),
        (kinds(&[SubAgentReview]), &[7]),
        (kinds(&[SubAgentCompact, SubAgentOther]), &[9, 8]),
        (kinds(&[SubAgentThreadSpawn]), &[10]),
        (ThreadListParams { parent_thread_id: Some(UNKNOWN.into()), ..kinds(&[SubAgent]) }, &[10]),
        (ThreadListParams { archived: Some(true), ..none() }, &[12]),
        (ThreadListParams { archived: Some(false), ..none() }, &[14, 11, 3, 2, 1, 0]),
        (cwd("/home/dev/p"), &[0]),
        (cwd("/home/dev/p/"), &[0]),
        (cwd("/home/dev"), &[]),
        (cwds(&["/home/dev/p", "/home/dev/p/sub"]), &[1, 0]),
        (searching(""), &[14, 11, 3, 2, 1, 0]),
        (searching("Needle"), &[11]),
        (searching("needle"), &[]),
        (searching("edl"), &[11]),
        (searching("100%"), &[11]),
        (searching("%"), &[11]),
        (searching("a_b"), &[11]),
        (searching("aXb"), &[]),
        (searching("☃"), &[11]),
        (searching("ö"), &[11]),
        (ThreadListParams { originators: Some(vec!["elsewhere".into()]), ..none() }, &[14]),
        (
            ThreadListParams {
                excluded_thread_ids: Some(vec!["00000000-0000-4000-8000-000000000011".into()]),
                ..none()
            },
            &[14, 3, 2, 1, 0],
        ),
    ];
    for state in index::ALL {
        let home = varied();
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        for (params, expected) in &cases {
            assert_eq!(numbers(list(&mut d, params.clone()).await), *expected, "{state:?} {params:?}");
        }
    }
}

#[tokio::test]
async fn a_relative_cwd_is_of_the_servers_folder() {
    let home = Home::new();
    let stored = home.store(Rollout::new().cwd(home.work().join("p")));
    let mut d = Daemon::start(&home).await;
    for cwd in ["p", "./p", "p/"] {
        let params = ThreadListParams {
            cwd: Some(ThreadListCwdFilter::One(cwd.into())),
            ..ThreadListParams::default()
        };
        assert_eq!(ids(list(&mut d, params).await), [stored.id.as_str()], "{cwd}");
    }
}

#[tokio::test]
async fn a_name_is_listed_and_found() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    let named = ThreadSetNameParams { thread_id: home.thread(1).id.clone(), name: "Quarterly ☃".into() };
    d.call::<ThreadNameSet>(named).await;
    for _ in 0..2 {
        let found = list(&mut d, searching("arterly ☃")).await;
        assert_eq!(
            found.iter().map(|thread| thread.name.as_deref()).collect::<Vec<_>>(),
            [Some("Quarterly ☃")]
        );
        assert_eq!(found[0].id, home.thread(1).id);
        d.restart().await;
    }
}

#[tokio::test]
async fn sources_are_told_in_the_words_of_the_protocol() {
    let home = varied();
    let mut d = Daemon::start(&home).await;
    let kinds = [
        ThreadSourceKind::Cli,
        ThreadSourceKind::Vscode,
        ThreadSourceKind::Exec,
        ThreadSourceKind::AppServer,
        ThreadSourceKind::Unknown,
        ThreadSourceKind::SubAgent,
    ];
    let params = ThreadListParams { source_kinds: Some(kinds.into()), ..ThreadListParams::default() };
    let listed = list(&mut d, params).await;
    let source = |number: usize| {
        let id = &home.thread(number).id;
        listed.iter().find(|thread| thread.id == *id).unwrap()
    };
    for (number, expected) in [
        (0, SessionSource::Cli),
        (1, SessionSource::Vscode),
        (4, SessionSource::Exec),
        (5, SessionSource::AppServer),
        (6, SessionSource::Unknown),
        (7, SessionSource::SubAgent(SubAgentSource::Review)),
        (8, SessionSource::SubAgent(SubAgentSource::Compact)),
        (9, SessionSource::SubAgent(SubAgentSource::Other("guardian".into()))),
    ] {
        assert_eq!(source(number).source, expected);
    }
    let spawned = source(10);
    assert!(matches!(&spawned.source, SessionSource::SubAgent(SubAgentSource::ThreadSpawn { depth: 1, .. })));
    let agent = (spawned.agent_nickname.as_deref(), spawned.agent_role.as_deref());
    assert_eq!(agent, (Some("Atlas"), Some("explorer")));
    assert_eq!(source(3).model_provider, "mock_provider");
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
