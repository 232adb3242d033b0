//! What the model hears of earlier turns: after a restart, in a fork, after a rollback.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadFork, ThreadForkParams, ThreadResume, ThreadResumeParams, ThreadRollback, ThreadRollbackParams,
};
use testkit::{Daemon, Home, of, say};

use crate::steps::{start, talk, turn};

#[tokio::test]
async fn a_resumed_thread_goes_on_where_it_stopped() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("one", "1"), ("two", "2")]).await;
    let before = home.model().last_request();
    let d = d.restart().await;
    d.call::<ThreadResume>(ThreadResumeParams::from(of(&id))).await;
    turn(d, &id, "three").await;
    let after = home.model().last_request();
    assert_eq!(after.words(), ["one", "1", "two", "2", "three"]);
    // Nothing changed around the model, so nothing is told anew.
    assert_eq!(after.input()[..before.input().len()], *before.input());
    assert_eq!(after.said().len(), before.said().len() + 2);
    assert_eq!(after.body["model"], "mock-model");
}

#[tokio::test]
async fn a_fork_knows_what_was_said_and_both_go_their_way() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("one", "1")]).await;
    let fork = d.call::<ThreadFork>(ThreadForkParams::from(of(&id))).await.thread.id;
    home.model().script([say("theirs"), say("ours")]);
    turn(&mut d, &fork, "fork").await;
    assert_eq!(home.model().last_request().words(), ["one", "1", "fork"]);
    turn(&mut d, &id, "source").await;
    assert_eq!(home.model().last_request().words(), ["one", "1", "source"]);
    turn(&mut d, &fork, "again").await;
    assert_eq!(home.model().last_request().words(), ["one", "1", "fork", "theirs", "again"]);
}

#[tokio::test]
async fn what_was_rolled_back_is_not_heard_again() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("one", "1"), ("two", "2"), ("three", "3")]).await;
    d.call::<ThreadRollback>(ThreadRollbackParams { thread_id: id.clone(), num_turns: 2 }).await;
    turn(&mut d, &id, "instead").await;
    assert_eq!(home.model().last_request().words(), ["one", "1", "instead"]);
    let d = d.restart().await;
    d.call::<ThreadResume>(ThreadResumeParams::from(of(&id))).await;
    turn(d, &id, "on").await;
    assert_eq!(home.model().last_request().words(), ["one", "1", "instead", "Done", "on"]);
}
