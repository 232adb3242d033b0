//! What a client says is done once: not twice under one id of its own, and not lost where it comes at a bad moment.

use std::sync::Arc;

use model::{Gate, ScriptedModel, Step};
use pretty_assertions::assert_eq;

use crate::stage::{Stage, say, stored, words};

#[tokio::test(flavor = "multi_thread")]
async fn what_begins_a_turn_or_joins_it_is_heard_once_under_its_id() {
    let gate = Gate::closed();
    let mut first = say("m1", &["one"]);
    first.insert(0, Step::Wait(gate.clone()));
    let mut stage = Stage::new(ScriptedModel::with([first, say("m2", &["two"]), say("m3", &["three"])]));
    let turn = stage.begin_as(Some("a"), "first").await;
    let steer =
        |expected: &str| stage.thread.steer(expected.to_owned(), words("second"), Some("b".to_owned()));
    for _ in 0..2 {
        assert_eq!(steer(&turn).await.unwrap(), turn);
        assert_eq!(stage.begin_as(Some("a"), "first").await, turn);
    }
    gate.open();
    stage.ended().await;
    let steer =
        |expected: &str| stage.thread.steer(expected.to_owned(), words("second"), Some("b".to_owned()));
    assert_eq!(steer(&turn).await.unwrap(), turn);
    assert_eq!(stage.begin_as(Some("b"), "second").await, turn);
    assert_eq!(stage.begin_as(Some("a"), "first").await, turn);
    assert!(steer("another").await.is_ok());
    assert_ne!(stage.begin_as(Some("c"), "first").await, turn);
    stage.ended().await;
    let told = [&["first", "one", "second", "two"][..], &["first", "three"]];
    assert_eq!(stage.stored().await, told.map(|words| stored("completed", words)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_holds_across_a_resume_and_goes_with_its_turn() {
    let mut stage = Stage::new(ScriptedModel::with([say("m1", &["one"])]));
    let turn = stage.begin_as(Some("a"), "first").await;
    stage.ended().await;
    let mut stage = stage.resumed(Arc::new(ScriptedModel::with([say("m2", &["two"])]))).await;
    assert_eq!(stage.begin_as(Some("a"), "first").await, turn);
    stage.thread.rollback(agent::Rollback::Turns(1)).await.unwrap();
    assert_ne!(stage.begin_as(Some("a"), "first").await, turn);
    stage.ended().await;
    assert_eq!(stage.stored().await, [stored("completed", &["first", "two"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_compaction_twice_is_said_once() {
    let (gate, later) = (Gate::closed(), Gate::closed());
    let held = |gate: &Gate, id, text| {
        let mut steps = say(id, &[text]);
        steps.insert(0, Step::Wait(gate.clone()));
        steps
    };
    let script = [held(&gate, "s1", "sum"), held(&later, "m1", "one")];
    let mut stage = Stage::new(ScriptedModel::with(script));
    drop(stage.thread.compact().await.unwrap());
    let both = async { tokio::join!(stage.begin_as(Some("a"), "first"), stage.begin_as(Some("a"), "first")) };
    let open = async { gate.open() };
    // Both are answered while the turn still waits for its model.
    let ((first, second), ()) = tokio::join!(both, open);
    assert_eq!(first, second);
    later.open();
    stage.ended().await;
    stage.ended().await;
    assert_eq!(stage.stored().await[1..], [stored("completed", &["first", "one"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_before_a_compaction_has_begun_comes_behind_it() {
    let mut stage = Stage::new(ScriptedModel::with([say("s1", &["sum"]), say("m1", &["one"])]));
    let (compaction, answered) = stage.thread.compact().await.unwrap();
    let heard = async {
        // The thread takes one request after the other: the answer to this one means that it has the words.
        assert!(stage.thread.steer("another".to_owned(), words("no"), None).await.is_err());
        drop(answered);
    };
    let (turn, ()) = tokio::join!(stage.begin("first"), heard);
    assert_ne!(turn, compaction.turn);
    stage.ended().await;
    stage.ended().await;
    assert_eq!(stage.stored().await[1..], [stored("completed", &["first", "one"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_the_end_of_a_turn_may_take_it_back_at_once() {
    let mut stage = Stage::new(ScriptedModel::with([say("m1", &["one"])]));
    stage.begin_as(None, "first").await;
    stage.ended().await;
    stage.thread.rollback(agent::Rollback::Turns(1)).await.unwrap();
    assert_eq!(stage.stored().await, []);
}
