//! `thread/unsubscribe`: a client stops listening; the thread does not mind.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadLoadedList, ThreadLoadedListParams, ThreadResume, ThreadStatus, ThreadStatusChangedNotification,
    ThreadUnsubscribe, ThreadUnsubscribeStatus, TurnStatus,
};
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::{UNKNOWN, begin_slow, ended, refused, start, texts, turns};

async fn unsubscribe(d: &mut Daemon, thread: impl AsRef<str>) -> ThreadUnsubscribeStatus {
    d.call::<ThreadUnsubscribe>(of(thread)).await.status
}

#[tokio::test]
async fn the_answer_says_what_there_was_to_stop() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for id in [&home.thread(0).id, UNKNOWN] {
        assert_eq!(unsubscribe(&mut d, id).await, ThreadUnsubscribeStatus::NotLoaded);
    }
    let id = start(&mut d).await;
    assert_eq!(unsubscribe(&mut d, &id).await, ThreadUnsubscribeStatus::Unsubscribed);
    assert_eq!(unsubscribe(&mut d, &id).await, ThreadUnsubscribeStatus::NotSubscribed);
    let refusal = refused(d.fail::<ThreadUnsubscribe>(of("not-a-uuid")).await);
    assert!(refusal.starts_with("invalid thread id: "), "{refusal}");
}

#[tokio::test]
async fn the_turn_goes_on_unheard_and_the_thread_stays_loaded() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    unsubscribe(&mut d, &id).await;
    let before = d.notes().len();
    gate.open();
    // Listening again: either the end of the turn is heard from here on, or it is over already.
    let thread = d.call::<ThreadResume>(of(&id)).await.thread;
    if thread.turns[0].status == TurnStatus::InProgress {
        ended(&mut d, &running).await;
    }
    assert!(!d.methods_from(before).contains(&"thread/closed"));
    assert_eq!(texts(&turns(&mut d, &id).await), [["slowly", "at last"]]);
    let loaded = d.call::<ThreadLoadedList>(ThreadLoadedListParams::default()).await.data;
    assert_eq!(loaded, [id]);
}

#[tokio::test]
async fn a_client_that_does_not_listen_is_told_the_status_and_no_more() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (_, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    unsubscribe(&mut d, &id).await;
    let before = d.notes().len();
    gate.open();
    d.note_where::<ThreadStatusChangedNotification>(|note| note.status == ThreadStatus::Idle).await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["slowly", "at last"]]);
    assert_eq!(d.methods_from(before), ["thread/status/changed"]);
}
