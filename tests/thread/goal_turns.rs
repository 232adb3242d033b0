//! Turns that begin for a goal by themselves, and what is put down of it.

use pretty_assertions::assert_eq;
use protocol::{
    ErrorNotification, ThreadGoalSetParams, ThreadGoalStatus as Status, ThreadResume, ThreadRollback,
    ThreadRollbackParams, TurnCompletedNotification, TurnInterrupt, TurnInterruptParams, TurnStart,
    TurnStartedNotification, TurnStatus,
};
use serde_json::json;
use testkit::{Answer, Daemon, Gate, Home, Note, Request, ask, call, events, json_lines, of, say};

use super::goals::{get, put_aside, set, stands, to_be, to_reach, told, with_budget};
use crate::steps::{begin_slow, ended, read, slow, start, texts, turn, turns};

/// Sets a goal that a turn begins for, and returns the turn.
async fn pursue(d: &mut Daemon, params: ThreadGoalSetParams) -> String {
    let earlier = started(d);
    set(d, params).await;
    d.note_where::<TurnStartedNotification>(|note| !earlier.contains(&note.turn.id)).await.turn.id
}

/// Waits for the end of the turn that follows those whose end was waited for.
async fn next(d: &mut Daemon) {
    d.note::<TurnCompletedNotification>().await;
}

/// The turns that began by now.
fn started(d: &Daemon) -> Vec<String> {
    let notes = d.notes().into_iter().filter_map(TurnStartedNotification::take);
    notes.map(|note| note.turn.id).collect()
}

/// Sets a goal and waits for the end of its turn.
async fn pursue_to_the_end(d: &mut Daemon, params: ThreadGoalSetParams) -> TurnStatus {
    let turn = pursue(d, params).await;
    ended(d, &turn).await.status
}

/// What the server told the model of a goal, message by message.
fn of_the_goal(request: &Request) -> Vec<String> {
    let said = request.talk().into_iter();
    said.filter_map(|(role, text)| (role == "user" && text.contains("source=\"goal\"")).then_some(text))
        .collect()
}

#[tokio::test]
async fn a_goal_begins_a_turn_by_itself_behind_its_answer() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hello").await;
    let from = d.notes().len();
    home.model().script([say("shipped")]);
    assert_eq!(
        pursue_to_the_end(&mut d, with_budget(to_reach(&id, "ship <it>"), 900)).await,
        TurnStatus::Completed
    );
    let expected = ["client: Active 0", "active", "turn", "turn: Active 15", "idle", "end Completed"];
    assert_eq!(told(&d, from), expected);
    let request = home.model().last_request();
    let [goal] = &of_the_goal(&request)[..] else { panic!("{:?}", request.talk()) };
    assert!(
        goal.contains("<objective>\nship <it>\n</objective>") && goal.contains("0 of 900 tokens"),
        "{goal}"
    );
    // No person said it.
    let live = turns(&mut d, &id).await;
    assert_eq!(texts(&live), [vec!["hello", "Done"], vec!["shipped"]]);
    assert_eq!(turns(d.restart().await, &id).await, live);
}

#[tokio::test]
async fn without_more_to_say_it_rests_until_the_person_says_something_which_is_for_it_too() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    pursue_to_the_end(&mut d, to_reach(&id, "ship it")).await;
    let from = d.notes().len();
    turn(&mut d, &id, "and now").await;
    next(&mut d).await;
    let turn_of = |tokens| {
        ["active", "turn", &format!("turn: Active {tokens}"), "idle", "end Completed"].map(str::to_owned)
    };
    assert_eq!(told(&d, from), [turn_of(30), turn_of(45)].concat());
    assert_eq!((home.model().requests().len(), stands(get(&mut d, &id).await)), (3, (Status::Active, 45)));
}

#[tokio::test]
async fn a_turn_that_did_something_is_followed_by_another_one() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let plan = json!({ "plan": [{ "step": "all", "status": "completed" }] });
    home.model().script([call("c1", "update_plan", &plan), say("a step"), say("no more")]);
    pursue_to_the_end(&mut d, to_reach(&id, "ship it")).await;
    next(&mut d).await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["a step"], ["no more"]]);
    assert_eq!(home.model().requests().len(), 3);
}

#[tokio::test]
async fn a_thread_that_is_loaded_again_goes_on_and_one_that_is_loaded_does_not() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    pursue_to_the_end(&mut d, to_reach(&id, "ship it")).await;
    d.call::<ThreadResume>(of(&id)).await;
    d.restart().await.call::<ThreadResume>(of(&id)).await;
    next(&mut d).await;
    let expected =
        ["idle", "client: Active 15", "active", "turn", "turn: Active 30", "idle", "end Completed"];
    assert_eq!(told(&d, 0), expected);
    assert_eq!(home.model().requests().len(), 2);
}

#[tokio::test]
async fn only_an_active_goal_is_worked_on() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    set(&mut d, put_aside(&id, "ship it")).await;
    for status in [Status::Blocked, Status::UsageLimited, Status::BudgetLimited, Status::Complete] {
        set(&mut d, to_be(&id, status)).await;
    }
    assert_eq!(home.model().requests().len(), 0);
    assert_eq!(pursue_to_the_end(&mut d, to_be(&id, Status::Active)).await, TurnStatus::Completed);
    assert_eq!(home.model().requests().len(), 1);
}

#[tokio::test]
async fn what_is_put_aside_does_not_count() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    for (status, tokens) in
        [(Status::Paused, 0), (Status::Complete, 0), (Status::Blocked, 0), (Status::BudgetLimited, 15)]
    {
        set(&mut d, ThreadGoalSetParams { status: Some(status), ..to_reach(&id, "ship it") }).await;
        turn(&mut d, &id, "hello").await;
        assert_eq!(stands(get(&mut d, &id).await), (status, tokens));
    }
}

#[tokio::test]
async fn tokens_that_the_provider_had_cached_do_not_count() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let usage = json!({
        "input_tokens": 100,
        "input_tokens_details": { "cached_tokens": 60 },
        "output_tokens": 7,
        "output_tokens_details": { "reasoning_tokens": 3 },
        "total_tokens": 107,
    });
    let answer = [events::created(), events::message("m", "x"), events::completed_with(usage)];
    home.model().script([Answer::stream(answer)]);
    pursue_to_the_end(&mut d, to_reach(&id, "ship it")).await;
    assert_eq!(stands(get(&mut d, &id).await), (Status::Active, 47));
}

#[tokio::test]
async fn a_goal_that_is_set_during_a_turn_comes_next() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    d.note::<TurnStartedNotification>().await;
    set(&mut d, to_reach(&id, "one")).await;
    set(&mut d, to_reach(&id, "two")).await;
    gate.open();
    ended(&mut d, &running).await;
    let next = d.note::<TurnStartedNotification>().await.turn.id;
    assert_eq!(ended(&mut d, &next).await.status, TurnStatus::Completed);
    let [goal] = &of_the_goal(&home.model().last_request())[..] else { panic!("one message") };
    assert!(goal.contains("<objective>\ntwo\n"), "{goal}");
    set(&mut d, to_be(&id, Status::Paused)).await;
    turn(&mut d, &id, "bye").await;
    assert_eq!(
        texts(&turns(&mut d, &id).await),
        [vec!["slowly", "at last"], vec!["Done"], vec!["bye", "Done"]]
    );
}

#[tokio::test]
async fn words_of_the_person_join_its_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let gate = Gate::closed();
    home.model().script([slow(&gate)]);
    let running = pursue(&mut d, to_reach(&id, "ship it")).await;
    home.model().asked(1).await;
    assert_eq!(d.call::<TurnStart>(ask(&id, "and this")).await.turn.id, running);
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["at last", "and this", "Done"]]);
    assert_eq!(stands(get(&mut d, &id).await), (Status::Active, 30));
}

#[tokio::test]
async fn a_turn_that_is_stopped_leaves_the_goal_as_it_was() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let gate = Gate::closed();
    home.model().script([slow(&gate)]);
    let running = pursue(&mut d, to_reach(&id, "ship it")).await;
    home.model().asked(1).await;
    // Asked for once more: that is over with the turn, too.
    set(&mut d, to_be(&id, Status::Active)).await;
    d.call::<TurnInterrupt>(TurnInterruptParams { thread_id: id.clone(), turn_id: running.clone() }).await;
    assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Interrupted);
    assert_eq!(stands(get(&mut d, &id).await), (Status::Active, 0));
    set(&mut d, to_be(&id, Status::Paused)).await;
    turn(&mut d, &id, "hello").await;
    assert_eq!(home.model().requests().len(), 2);
    assert_eq!(pursue_to_the_end(&mut d, to_be(&id, Status::Active)).await, TurnStatus::Completed);
}

#[tokio::test]
async fn a_turn_that_failed_is_not_tried_again() {
    for (answer, status) in [
        (Answer::status(400, "no"), Status::Blocked),
        (
            Answer::status(429, r#"{"error":{"type":"usage_limit_reached","message":"later"}}"#),
            Status::UsageLimited,
        ),
    ] {
        let home = Home::new();
        let mut d = Daemon::start(&home).await;
        let id = start(&mut d).await;
        home.model().script([answer]);
        assert_eq!(pursue_to_the_end(&mut d, to_reach(&id, "ship it")).await, TurnStatus::Failed);
        d.note::<ErrorNotification>().await;
        let last = format!("turn: {status:?} 0");
        assert_eq!(told(&d, 0), ["client: Active 0", "active", "turn", &last, "error", "end Failed"]);
        assert_eq!(stands(get(d.restart().await, &id).await), (status, 0));
    }
}

#[tokio::test]
async fn a_budget_that_is_used_up_ends_the_work() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    pursue_to_the_end(&mut d, with_budget(to_reach(&id, "ship it"), 15)).await;
    assert_eq!(stands(get(&mut d, &id).await), (Status::BudgetLimited, 15));
    // It is not active again without a larger one.
    assert_eq!(set(&mut d, to_be(&id, Status::Active)).await.status, Status::BudgetLimited);
    assert_eq!(set(&mut d, with_budget(to_be(&id, Status::Active), 15)).await.status, Status::BudgetLimited);
    assert_eq!(home.model().requests().len(), 1);
    pursue_to_the_end(&mut d, with_budget(to_be(&id, Status::Active), 16)).await;
    assert_eq!(stands(get(&mut d, &id).await), (Status::BudgetLimited, 30));
}

#[tokio::test]
async fn a_model_that_goes_on_beyond_the_budget_is_told_so_once() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([call("c1", "no_such_tool", &json!({})), call("c2", "no_such_tool", &json!({}))]);
    pursue_to_the_end(&mut d, with_budget(to_reach(&id, "ship it"), 10)).await;
    let requests = home.model().requests();
    let counts: Vec<_> = requests.iter().map(|request| of_the_goal(request).len()).collect();
    assert_eq!(counts, [1, 2, 2]);
    assert!(of_the_goal(&requests[2])[1].contains("budget"), "{:?}", of_the_goal(&requests[2]));
    let expected = [
        "client: Active 0",
        "active",
        "turn",
        "turn: BudgetLimited 15",
        "turn: BudgetLimited 30",
        "turn: BudgetLimited 45",
        "idle",
        "end Completed",
    ];
    assert_eq!(told(&d, 0), expected);
}

#[tokio::test]
async fn its_turns_can_be_taken_back_and_the_model_forgets_them() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hello").await;
    pursue_to_the_end(&mut d, to_reach(&id, "ship it")).await;
    d.call::<ThreadRollback>(ThreadRollbackParams { thread_id: id.clone(), num_turns: 1 }).await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["hello", "Done"]]);
    set(&mut d, to_be(&id, Status::Paused)).await;
    turn(&mut d, &id, "on").await;
    let request = home.model().last_request();
    let said = request.words();
    assert_eq!(said, ["hello", "Done", "on"]);
}

#[tokio::test]
async fn a_turn_writes_its_numbers_and_not_the_objective_again() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let params = with_budget(to_reach(&id, &"long ".repeat(500)), 1000);
    assert_eq!(pursue_to_the_end(&mut d, params).await, TurnStatus::Completed);
    let lines = json_lines(home.root().join("skein/journal.jsonl"));
    let kinds: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["goal", "goal_spent"]);
    assert!(lines[1].to_string().len() < 250, "{}", lines[1]);
    assert_eq!(read(&mut d, &id).await.preview, "long ".repeat(500).trim());
}
