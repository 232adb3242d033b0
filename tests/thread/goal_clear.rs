//! `thread/goal/clear` and `thread/goal/get`.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadDelete, ThreadGoalClear, ThreadGoalClearedNotification, ThreadGoalGet, ThreadGoalSet,
    ThreadGoalStatus as Status, TurnStartedNotification,
};
use testkit::{Daemon, Gate, Home, Rollout, json_lines, of};

use super::goals::{get, put_aside, set, stands, to_reach, told};
use crate::steps::{UNKNOWN, ended, refused, slow, start, turn};

async fn clear(d: &mut Daemon, thread: impl AsRef<str>) -> bool {
    d.call::<ThreadGoalClear>(of(thread)).await.cleared
}

#[tokio::test]
async fn a_goal_is_gone_for_good_and_the_next_one_begins_anew() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    set(&mut d, to_reach(&id, "one")).await;
    let first = d.note::<TurnStartedNotification>().await.turn.id;
    ended(&mut d, &first).await;
    assert_eq!(stands(get(&mut d, &id).await), (Status::Active, 15));
    assert!(clear(&mut d, &id).await);
    assert_eq!(d.note::<ThreadGoalClearedNotification>().await.thread_id, id);
    let before = d.notes().len();
    assert!(!clear(&mut d, &id).await);
    assert_eq!((get(&mut d, &id).await, d.notes().len()), (None, before));
    assert_eq!(get(d.restart().await, &id).await, None);
    let next = set(&mut d, put_aside(&id, "two")).await;
    assert_eq!((next.tokens_used, next.time_used_seconds), (0, 0));
}

#[tokio::test]
async fn a_turn_that_works_on_it_goes_on_and_is_put_down_nowhere() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let gate = Gate::closed();
    home.model().script([slow(&gate)]);
    set(&mut d, to_reach(&id, "ship it")).await;
    let running = d.note::<TurnStartedNotification>().await.turn.id;
    home.model().asked(1).await;
    assert!(clear(&mut d, &id).await);
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(told(&d, 0), ["client: Active 0", "active", "turn", "cleared", "idle", "end Completed"]);
    assert_eq!(get(&mut d, &id).await, None);
    turn(&mut d, &id, "go on").await;
    assert_eq!(home.model().requests().len(), 2);
}

#[tokio::test]
async fn a_deleted_thread_takes_its_goal_along() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    set(&mut d, put_aside(home.thread(0), "ship it")).await;
    d.call::<ThreadDelete>(of(home.thread(0))).await;
    let refusal = refused(d.fail::<ThreadGoalGet>(of(home.thread(0))).await);
    assert_eq!(refusal, format!("thread not found: {}", home.thread(0).id));
    let journal = json_lines(home.root().join("skein/journal.jsonl"));
    assert_eq!(journal.last().unwrap()["type"], "thread_deleted");
}

#[tokio::test]
async fn a_thread_that_is_nowhere_has_no_goal_to_get_or_to_clear() {
    let home = Home::new().with_rollout(Rollout::new().archived());
    let mut d = Daemon::start(&home).await;
    for id in [UNKNOWN, &home.thread(0).id] {
        let expected = format!("thread not found: {id}");
        assert_eq!(refused(d.fail::<ThreadGoalGet>(of(id)).await), expected);
        assert_eq!(refused(d.fail::<ThreadGoalClear>(of(id)).await), expected);
        assert_eq!(refused(d.fail::<ThreadGoalSet>(to_reach(id, "x")).await), expected);
    }
    let refusal = refused(d.fail::<ThreadGoalGet>(of("not-a-uuid")).await);
    assert!(refusal.starts_with("invalid thread id: "), "{refusal}");
}
