//! `turn/interrupt`: stops a turn; what was said by then stays.

use pretty_assertions::assert_eq;
use protocol::{
    ItemStartedNotification, SandboxMode, ThreadStatus, TurnInterrupt, TurnInterruptParams, TurnStart,
    TurnStartedNotification, TurnStatus, TurnSteer, TurnSteerParams,
};
use serde_json::json;
use testkit::{Answer, Daemon, Gate, Home, ask, call, say};

use crate::steps::{UNKNOWN, begin_slow, ended, read, refused, start, start_in, texts, turn, turns};

fn interrupt(thread: &str, turn: &str) -> TurnInterruptParams {
    TurnInterruptParams { thread_id: thread.into(), turn_id: turn.into() }
}

#[tokio::test]
async fn the_turn_ends_interrupted_and_its_words_so_far_stay() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, _gate) = begin_slow(&home, &mut d, &id, "hi").await;
    d.call::<TurnInterrupt>(interrupt(&id, &running)).await;
    let end = ended(&mut d, &running).await;
    assert_eq!((end.status, end.error), (TurnStatus::Interrupted, None));
    assert_eq!(read(&mut d, &id).await.status, ThreadStatus::Idle);
    let live = turns(&mut d, &id).await;
    assert_eq!((live[0].status, texts(&live)), (TurnStatus::Interrupted, vec![vec!["hi", "at "]]));
    assert_eq!(turns(d.restart().await, &id).await, live);
}

#[tokio::test]
async fn the_next_turn_tells_the_model_that_it_was_stopped() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, _gate) = begin_slow(&home, &mut d, &id, "hi").await;
    d.call::<TurnInterrupt>(interrupt(&id, &running)).await;
    ended(&mut d, &running).await;
    turn(&mut d, &id, "go on").await;
    let request = home.model().last_request();
    let heard = request.talk();
    let [said, partial, note, next] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((said, partial), (&("user", "hi".to_owned()), &("assistant", "at ".to_owned())));
    assert!(note.0 == "user" && note.1.starts_with("<turn_aborted>"), "{note:?}");
    assert_eq!(next, &("user", "go on".to_owned()));
    // It is for the model: no person said it.
    assert_eq!(texts(&turns(&mut d, &id).await), [["hi", "at "], ["go on", "Done"]]);
}

#[tokio::test]
async fn a_turn_that_still_waits_for_the_model_can_be_stopped() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let gate = Gate::closed();
    home.model().script([Answer::stream([]).wait(&gate)]);
    let running = d.call::<TurnStart>(ask(&id, "hi")).await.turn.id;
    home.model().asked(1).await;
    d.call::<TurnInterrupt>(interrupt(&id, &running)).await;
    assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Interrupted);
    assert_eq!(texts(&turns(&mut d, &id).await), [["hi"]]);
}

#[tokio::test]
async fn a_turn_that_still_waits_for_its_servers_can_be_stopped() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", silent.local_addr().unwrap());
    let home = Home::new().with_tables(&format!("[mcp_servers.silent]\nurl = \"{url}\""));
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let running = d.call::<TurnStart>(ask(&id, "hi")).await.turn.id;
    d.note::<TurnStartedNotification>().await;
    d.call::<TurnInterrupt>(interrupt(&id, &running)).await;
    assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Interrupted);
    assert_eq!(texts(&turns(&mut d, &id).await), [["hi"]]);
}

#[tokio::test]
async fn another_turn_is_not_stopped() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "hi").await;
    let message = refused(d.fail::<TurnInterrupt>(interrupt(&id, UNKNOWN)).await);
    assert_eq!(message, format!("expected active turn id `{UNKNOWN}` but found `{running}`"));
    gate.open();
    assert_eq!(ended(&mut d, &running).await.status, TurnStatus::Completed);
    let message = refused(d.fail::<TurnInterrupt>(interrupt(&id, &running)).await);
    assert_eq!(message, "no active turn to interrupt");
    let message = refused(d.fail::<TurnInterrupt>(interrupt(UNKNOWN, &running)).await);
    assert_eq!(message, format!("thread not found: {UNKNOWN}"));
}

#[tokio::test]
async fn words_that_were_to_join_are_not_lost() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, _gate) = begin_slow(&home, &mut d, &id, "hi").await;
    let params = TurnSteerParams {
        thread_id: id.clone(),
        expected_turn_id: running.clone(),
        input: ask(&id, "and this").input,
        ..TurnSteerParams::default()
    };
    d.call::<TurnSteer>(params).await;
    d.call::<TurnInterrupt>(interrupt(&id, &running)).await;
    ended(&mut d, &running).await;
    turn(&mut d, &id, "go on").await;
    let request = home.model().last_request();
    assert!(request.talk().contains(&("user", "and this".to_owned())), "{:?}", request.talk());
    assert_eq!(texts(&turns(&mut d, &id).await)[0], ["hi", "at ", "and this"]);
}

#[tokio::test]
async fn what_is_said_behind_an_interrupt_is_a_turn_of_its_own() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start_in(&home, &mut d, SandboxMode::DangerFullAccess).await;
    // It takes the two seconds that it is given.
    let command = json!({ "cmd": "trap '' TERM; touch began; while :; do sleep 0.1; done" });
    home.model().script([call("c", "exec_command", &command), say("heard")]);
    let running = d.call::<TurnStart>(ask(&id, "hi")).await.turn.id;
    d.note_where::<ItemStartedNotification>(|note| note.item.id() == "c").await;
    d.call::<TurnInterrupt>(interrupt(&id, "")).await;
    d.call::<TurnInterrupt>(interrupt(&id, &running)).await;
    let steer = TurnSteerParams {
        thread_id: id.clone(),
        expected_turn_id: running.clone(),
        input: ask(&id, "and this").input,
        ..TurnSteerParams::default()
    };
    assert_eq!(refused(d.fail::<TurnSteer>(steer).await), "no active turn to steer");
    let next = d.call::<TurnStart>(ask(&id, "go on")).await.turn.id;
    assert_ne!(next, running);
    assert_eq!(ended(&mut d, &next).await.status, TurnStatus::Completed);
    d.call::<TurnInterrupt>(interrupt(&id, &running)).await;
    assert_eq!(texts(&turns(&mut d, &id).await)[1], ["go on", "heard"]);
}
