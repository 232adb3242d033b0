//! `thread/compact/start`: the model sums the thread up, to make room; the reader loses nothing.

use pretty_assertions::assert_eq;
use protocol::{
    ErrorNotification, ItemCompletedNotification, ItemStartedNotification, ThreadCompactStart,
    ThreadCompactStartParams, ThreadItem, ThreadResume, ThreadTokenUsageUpdatedNotification,
    TurnCompletedNotification, TurnStatus,
};
use testkit::{Answer, Daemon, Home, Rollout, of, say};

use crate::steps::{UNKNOWN, refused, start, talk, texts, turn, turns};

fn compact(thread: impl AsRef<str>) -> ThreadCompactStartParams {
    ThreadCompactStartParams { thread_id: thread.as_ref().into() }
}

fn is_compaction(item: &ThreadItem) -> bool {
    matches!(item, ThreadItem::ContextCompaction { .. })
}

#[tokio::test]
async fn it_is_a_turn_of_one_item_and_the_model_goes_on_with_the_summary() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    home.model().script([say("THE-SUMMARY")]);
    d.call::<ThreadCompactStart>(compact(&id)).await;
    let begun = d.note_where::<ItemStartedNotification>(|note| is_compaction(&note.item)).await;
    let done = d.note_where::<ItemCompletedNotification>(|note| is_compaction(&note.item)).await;
    assert_eq!(begun.item, done.item);
    let told = d.note_where::<TurnCompletedNotification>(|note| note.turn.id == done.turn_id).await.turn;
    assert_eq!(told.status, TurnStatus::Completed);
    for restarted in [false, true] {
        if restarted {
            let thread = d.restart().await.call::<ThreadResume>(of(&id)).await.thread;
            assert_eq!((texts(&thread.turns)[0].clone(), &thread.turns[1].id), (vec!["q1", "a1"], &told.id));
            assert_eq!(thread.turns[1].items, std::slice::from_ref(&done.item));
        }
        turn(&mut d, &id, "q2").await;
        let request = home.model().last_request();
        let said = request.words();
        assert!(said.iter().any(|text| text.contains("THE-SUMMARY")), "{said:?}");
        assert!(said.iter().any(|text| text == "q1") && !said.iter().any(|text| text == "a1"), "{said:?}");
    }
    assert_eq!(texts(&turns(&mut d, &id).await)[0], ["q1", "a1"]);
}

#[tokio::test]
async fn what_is_left_is_told_and_not_compacted_again_after_a_resume() {
    // Every answer of the model counts 15.
    let home = Home::new().with_setting("model_auto_compact_token_limit = 12");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "q1").await;
    d.call::<ThreadCompactStart>(compact(&id)).await;
    let done = d.note_where::<ItemCompletedNotification>(|note| is_compaction(&note.item)).await;
    let is_estimate = |note: &ThreadTokenUsageUpdatedNotification| note.token_usage.last.input_tokens == 0;
    let left = d.note_where::<ThreadTokenUsageUpdatedNotification>(is_estimate).await;
    assert_eq!((&left.turn_id, left.token_usage.total.total_tokens), (&done.turn_id, 30));
    assert!(left.token_usage.last.total_tokens > 0, "{left:?}");
    d.note_where::<TurnCompletedNotification>(|note| note.turn.id == done.turn_id).await;
    d.restart().await.call::<ThreadResume>(of(&id)).await;
    turn(&mut d, &id, "q2").await;
    assert_eq!(home.model().requests().len(), 3);
}

#[tokio::test]
async fn a_summary_that_fails_fails_its_turn_and_costs_nothing() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    home.model().script([Answer::status(500, "boom")]);
    d.call::<ThreadCompactStart>(compact(&id)).await;
    let error = d.note::<ErrorNotification>().await;
    let told = d.note_where::<TurnCompletedNotification>(|note| note.turn.id == error.turn_id).await.turn;
    assert_eq!((told.status, told.error), (TurnStatus::Failed, Some(error.error)));
    turn(&mut d, &id, "q2").await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["q1", "a1", "q2"]);
}

#[tokio::test]
async fn what_cannot_be_summed_up_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for unloaded in [UNKNOWN, &home.thread(0).id] {
        let refusal = refused(d.fail::<ThreadCompactStart>(compact(unloaded)).await);
        assert_eq!(refusal, format!("thread not found: {unloaded}"));
    }
    let refusal = refused(d.fail::<ThreadCompactStart>(compact("x")).await);
    assert!(refusal.starts_with("invalid thread id: "), "{refusal}");
}
