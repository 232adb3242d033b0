//! `thread/rollback`: the last turns go, for the reader and for the model.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{ThreadResume, ThreadRollback, ThreadRollbackParams};
use serde_json::json;
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::{UNKNOWN, begin_slow, ended, read, refused, start, talk, texts, turn, turns};

fn last(thread: impl AsRef<str>, num_turns: u32) -> ThreadRollbackParams {
    ThreadRollbackParams { thread_id: thread.as_ref().into(), num_turns }
}

#[tokio::test]
async fn the_last_turns_go_for_good() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1"), ("q2", "a2"), ("q3", "a3")]).await;
    let before = fs::read(read(&mut d, &id).await.path.unwrap()).unwrap();
    let thread = d.call::<ThreadRollback>(last(&id, 2)).await.thread;
    assert_eq!((texts(&thread.turns), thread.preview.as_str()), (vec![vec!["q1", "a1"]], "q1"));
    assert!(fs::read(thread.path.unwrap()).unwrap().starts_with(&before), "what was written stays");
    for restarted in [false, true] {
        if restarted {
            d.restart().await.call::<ThreadResume>(of(&id)).await;
        }
        assert_eq!(texts(&turns(&mut d, &id).await)[0], ["q1", "a1"]);
        turn(&mut d, &id, "again").await;
        let request = home.model().last_request();
        let said = request.words();
        assert!(!said.iter().any(|text| text == "q2" || text == "a3"), "{said:?}");
    }
    assert_eq!(
        texts(&turns(&mut d, &id).await),
        [vec!["q1", "a1"], vec!["again", "Done"], vec!["again", "Done"]]
    );
}

#[tokio::test]
async fn more_turns_than_there_are_leave_none() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    assert_eq!(d.call::<ThreadRollback>(last(&id, 99)).await.thread.turns, vec![]);
    turn(&mut d, &id, "anew").await;
    assert_eq!(home.model().last_request().talk(), [("user", "anew".to_owned())]);
    assert_eq!(read(&mut d, &id).await.preview, "q1");
}

#[tokio::test]
async fn what_an_older_release_rolled_back_stays_away() {
    let rolled_back = json!({ "type": "thread_rolled_back", "num_turns": 2 });
    let home = Home::new().with_rollout(
        Rollout::new()
            .silent()
            .turn("t-1", "q1", "a1")
            .turn("t-2", "q2", "a2")
            .turn("t-3", "q3", "a3")
            .event(rolled_back),
    );
    let mut d = Daemon::start(&home).await;
    let thread = d.call::<ThreadResume>(of(home.thread(0))).await.thread;
    assert_eq!(texts(&thread.turns), [["q1", "a1"]]);
    turn(&mut d, home.thread(0), "q4").await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["q1", "a1", "q4"]);
}

#[tokio::test]
async fn what_cannot_be_rolled_back_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "seed").await;
    assert_eq!(refused(d.fail::<ThreadRollback>(last(&id, 0)).await), "numTurns must be >= 1");
    for unloaded in [UNKNOWN, &home.thread(0).id] {
        let refusal = refused(d.fail::<ThreadRollback>(last(unloaded, 1)).await);
        assert_eq!(refusal, format!("thread not found: {unloaded}"));
    }
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    let refusal = refused(d.fail::<ThreadRollback>(last(&id, 1)).await);
    assert_eq!(refusal, "Cannot rollback while a turn is in progress.");
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(turns(&mut d, &id).await.len(), 2);
}
