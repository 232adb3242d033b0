//! `review/start`: a change is reviewed, in the thread or beside it.

use pretty_assertions::assert_eq;
use protocol::{
    ReviewDelivery, ReviewStart, ReviewStartParams, ReviewTarget, ThreadItem, ThreadStartedNotification,
    TurnStatus,
};
use serde_json::json;
use testkit::{Daemon, Home, say};

use crate::steps::{ended, refused, start, talk, turn, turns};

fn findings() -> String {
    let finding = json!({
        "title": "Prefer X", "body": "Use X.", "priority": 1, "confidence_score": 0.9,
        "code_location": { "absolute_file_path": "/tmp/file.rs", "line_range": { "start": 10, "end": 20 } },
    });
    json!({
        "findings": [finding], "overall_correctness": "good", "overall_explanation": "Looks solid.",
        "overall_confidence_score": 0.9,
    })
    .to_string()
}

fn review(id: &str, instructions: &str, delivery: Option<ReviewDelivery>) -> ReviewStartParams {
    let target = ReviewTarget::Custom { instructions: instructions.into() };
    ReviewStartParams { thread_id: id.into(), target, delivery }
}

fn reviews(items: &[ThreadItem]) -> Vec<&str> {
    let review = |item| match item {
        &ThreadItem::EnteredReviewMode { ref review, .. }
        | &ThreadItem::ExitedReviewMode { ref review, .. } => Some(review.as_str()),
        _ => None,
    };
    items.iter().filter_map(review).collect()
}

#[tokio::test]
async fn a_review_is_a_turn_of_the_thread_that_sees_nothing_of_the_talk_and_leaves_its_result() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("secret word", "hm")]).await;
    home.model().script([say(&findings())]);
    let begun = d.call::<ReviewStart>(review(&id, "look here", None)).await;
    assert_eq!((begun.review_thread_id.as_str(), begun.turn.status), (id.as_str(), TurnStatus::InProgress));
    assert_eq!(ended(&mut d, &begun.turn.id).await.status, TurnStatus::Completed);
    let request = home.model().last_request();
    let asked = request.talk();
    let asked = asked.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(asked.contains("look here") && !asked.contains("secret word"), "{asked}");
    turn(&mut d, &id, "thanks").await;
    let request = home.model().last_request();
    assert!(request.talk().iter().any(|(_, text)| text.contains("Prefer X")), "{:?}", request.talk());
    let live = turns(&mut d, &id).await;
    let [entered, exited] = reviews(&live[1].items)[..] else { panic!("{:?}", live[1].items) };
    assert_eq!(entered, "look here");
    for part in ["Looks solid.", "Prefer X", "/tmp/file.rs:10-20", "Use X."] {
        assert!(exited.contains(part), "{part}: {exited}");
    }
    assert_eq!(turns(d.restart().await, &id).await, live);
}

#[tokio::test]
async fn a_detached_review_is_a_thread_of_its_own() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("hi", "hm")]).await;
    let before = turns(&mut d, &id).await;
    home.model().script([say("just prose")]);
    let begun = d.call::<ReviewStart>(review(&id, "look here", Some(ReviewDelivery::Detached))).await;
    let beside = begun.review_thread_id;
    assert_ne!(beside, id);
    d.note_where::<ThreadStartedNotification>(|note| note.thread.id == beside).await;
    ended(&mut d, &begun.turn.id).await;
    assert_eq!(reviews(&turns(&mut d, &beside).await.pop().unwrap().items), ["look here", "just prose"]);
    assert_eq!(turns(&mut d, &id).await, before);
}

#[tokio::test]
async fn a_review_of_nothing_is_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let told = refused(d.fail::<ReviewStart>(review(&id, " ", None)).await);
    assert_eq!(told, "instructions must not be empty");
}
