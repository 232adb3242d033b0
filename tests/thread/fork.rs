//! `thread/fork`: a new thread with the history of another.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use protocol::{
    SessionSource, Thread, ThreadArchive, ThreadDelete, ThreadFork, ThreadForkParams, ThreadOverrides,
    ThreadResume, ThreadStartedNotification, ThreadStatus, TurnStatus,
};
use serde_json::json;
use testkit::{Daemon, Home, Launch, Rollout, of, set_mtime};

use crate::steps::{UNKNOWN, begin_slow, ended, listed, read, refused, start, talk, texts, turn, turns};

async fn fork(d: &mut Daemon, params: impl Into<ThreadForkParams>) -> Thread {
    d.call::<ThreadFork>(params).await.thread
}

#[tokio::test]
async fn a_fork_has_the_history_and_leaves_the_source_alone() {
    let home = Home::new().with_rollout(Rollout::new().silent().turn("t-1", "q1", "a1").cwd("/tmp").git(
        "abc",
        "main",
        "https://example.com/r",
    ));
    let before = fs::read(&home.thread(0).path).unwrap();
    let mut d = Daemon::start(&home).await;
    let thread = fork(&mut d, of(home.thread(0))).await;
    assert_ne!((&thread.id, thread.path.as_deref()), (&home.thread(0).id, home.thread(0).path.to_str()));
    assert_eq!(thread.forked_from_id.as_deref(), Some(home.thread(0).id.as_str()));
    assert_eq!((thread.preview.as_str(), thread.name.clone(), thread.cwd.as_str()), ("q1", None, "/tmp"));
    assert_eq!((&thread.source, &thread.status), (&SessionSource::Vscode, &ThreadStatus::Idle));
    assert_eq!((texts(&thread.turns), thread.turns[0].id.as_str()), (vec![vec!["q1", "a1"]], "t-1"));
    let told = d.note::<ThreadStartedNotification>().await.thread;
    assert_eq!(told, Thread { turns: vec![], ..thread.clone() });
    assert_eq!(d.methods_from(0), ["thread/started"]);
    assert_eq!(fs::read(&home.thread(0).path).unwrap(), before);
    assert_eq!(turns(d.restart().await, &thread.id).await, thread.turns);
    assert_eq!(read(&mut d, &thread.id).await.git_info, read(&mut d, home.thread(0)).await.git_info);
}

#[tokio::test]
async fn fork_and_source_go_their_own_ways() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let source = start(&mut d).await;
    talk(&home, &mut d, &source, [("q1", "a1")]).await;
    let copy = fork(&mut d, of(&source)).await.id;
    talk(&home, &mut d, &source, [("q2", "a2")]).await;
    talk(&home, &mut d, &copy, [("q3", "a3")]).await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["q1", "a1", "q3"]);
    for _ in 0..2 {
        assert_eq!(texts(&turns(&mut d, &source).await), [["q1", "a1"], ["q2", "a2"]]);
        assert_eq!(texts(&turns(&mut d, &copy).await), [["q1", "a1"], ["q3", "a3"]]);
        assert_eq!(read(&mut d, &copy).await.forked_from_id.as_deref(), Some(source.as_str()));
        d.restart().await;
    }
    let both = listed(&mut d).await;
    assert_eq!(both, [copy, source]);
}

#[tokio::test]
async fn a_fork_may_end_at_a_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let ids = talk(&home, &mut d, &id, [("q1", "a1"), ("q2", "a2"), ("q3", "a3")]).await;
    let through = |turn: &str| ThreadForkParams { last_turn_id: Some(turn.into()), ..of(&id).into() };
    let before = |turn: &str| ThreadForkParams { before_turn_id: Some(turn.into()), ..of(&id).into() };
    assert_eq!(texts(&fork(&mut d, through(&ids[1])).await.turns), [["q1", "a1"], ["q2", "a2"]]);
    let copy = fork(&mut d, before(&ids[1])).await;
    assert_eq!(texts(&copy.turns), [["q1", "a1"]]);
    assert_eq!(texts(&fork(&mut d, through(&ids[2])).await.turns).len(), 3);
    turn(&mut d, &copy.id, "q4").await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["q1", "a1", "q4"]);
    let threads = home.files("rollout-").len();
    for params in [through("nope"), before("nope")] {
        assert_eq!(refused(d.fail::<ThreadFork>(params).await), "turn not found: nope");
    }
    let both = ThreadForkParams { before_turn_id: Some(ids[0].clone()), ..through(&ids[1]) };
    let text = "`beforeTurnId` cannot be combined with `lastTurnId`";
    assert_eq!(refused(d.fail::<ThreadFork>(both).await), text);
    assert_eq!(home.files("rollout-").len(), threads, "a refused fork leaves a file");
}

#[tokio::test]
async fn the_turn_that_runs_is_cut_short_in_the_fork_alone() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    let copy = fork(&mut d, of(&id)).await;
    let statuses: Vec<_> = copy.turns.iter().map(|turn| turn.status).collect();
    assert_eq!(statuses, [TurnStatus::Completed, TurnStatus::Interrupted]);
    gate.open();
    assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Completed);
    turn(&mut d, &copy.id, "on").await;
    assert_eq!(texts(&turns(&mut d, &copy.id).await)[1], ["slowly"]);
    assert_eq!(texts(&turns(&mut d, &id).await)[1], ["slowly", "at last"]);
}

#[tokio::test]
async fn a_fork_outlives_its_source() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let mut source = start(&mut d).await;
    talk(&home, &mut d, &source, [("q1", "a1")]).await;
    for way in ["archived", "deleted", "removed by hand"] {
        let copy = fork(&mut d, of(&source)).await;
        match way {
            "archived" => {
                d.call::<ThreadArchive>(of(&source)).await;
            }
            "deleted" => {
                d.call::<ThreadDelete>(of(&source)).await;
            }
            _ => fs::remove_file(read(&mut d, &source).await.path.unwrap()).unwrap(),
        }
        let thread = d.restart().await.call::<ThreadResume>(of(&copy.id)).await.thread;
        assert_eq!(texts(&thread.turns), [["q1", "a1"]], "{way}");
        // The next one is forked from this one.
        source = copy.id;
    }
}

#[tokio::test]
async fn what_a_crash_left_of_a_fork_is_no_thread_and_goes() {
    let home = Home::new().with_rollout(Rollout::new());
    let stored = &home.thread(0).path;
    let left = stored.with_file_name(format!("rollout-2025-01-05T13-00-00-{UNKNOWN}.jsonl.unfinished"));
    fs::copy(stored, &left).unwrap();
    set_mtime(&left, 1_736_000_000);
    let mut d = Daemon::start(&home).await;
    assert_eq!(listed(&mut d).await, [home.thread(0).id.as_str()]);
    let deadline = Instant::now() + Duration::from_secs(30);
    // No message tells of it, since no client waits for it.
    while left.exists() {
        assert!(Instant::now() < deadline, "it stays");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(stored.exists());
}

#[tokio::test]
async fn an_ephemeral_fork_leaves_no_file() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let copy = fork(&mut d, ThreadForkParams { ephemeral: Some(true), ..of(home.thread(0)).into() }).await;
    assert_eq!((copy.ephemeral, copy.path, texts(&copy.turns)), (true, None, vec![vec!["Hello"]]));
    turn(&mut d, &copy.id, "on").await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["Hello", "on"]);
    assert_eq!(listed(&mut d).await, [home.thread(0).id.as_str()]);
    assert_eq!(home.files("rollout-"), std::slice::from_ref(&home.thread(0).path));
}

#[tokio::test]
async fn overrides_and_a_path_hold_for_the_fork() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let params = ThreadForkParams {
        path: Some(home.thread(0).path.display().to_string()),
        exclude_turns: Some(true),
        overrides: ThreadOverrides {
            model: Some("another".into()),
            cwd: Some("/tmp".into()),
            ..ThreadOverrides::default()
        },
        ..of("ignored").into()
    };
    let answer = d.call::<ThreadFork>(params).await;
    assert_eq!((answer.settings.model.as_str(), answer.settings.cwd.as_str()), ("another", "/tmp"));
    assert_eq!(
        (answer.thread.turns, answer.thread.forked_from_id),
        (vec![], Some(home.thread(0).id.clone()))
    );
    turn(&mut d, &answer.thread.id, "hi").await;
    assert_eq!(home.model().last_request().body["model"], "another");
}

#[tokio::test]
async fn what_cannot_be_forked_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let fresh = start(&mut d).await;
    for (thread, text) in [
        (UNKNOWN, format!("no rollout found for thread id {UNKNOWN}")),
        (&fresh, format!("no rollout found for thread id {fresh}")),
        ("not-a-uuid", "invalid session id: ".to_owned()),
    ] {
        let refusal = refused(d.fail::<ThreadFork>(of(thread)).await);
        assert!(refusal.starts_with(&text), "{refusal}");
    }
    assert_eq!(home.files("rollout-"), [PathBuf::from(&home.thread(0).path)]);
    let mut d = Launch::on(&home).capabilities(None).start().await;
    let params = json!({ "threadId": home.thread(0).id, "path": "/nope.jsonl" });
    let refusal = refused(d.fail_raw("thread/fork", params).await);
    assert_eq!(refusal, "thread/fork.path requires experimentalApi capability");
}

#[tokio::test]
async fn what_a_file_holds_that_nobody_knows_goes_into_the_fork() {
    let unknown = json!({ "type": "of_the_future", "x": [1, { "y": null }] });
    let home = Home::new().with_rollout(Rollout::new().event(unknown.clone()).agent("a1"));
    let mut d = Daemon::start(&home).await;
    let copy = fork(&mut d, of(home.thread(0))).await;
    let lines = testkit::json_lines(copy.path.unwrap());
    assert!(lines.iter().any(|line| line["payload"] == unknown), "{lines:#?}");
}
