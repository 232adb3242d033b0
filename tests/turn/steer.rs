//! `turn/steer`: more words for the turn that runs.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    ItemCompletedNotification, ItemStartedNotification, ReviewStart, ReviewStartParams, ReviewTarget,
    ThreadCompactStart, ThreadCompactStartParams, ThreadItem, ThreadResume, TurnStart,
    TurnStartedNotification, TurnStatus, TurnSteer, TurnSteerParams,
};
use serde_json::json;
use testkit::{Daemon, Gate, Home, ask, of, say};

use crate::steps::{UNKNOWN, begin_slow, ended, refused, slow, start, talk, texts, turn, turns};

fn steer(thread: &str, turn: &str, text: &str) -> TurnSteerParams {
    TurnSteerParams {
        thread_id: thread.into(),
        expected_turn_id: turn.into(),
        input: ask(thread, text).input,
        ..TurnSteerParams::default()
    }
}

#[tokio::test]
async fn the_words_reach_the_model_in_the_same_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "go left").await;
    home.model().script([say("right it is")]);
    let params =
        TurnSteerParams { client_user_message_id: Some("mine".into()), ..steer(&id, &running, "no, right") };
    assert_eq!(d.call::<TurnSteer>(params).await.turn_id, running);
    gate.open();
    ended(&mut d, &running).await;
    let heard = home.model().last_request().words();
    assert_eq!(heard, ["go left", "at last", "no, right"]);
    let is_steered = |note: &ItemCompletedNotification| matches!(&note.item, ThreadItem::UserMessage { client_id: Some(id), .. } if id == "mine");
    let item = d.note_where::<ItemCompletedNotification>(is_steered).await.item;
    let all = [["go left", "at last", "no, right", "right it is"]];
    assert_eq!(texts(&turns(&mut d, &id).await), all);
    let stored = turns(d.restart().await, &id).await;
    assert_eq!((texts(&stored), &stored[0].items[2]), (all.iter().map(|t| t.to_vec()).collect(), &item));
}

#[tokio::test]
async fn a_wrong_turn_is_told_the_right_one() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "hi").await;
    let message = refused(d.fail::<TurnSteer>(steer(&id, UNKNOWN, "more")).await);
    assert_eq!(message, format!("expected active turn id `{UNKNOWN}` but found `{running}`"));
    let empty = TurnSteerParams { input: Vec::new(), ..steer(&id, &running, "") };
    assert_eq!(refused(d.fail::<TurnSteer>(empty).await), "input must not be empty");
    let unnamed = json!({ "threadId": id, "input": [{ "type": "text", "text": "more" }] });
    let message = refused(d.fail_raw("turn/steer", unnamed).await);
    assert_eq!(message, "Invalid request: missing field `expectedTurnId`");
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["hi", "at last"]]);
}

#[tokio::test]
async fn without_a_turn_there_is_nothing_to_steer() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let over = turn(&mut d, &id, "hi").await.id;
    for (thread, text) in [
        (id.as_str(), "no active turn to steer".to_owned()),
        (UNKNOWN, format!("thread not found: {UNKNOWN}")),
    ] {
        assert_eq!(refused(d.fail::<TurnSteer>(steer(thread, &over, "more")).await), text);
    }
}

#[tokio::test]
async fn neither_a_review_nor_a_compaction_can_be_steered() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    d.note::<TurnStartedNotification>().await;
    for kind in ["review", "compact"] {
        let gate = Gate::closed();
        home.model().script([slow(&gate)]);
        match kind {
            "review" => drop(d.call::<ReviewStart>(review(&id)).await),
            _ => drop(d.call::<ThreadCompactStart>(ThreadCompactStartParams { thread_id: id.clone() }).await),
        }
        let running = d.note_where::<TurnStartedNotification>(|note| note.thread_id == id).await.turn.id;
        let error = d.fail::<TurnSteer>(steer(&id, &running, "more")).await;
        let data = json!({
            "message": error.message,
            "codexErrorInfo": { "activeTurnNotSteerable": { "turnKind": kind } },
            "additionalDetails": null,
        });
        assert_eq!((error.code, error.data), (-32600, Some(data)));
        let message = refused(d.fail::<TurnSteer>(steer(&id, UNKNOWN, "more")).await);
        assert_eq!(message, format!("expected active turn id `{UNKNOWN}` but found `{running}`"));
        gate.open();
        ended(&mut d, &running).await;
    }
}

fn review(thread: &str) -> ReviewStartParams {
    ReviewStartParams {
        thread_id: thread.into(),
        target: ReviewTarget::Custom { instructions: "look".into() },
        delivery: None,
    }
}

#[tokio::test]
async fn too_much_is_refused_as_in_a_turn_of_its_own() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "hi").await;
    let error = d.fail::<TurnSteer>(steer(&id, &running, &"x".repeat((1 << 20) + 1))).await;
    assert_eq!((error.code, error.data.unwrap()["actual_chars"].clone()), (-32602, json!((1 << 20) + 1)));
    gate.open();
    ended(&mut d, &running).await;
}

#[tokio::test]
async fn words_that_the_model_has_not_heard_survive_the_death_of_the_server() {
    let home = Home::new().with_setting("model_auto_compact_token_limit = 12");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, _gate) = begin_slow(&home, &mut d, &id, "go left").await;
    let params =
        TurnSteerParams { client_user_message_id: Some("mine".into()), ..steer(&id, &running, "no, right") };
    d.call::<TurnSteer>(params.clone()).await;
    d.kill().await;
    let left = turns(d.restart().await, &id).await;
    assert_eq!(texts(&left), [["go left", "no, right"]]);
    assert_eq!((left[0].status, &left[0].id), (TurnStatus::Interrupted, &running));
    d.call::<ThreadResume>(of(&id)).await;
    turn(&mut d, &id, "now?").await;
    let heard = home.model().last_request().words();
    assert_eq!(heard, ["go left", "no, right", "now?"]);
    // A turn that has to make room first hears its words later still.
    let gate = Gate::closed();
    home.model().script([slow(&gate)]);
    let begun = d.call::<TurnStart>(ask(&id, "and then?")).await.turn.id;
    d.note_where::<ItemStartedNotification>(|note| note.turn_id == begun).await;
    d.kill().await;
    let left = turns(d.restart().await, &id).await;
    assert_eq!((texts(&left).last(), &left.last().unwrap().id), (Some(&vec!["and then?"]), &begun));
    assert!(fs::read_dir(home.root().join("skein/inbox")).unwrap().next().is_none());
}

#[tokio::test]
async fn they_are_heard_in_another_server_that_has_the_thread_loaded() {
    let home = Home::new();
    let (mut one, mut other) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let id = start(&mut one).await;
    talk(&home, &mut one, &id, [("hi", "hello")]).await;
    other.call::<ThreadResume>(of(&id)).await;
    let (running, _gate) = begin_slow(&home, &mut one, &id, "go left").await;
    one.call::<TurnSteer>(steer(&id, &running, "no, right")).await;
    one.kill().await;
    turn(&mut other, &id, "now?").await;
    let heard = home.model().last_request().words();
    assert_eq!(heard, ["hi", "hello", "go left", "no, right", "now?"]);
    let words = [vec!["hi", "hello"], vec!["go left", "no, right"]];
    assert_eq!(texts(&turns(&mut other, &id).await)[..2], words);
}
