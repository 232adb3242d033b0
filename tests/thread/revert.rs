//! `thread/revert`: a turn and all behind it go; the newer release's way to say rollback.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadResume, ThreadRevert, ThreadRevertParams, ThreadRevertedNotification, TurnCompletedNotification,
    TurnStatus,
};
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::{UNKNOWN, begin_slow, listed, refused, start, talk, texts, turn, turns};

fn before(thread: impl AsRef<str>, turn: &str) -> ThreadRevertParams {
    ThreadRevertParams { thread_id: thread.as_ref().into(), before_turn_id: turn.into() }
}

#[tokio::test]
async fn the_turn_and_all_behind_it_go_for_good() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let ids = talk(&home, &mut d, &id, [("q1", "a1"), ("q2", "a2"), ("q3", "a3")]).await;
    let thread = d.call::<ThreadRevert>(before(&id, &ids[1])).await.thread;
    assert_eq!((thread.turns, thread.preview.as_str()), (vec![], "q1"));
    assert_eq!(d.note::<ThreadRevertedNotification>().await.thread_id, id);
    assert_eq!(texts(&turns(&mut d, &id).await), [["q1", "a1"]]);
    talk(&home, &mut d, &id, [("q4", "a4")]).await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["q1", "a1", "q4"]);
    let thread = d.restart().await.call::<ThreadResume>(of(&id)).await.thread;
    assert_eq!(texts(&thread.turns), [["q1", "a1"], ["q4", "a4"]]);
    assert_eq!(listed(&mut d).await, [id], "listed once");
}

#[tokio::test]
async fn a_running_turn_is_interrupted_and_goes_too() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let ids = talk(&home, &mut d, &id, [("q1", "a1"), ("q2", "a2")]).await;
    let (running, _gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    d.call::<ThreadRevert>(before(&id, &ids[1])).await;
    let told = d.note_where::<TurnCompletedNotification>(|note| note.turn.id == running).await.turn;
    assert_eq!(told.status, TurnStatus::Interrupted);
    assert_eq!(texts(&turns(&mut d, &id).await), [["q1", "a1"]]);
    turn(&mut d, &id, "on").await;
    assert_eq!(turns(&mut d, &id).await.len(), 2);
}

#[tokio::test]
async fn before_the_first_turn_there_is_nothing() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let ids = talk(&home, &mut d, &id, [("q1", "a1")]).await;
    d.call::<ThreadRevert>(before(&id, &ids[0])).await;
    assert_eq!(turns(&mut d, &id).await, vec![]);
    turn(&mut d, &id, "anew").await;
    assert_eq!(home.model().last_request().talk(), [("user", "anew".to_owned())]);
}

#[tokio::test]
async fn what_cannot_be_reverted_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let ids = talk(&home, &mut d, &id, [("q1", "a1")]).await;
    assert_eq!(refused(d.fail::<ThreadRevert>(before(&id, "nope")).await), "turn not found: nope");
    for unloaded in [UNKNOWN, &home.thread(0).id] {
        let refusal = refused(d.fail::<ThreadRevert>(before(unloaded, &ids[0])).await);
        assert_eq!(refusal, format!("thread not found: {unloaded}"));
    }
    assert_eq!(texts(&turns(&mut d, &id).await), [["q1", "a1"]]);
}
