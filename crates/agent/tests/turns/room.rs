//! A compaction makes room, and what it left is known also after a resume.

use std::sync::Arc;

use agent::{Event, Usage};
use items::ResponseItem;
use model::{Model, ScriptedModel, Step, StreamEvent, TokenUsage};
use pretty_assertions::assert_eq;
use tools::Offer;

use crate::stage::{Stage, say, stored};

/// An answer that fills the window of the stage.
fn full(id: &str, text: &str) -> Vec<Step> {
    let usage =
        TokenUsage { input_tokens: 890, output_tokens: 10, total_tokens: 900, ..TokenUsage::default() };
    Step::say(id, [text], Some(usage))
}

fn counts(seen: &[Event]) -> Vec<(i64, i64)> {
    let count = |event: &Event| match event {
        Event::Usage { usage: Usage { last, .. }, .. } => Some((last.input_tokens, last.total_tokens)),
        _ => None,
    };
    seen.iter().filter_map(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_fills_the_window_is_compacted_once_also_across_a_resume() {
    let mut stage = Stage::new(ScriptedModel::with([full("m1", "one"), full("s1", "sum")]));
    stage.begin("first").await;
    stage.ended().await;
    drop(stage.thread.compact().await.unwrap());
    let (seen, _) = stage.ended().await;
    // First what the summary took, then what is left, which nobody has counted.
    let [(890, 900), (0, left)] = counts(&seen)[..] else { panic!("{seen:?}") };
    assert!(left > 0, "{left}");

    let model = Arc::new(ScriptedModel::with([say("m2", &["two"])]));
    let mut stage = stage.resumed(Arc::clone(&model) as Arc<dyn Model>).await;
    stage.begin("second").await;
    stage.ended().await;
    let said: Vec<_> = stage.stored().await;
    assert_eq!(said[2], stored("completed", &["second", "two"]));
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_a_response_found_full_is_compacted_after_a_resume() {
    let mut stage = Stage::new(ScriptedModel::with([full("m1", "one")]));
    stage.begin("first").await;
    stage.ended().await;
    let model = Arc::new(ScriptedModel::with([full("s1", "sum"), say("m2", &["two"])]));
    let mut stage = stage.resumed(Arc::clone(&model) as Arc<dyn Model>).await;
    stage.begin("second").await;
    stage.ended().await;
    assert_eq!(model.asked().len(), 2);
    assert_eq!(stage.stored().await[1].1.last().map(String::as_str), Some("two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_stays_where_no_room_could_be_made_for_it() {
    let mut stage = Stage::new(ScriptedModel::with([full("m1", "one")]));
    stage.begin("first").await;
    stage.ended().await;
    stage.begin("second").await;
    stage.ended().await;
    assert_eq!(stage.stored().await[1], stored("failed", &["second"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_would_fill_the_window_has_room_made_before_it_is_sent() {
    let usage = |total_tokens| TokenUsage { input_tokens: 500, total_tokens, ..TokenUsage::default() };
    let long = "x".repeat(2000); // some 500 tokens, in a window of 1000
    let call = StreamEvent::ItemDone(ResponseItem::of([
        ("type", "function_call".into()),
        ("call_id", "c".into()),
        ("name", long.into()),
        ("arguments", "{}".into()),
    ]));
    let completed = StreamEvent::Completed { response_id: None, usage: Some(usage(500)) };
    let calls = vec![Step::Tell(StreamEvent::Created), Step::Tell(call), Step::Tell(completed)];
    let model = Arc::new(ScriptedModel::with([calls, full("s", "sum"), say("m", &["two"])]));
    let mut stage = Stage::offering(Arc::clone(&model) as Arc<dyn Model>, Offer::default());
    stage.begin("first").await;
    let (seen, _) = stage.ended().await;
    // The answer repeats the name of the tool that there is not.
    assert_eq!(model.asked().len(), 3, "{seen:?}");
}
