//! `thread/goal/set`: a goal is kept, whatever becomes of server and index. Its turns are in `goal_turns`.

use pretty_assertions::assert_eq;
use protocol::{
    PatchField, ThreadArchive, ThreadFork, ThreadForkParams, ThreadGoal, ThreadGoalSet, ThreadGoalSetParams,
    ThreadGoalStatus as Status, ThreadGoalUpdatedNotification, ThreadNameSet, ThreadResume,
    ThreadSetNameParams, ThreadStart, ThreadStartParams, ThreadUnarchive,
};
use serde_json::json;
use testkit::{Daemon, Home, Rollout, of};

use super::goals::{get, put_aside, set, to_be, to_reach, told, with_budget};
use crate::index;
use crate::steps::{UNKNOWN, listed, read, refused, start, turn};

#[tokio::test]
async fn a_goal_is_answered_told_and_kept() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let params = with_budget(put_aside(home.thread(0), "  ship it\n"), 500);
    let goal = set(&mut d, params).await;
    let expected = ThreadGoal {
        thread_id: home.thread(0).id.clone(),
        objective: "ship it".to_owned(),
        status: Status::Paused,
        token_budget: Some(500),
        tokens_used: 0,
        time_used_seconds: 0,
        created_at: goal.created_at,
        updated_at: goal.created_at,
    };
    assert_eq!(goal, expected);
    let told = d.note::<ThreadGoalUpdatedNotification>().await;
    let expected = ThreadGoalUpdatedNotification {
        thread_id: home.thread(0).id.clone(),
        turn_id: None,
        goal: goal.clone(),
    };
    assert_eq!(told, expected);
    assert_eq!(get(d.restart().await, home.thread(0)).await, Some(goal));
    assert_eq!(d.notes().len(), 0);
}

#[tokio::test]
async fn a_goal_is_changed_field_by_field() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let thread = home.thread(0);
    let nothing: ThreadGoalSetParams = of(thread).into();
    let no_budget = ThreadGoalSetParams { token_budget: PatchField::Clear, ..nothing.clone() };
    for (params, expected) in [
        (with_budget(put_aside(thread, "one"), 50), ("one", Status::Paused, Some(50))),
        (to_be(thread, Status::Complete), ("one", Status::Complete, Some(50))),
        (to_reach(thread, "two"), ("two", Status::Complete, Some(50))),
        (nothing, ("two", Status::Complete, Some(50))),
        (no_budget, ("two", Status::Complete, None)),
        (to_be(thread, Status::UsageLimited), ("two", Status::UsageLimited, None)),
        (to_be(thread, Status::Blocked), ("two", Status::Blocked, None)),
        (to_be(thread, Status::BudgetLimited), ("two", Status::BudgetLimited, None)),
        // Not loaded: it waits for whoever loads it.
        (to_be(thread, Status::Active), ("two", Status::Active, None)),
    ] {
        let goal = set(&mut d, params).await;
        assert_eq!((goal.objective.as_str(), goal.status, goal.token_budget), expected);
        assert_eq!(d.note::<ThreadGoalUpdatedNotification>().await.goal, goal);
        assert_eq!(get(&mut d, thread).await, Some(goal));
    }
    assert_eq!(home.model().requests().len(), 0);
}

#[tokio::test]
async fn the_state_of_the_index_changes_nothing() {
    for state in index::ALL {
        let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new());
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        let goal = set(&mut d, put_aside(home.thread(1), "ship it")).await;
        for _ in 0..2 {
            let goals = [get(&mut d, home.thread(0)).await, get(&mut d, home.thread(1)).await];
            assert_eq!(goals, [None, Some(goal.clone())], "{state:?}");
            d.restart().await;
        }
    }
}

#[tokio::test]
async fn a_thread_without_a_rollout_gets_one_and_is_listed_by_its_goal() {
    for named in [false, true] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start(&mut d).await;
        if named {
            let params = ThreadSetNameParams { thread_id: id.clone(), name: "Named".to_owned() };
            d.call::<ThreadNameSet>(params).await;
        }
        let goal = set(&mut d, put_aside(&id, "ship it")).await;
        for _ in 0..2 {
            assert_eq!(
                (listed(&mut d).await, get(&mut d, &id).await),
                (vec![id.clone()], Some(goal.clone()))
            );
            assert_eq!(read(&mut d, &id).await.preview, "ship it");
            d.restart().await;
        }
        d.call::<ThreadResume>(of(&id)).await;
        turn(&mut d, &id, "words of the person").await;
        assert_eq!(read(&mut d, &id).await.preview, "ship it");
    }
}

#[tokio::test]
async fn whoever_resumes_is_told_the_goal_and_nobody_is_told_of_none() {
    let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let goal = set(&mut d, put_aside(home.thread(0), "ship it")).await;
    d.note::<ThreadGoalUpdatedNotification>().await;
    for _ in 0..2 {
        let from = d.notes().len();
        d.call::<ThreadResume>(of(home.thread(0))).await;
        let resumed = d.note::<ThreadGoalUpdatedNotification>().await;
        assert_eq!((resumed.turn_id, &resumed.goal), (None, &goal));
        assert_eq!(d.methods_from(from), ["thread/status/changed", "thread/goal/updated"]);
    }
    let from = d.notes().len();
    d.call::<ThreadResume>(of(home.thread(1))).await;
    assert_eq!(get(&mut d, home.thread(1)).await, None);
    assert_eq!(d.methods_from(from), ["thread/status/changed"]);
}

#[tokio::test]
async fn another_server_sees_the_goal_and_changes_it() {
    let home = Home::new().with_rollout(Rollout::new());
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    set(&mut a, put_aside(home.thread(0), "by a")).await;
    let changed = set(&mut b, to_reach(home.thread(0), "by b")).await;
    assert_eq!((changed.status, get(&mut a, home.thread(0)).await), (Status::Paused, Some(changed)));
}

#[tokio::test]
async fn a_fork_has_a_goal_of_its_own_or_none() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let goal = set(&mut d, put_aside(home.thread(0), "ship it")).await;
    let fork = d.call::<ThreadFork>(ThreadForkParams::from(of(home.thread(0)))).await.thread.id;
    assert_eq!((get(&mut d, &fork).await, get(&mut d, home.thread(0)).await), (None, Some(goal)));
}

#[tokio::test]
async fn an_archived_thread_has_its_goal_back_when_it_comes_back() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let goal = set(&mut d, put_aside(home.thread(0), "ship it")).await;
    d.call::<ThreadArchive>(of(home.thread(0))).await;
    let refusal = refused(d.fail::<ThreadGoalSet>(put_aside(home.thread(0), "x")).await);
    assert_eq!(refusal, format!("thread not found: {}", home.thread(0).id));
    d.call::<ThreadUnarchive>(of(home.thread(0))).await;
    assert_eq!(get(&mut d, home.thread(0)).await, Some(goal));
}

#[tokio::test]
async fn what_is_no_goal_is_refused_and_changes_nothing() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let thread = home.thread(0);
    let fresh = start(&mut d).await;
    for id in [&thread.id, &fresh] {
        let refusal = refused(d.fail::<ThreadGoalSet>(to_be(id, Status::Paused)).await);
        assert_eq!(refusal, format!("cannot update goal for thread {id}: no goal exists"));
    }
    assert_eq!(home.files("rollout-").len(), 1);
    let goal = set(&mut d, put_aside(thread, "ship it")).await;
    for (params, text) in [
        (to_reach(thread, " \t"), "goal objective must not be empty"),
        (to_reach(thread, &"x".repeat(4001)), "goal objective must be at most 4000 characters"),
        (with_budget(to_reach(thread, "x"), 0), "goal budgets must be positive when provided"),
        (with_budget(of(thread).into(), -5), "goal budgets must be positive when provided"),
        (to_reach(UNKNOWN, "x"), "thread not found: 67e55044-10b1-426f-9247-bb680e5fe0c8"),
    ] {
        assert_eq!(refused(d.fail::<ThreadGoalSet>(params).await), text);
    }
    for (budget, text) in [(json!("a"), r#"string "a""#), (json!(1.5), "floating point `1.5`")] {
        let params = json!({ "threadId": thread.id, "objective": "x", "tokenBudget": budget });
        let refusal = refused(d.fail_raw("thread/goal/set", params).await);
        assert_eq!(refusal, format!("Invalid request: invalid type: {text}, expected i64"));
    }
    let params = json!({ "threadId": thread.id, "objective": "x", "status": "zzz" });
    let refusal = refused(d.fail_raw("thread/goal/set", params).await);
    assert!(
        refusal.starts_with("Invalid request: unknown variant `zzz`, expected one of `active`, "),
        "{refusal}"
    );
    let refusal = refused(d.fail::<ThreadGoalSet>(to_reach("not-a-uuid", "x")).await);
    assert!(refusal.starts_with("invalid thread id: "), "{refusal}");
    assert_eq!(get(&mut d, thread).await, Some(goal));
    assert_eq!(told(&d, 0), ["client: Paused 0"]);
}

#[tokio::test]
async fn an_ephemeral_thread_can_have_none() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let params = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let id = d.call::<ThreadStart>(params).await.thread.id;
    for method in ["thread/goal/set", "thread/goal/get", "thread/goal/clear"] {
        let refusal = d.fail_raw(method, json!({ "threadId": id, "objective": "x" })).await;
        assert_eq!(refused(refusal), format!("ephemeral thread does not support goals: {id}"));
    }
}
