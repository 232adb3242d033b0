//! A goal is worked on turn by turn, by a model that can say when it is reached.

use std::sync::Arc;

use agent::Outcome;
use items::ResponseItem;
use model::{Model, ScriptedModel, Step, StreamEvent, TokenUsage};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use threads::{Goal, GoalPatch, GoalStatus, Patch};
use tools::Offer;

use crate::stage::{Stage, say};

fn usage() -> Option<TokenUsage> {
    Some(TokenUsage { input_tokens: 10, output_tokens: 5, total_tokens: 15, ..TokenUsage::default() })
}

/// An answer that calls a tool, and counts 15.
fn call(id: &str, name: &str, arguments: &Value) -> Vec<Step> {
    let call =
        json!({ "type": "function_call", "call_id": id, "name": name, "arguments": arguments.to_string() });
    let call = StreamEvent::ItemDone(ResponseItem::try_from(call).unwrap());
    let completed = StreamEvent::Completed { response_id: None, usage: usage() };
    [StreamEvent::Created, call, completed].map(Step::Tell).into()
}

/// The same in words.
fn done(id: &str) -> Vec<Step> {
    Step::say(id, [id], usage())
}

fn stage(script: impl IntoIterator<Item = Vec<Step>>) -> (Stage, Arc<ScriptedModel>) {
    let model = Arc::new(ScriptedModel::with(script));
    let offer = Offer { goals: true, ..Offer::default() };
    (Stage::offering(Arc::clone(&model) as Arc<dyn Model>, offer), model)
}

async fn set(stage: &Stage, status: GoalStatus) {
    let patch = GoalPatch::checked(Some("ship it"), Some(status), Patch::Set(1000)).unwrap();
    stage.manager.set_goal(stage.thread.id(), patch).await.unwrap();
}

async fn goal(stage: &Stage) -> Goal {
    stage.manager.goal(stage.thread.id()).await.unwrap().expect("there is a goal")
}

/// What the model was answered under the id of a call.
fn answered(model: &ScriptedModel, id: &str) -> String {
    let requests = model.asked();
    let items = requests.iter().flat_map(|request| request.input.iter());
    let output = items.filter(|item| item.is_output()).find(|item| item.call_id() == Some(id));
    output.and_then(|item| item.str("output")).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_follow_each_other_until_the_model_says_that_the_goal_is_reached() {
    let (mut stage, model) = stage([
        call("g", "get_goal", &json!({})),
        done("not yet"),
        call("u", "update_goal", &json!({ "status": "complete" })),
        done("reached"),
        done("bye"),
    ]);
    set(&stage, GoalStatus::Active).await;
    stage.thread.pursue_goal().await;
    stage.ended().await;
    stage.ended().await;
    // The answer that says so counts, what follows it does not.
    let reached = goal(&stage).await;
    assert_eq!((reached.status, reached.tokens_used), (GoalStatus::Complete, 45));
    let seen: Value = serde_json::from_str(&answered(&model, "g")).unwrap();
    assert_eq!((&seen["goal"]["status"], &seen["remainingTokens"]), (&json!("active"), &json!(985)));
    let seen: Value = serde_json::from_str(&answered(&model, "u")).unwrap();
    assert_eq!((&seen["goal"]["status"], &seen["goal"]["tokensUsed"]), (&json!("complete"), &json!(45)));
    assert!(seen["completionBudgetReport"].as_str().unwrap().contains("45 of 1000 tokens"), "{seen}");
    // And then it rests.
    stage.begin("bye").await;
    stage.ended().await;
    assert_eq!((model.asked().len(), stage.stored().await.len()), (5, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_for_the_goal_that_only_talks_is_the_last_until_the_person_says_something() {
    let (mut stage, model) = stage(["one", "two", "three", "four"].map(done));
    set(&stage, GoalStatus::Active).await;
    for words in ["hi", "and"] {
        stage.begin(words).await;
        stage.ended().await;
        stage.ended().await;
    }
    let said: Vec<_> = stage.stored().await.into_iter().map(|(_, words)| words.join(" ")).collect();
    assert_eq!(said, ["hi one", "two", "and three", "four"]);
    assert_eq!(model.asked().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_gives_the_thread_a_goal_which_is_not_charged_for_what_was_before() {
    let (mut stage, model) = stage([
        call("c", "create_goal", &json!({ "objective": "ship it", "token_budget": 20 })),
        call("d", "create_goal", &json!({ "objective": "another" })),
        done("on it"),
    ]);
    stage.begin("make it your goal").await;
    let (_, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Completed));
    let created: Value = serde_json::from_str(&answered(&model, "c")).unwrap();
    assert_eq!(
        (&created["goal"]["objective"], &created["goal"]["tokensUsed"]),
        (&json!("ship it"), &json!(0))
    );
    assert!(answered(&model, "d").contains("it has one that is not complete"), "{}", answered(&model, "d"));
    // Two answers since then, of 15 each, are more than its budget.
    let goal = goal(&stage).await;
    assert_eq!((goal.status, goal.tokens_used), (GoalStatus::BudgetLimited, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_to_end_a_goal_no_turn_begins_for_one() {
    let model = Arc::new(ScriptedModel::with([say("m1", &["a"]), say("m2", &["b"])]));
    let mut stage = Stage::offering(Arc::clone(&model) as Arc<dyn Model>, Offer::default());
    set(&stage, GoalStatus::Active).await;
    stage.thread.pursue_goal().await;
    for words in ["one", "two"] {
        stage.begin(words).await;
        stage.ended().await;
    }
    let said: Vec<_> = stage.stored().await.into_iter().map(|(_, words)| words.join(" ")).collect();
    assert_eq!(said, ["one a", "two b"]);
    let offered = model.asked()[0].tools.clone();
    assert!(!offered.iter().any(|tool| tool["name"] == "update_goal"), "{offered:?}");
}
