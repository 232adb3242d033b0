//! Turns against a scripted model: what is stored, what is told, and in which order.

// All of this is test code: where it cannot go on, the test has failed.
#![allow(clippy::unwrap_used)]

mod goals;
mod repeats;
mod room;
mod stage;

use std::sync::Arc;

use agent::{Event, Outcome, Overrides, Status, TurnRequest, Typed};
use items::{ResponseItem, Role};
use model::{EventStream, Gate, Model, ModelError, Request, ScriptedModel, Step, StreamEvent};
use pretty_assertions::assert_eq;

use stage::{Stage, a_silent_server, say, stored};

/// A model that fails in a way that nobody foresaw.
struct Panics;

impl Model for Panics {
    fn name(&self) -> &str {
        "panics"
    }

    fn stream(&self, _: Request) -> EventStream {
        panic!("a defect in the model's code")
    }

    fn stream_retries(&self) -> u32 {
        0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_told_in_order_and_reads_back() {
    let mut stage = Stage::new(ScriptedModel::with([say("m1", &["Hel", "lo"])]));
    stage.begin("hi").await;
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Completed));
    let told: Vec<_> = seen
        .iter()
        .map(|event| match event {
            Event::Status(Status::Active(_)) => "active",
            Event::Status(Status::Idle) => "idle",
            Event::TurnStarted(_) => "started",
            Event::Stored(_) => "stored",
            Event::Opened(_) => "opened",
            Event::Delta { .. } => "delta",
            Event::Usage { .. } => "usage",
            Event::TurnEnded(_) => "ended",
            _ => "other",
        })
        .filter(|kind| *kind != "other")
        .collect();
    let expected =
        ["active", "started", "stored", "opened", "delta", "delta", "stored", "usage", "idle", "ended"];
    assert_eq!(told, expected);
    assert_eq!(stage.stored().await, [stored("completed", &["hi", "Hello"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_keeps_the_words_so_far_and_tells_the_model() {
    let gate = Gate::closed();
    let item = ResponseItem::message(Role::Assistant, "");
    let cut = vec![
        Step::Tell(StreamEvent::ItemAdded(item)),
        Step::Tell(StreamEvent::TextDelta("half a".to_owned())),
        Step::Wait(gate),
    ];
    let mut stage = Stage::new(ScriptedModel::with([cut, say("m2", &["again"])]));
    let turn = stage.begin("hi").await;
    stage.until(|event| matches!(event, Event::Delta { .. })).await;
    stage.thread.interrupt(turn).await.unwrap();
    let (_, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Interrupted));
    stage.begin("and now").await;
    stage.ended().await;
    assert_eq!(
        stage.stored().await,
        [stored("interrupted", &["hi", "half a"]), stored("completed", &["and now", "again"])]
    );
    let known = stage.manager.context(&stage.thread.snapshot().thread.path).await.unwrap().items;
    assert!(known.iter().any(|item| item.text().starts_with("<turn_aborted>")));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_join_a_turn_are_heard_in_it() {
    let gate = Gate::closed();
    let mut first = say("m1", &["one"]);
    first.insert(0, Step::Wait(gate.clone()));
    let mut stage = Stage::new(ScriptedModel::with([first, say("m2", &["two"])]));
    let turn = stage.begin("first").await;
    stage.until(|event| matches!(event, Event::Stored(_))).await;
    assert_eq!(stage.begin("second").await, turn);
    gate.open();
    stage.ended().await;
    assert_eq!(stage.stored().await, [stored("completed", &["first", "one", "second", "two"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_is_asked_for_again_and_told() {
    let broken = vec![Step::Fail(ModelError::cut("gone"))];
    let mut stage =
        Stage::new(ScriptedModel::with([broken.clone(), say("m1", &["whole"])]).stream_retries(1));
    stage.begin("hi").await;
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Completed));
    assert!(seen.iter().any(|event| matches!(event, Event::Trouble { will_retry: true, .. })));
    assert_eq!(stage.stored().await, [stored("completed", &["hi", "whole"])]);

    let mut stage = Stage::new(ScriptedModel::with([broken]));
    stage.begin("hi").await;
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Failed(_)));
    assert!(seen.iter().any(|event| matches!(event, Event::Status(Status::SystemError))));
    assert_eq!(stage.stored().await, [stored("failed", &["hi"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_its_turn_and_nothing_else() {
    let mut stage = Stage::new(Panics);
    for _ in 0..2 {
        stage.begin("hi").await;
        let (seen, outcome) = stage.ended().await;
        assert!(matches!(outcome, Outcome::Failed(_)));
        assert_eq!(seen.iter().filter(|event| matches!(event, Event::TurnEnded(_))).count(), 1);
    }
    assert_eq!(stage.stored().await, [stored("failed", &["hi"]), stored("failed", &["hi"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_server_closes_a_running_turn() {
    let mut stage = Stage::new(ScriptedModel::with([vec![Step::Wait(Gate::closed())]]));
    stage.begin("hi").await;
    stage.until(|event| matches!(event, Event::Stored(_))).await;
    stage.agents.shut_down().await;
    let (_, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Interrupted));
    assert_eq!(stage.stored().await, [stored("interrupted", &["hi"])]);
    assert!(stage.agents.ids().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_holds_for_later_turns() {
    let mut stage = Stage::new(ScriptedModel::with([say("m1", &["a"])]));
    let overrides = Overrides { model: Some("other".to_owned()), ..Overrides::default() };
    let (_, answered) =
        stage.thread.start_turn(TurnRequest { overrides, ..TurnRequest::default() }).await.unwrap();
    drop(answered);
    stage.ended().await;
    assert_eq!(stage.thread.snapshot().settings.model, "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_waits_for_its_servers_has_begun_and_can_be_stopped() {
    let (_listener, offer) = a_silent_server();
    let model = Arc::new(ScriptedModel::with([]));
    let mut stage = Stage::offering(Arc::clone(&model) as Arc<dyn Model>, offer);
    stage.thread.start_servers();
    let turn = stage.begin("hi").await;
    stage.until(|event| matches!(event, Event::TurnStarted(_))).await;
    stage.until(|event| matches!(event, Event::Stored(_))).await;
    stage.thread.interrupt(turn).await.unwrap();
    let (_, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Interrupted));
    assert_eq!(stage.stored().await, [stored("interrupted", &["hi"])]);
    assert_eq!(model.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_command_of_the_person_nor_a_compaction_waits_for_servers() {
    let (_listener, offer) = a_silent_server();
    let mut stage = Stage::offering(Arc::new(ScriptedModel::with([say("s1", &["all"])])), offer);
    stage.thread.start_servers();
    drop(stage.thread.shell(Typed { command: "true".into(), limit: None }).await.unwrap());
    stage.ended().await;
    drop(stage.thread.compact().await.unwrap());
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Completed), "{seen:?}");
}
