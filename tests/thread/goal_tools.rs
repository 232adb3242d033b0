//! `get_goal`, `create_goal` and `update_goal`: what the model does with the goal of its thread.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadGoalStatus as Status, ThreadGoalUpdatedNotification, ThreadStart, ThreadStartParams,
    TurnCompletedNotification,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, call, say};

use super::goals::{get, set, stands, to_reach, told};
use crate::steps::{start, texts, turn, turns};

const TOOLS: [&str; 3] = ["get_goal", "create_goal", "update_goal"];

#[tokio::test]
async fn a_goal_that_the_model_sets_is_worked_on_until_it_says_that_it_is_reached() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([
        call("c1", "create_goal", &json!({ "objective": "ship it", "token_budget": 100 })),
        say("on it"),
        call("c2", "update_goal", &json!({ "status": "complete" })),
        say("shipped"),
    ]);
    let first = turn(&mut d, &id, "make it your goal to ship it").await;
    let created = d.note::<ThreadGoalUpdatedNotification>().await;
    assert_eq!((created.turn_id.as_ref(), created.goal.objective.as_str()), (Some(&first.id), "ship it"));
    let is_second = |note: &TurnCompletedNotification| note.turn.id != first.id;
    d.note_where::<TurnCompletedNotification>(is_second).await;
    let expected = [
        "active",
        "turn",
        "turn: Active 0",
        "turn: Active 15",
        "idle",
        "end Completed",
        "active",
        "turn",
        "turn: Active 30",
        "turn: Complete 30",
        "idle",
        "end Completed",
    ];
    assert_eq!(told(&d, 0), expected);
    let request = home.model().last_request();
    let answer: Value = serde_json::from_str(request.output_of("c2").as_str().unwrap()).unwrap();
    assert_eq!((&answer["goal"]["status"], &answer["remainingTokens"]), (&json!("complete"), &json!(70)));
    assert!(answer["completionBudgetReport"].is_string(), "{answer}");
    turn(&mut d, &id, "thanks").await;
    let said = [vec!["make it your goal to ship it", "on it"], vec!["shipped"], vec!["thanks", "Done"]];
    assert_eq!(texts(&turns(&mut d, &id).await), said);
    assert_eq!(stands(get(d.restart().await, &id).await), (Status::Complete, 30));
}

#[tokio::test]
async fn a_thread_that_can_have_no_goal_is_offered_no_tools_for_one() {
    let (plain, switched_off) = (Home::new(), Home::new().with_tables("[features]\ngoals = false"));
    for (home, ephemeral, offered) in
        [(&plain, false, true), (&plain, true, false), (&switched_off, false, false)]
    {
        let mut d = Daemon::start(home).await;
        let params = ThreadStartParams { ephemeral: Some(ephemeral), ..ThreadStartParams::default() };
        let id = d.call::<ThreadStart>(params).await.thread.id;
        turn(&mut d, &id, "hi").await;
        let request = home.model().last_request();
        assert_eq!(TOOLS.map(|name| request.tools().contains(&name)), [offered; 3]);
    }
}

#[tokio::test]
async fn no_turn_begins_for_a_goal_that_the_model_cannot_end() {
    let home = Home::new().with_tables("[features]\ngoals = false");
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    set(&mut d, to_reach(&id, "ship it")).await;
    turn(&mut d, &id, "hi").await;
    turn(&mut d, &id, "bye").await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["hi", "Done"], ["bye", "Done"]]);
}
