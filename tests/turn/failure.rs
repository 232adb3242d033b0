//! Turns that fail: what the client is told, what is kept, and how the thread goes on.

use pretty_assertions::assert_eq;
use protocol::{
    CodexErrorInfo, ErrorNotification, ItemStartedNotification, ThreadOverrides, ThreadStart,
    ThreadStartParams, ThreadStartedNotification, ThreadStatus, Turn, TurnStart, TurnStatus,
};
use testkit::{Answer, Daemon, Gate, Home, ask, events, say};

use crate::steps::{ended, read, start, texts, turn, turns};

/// Runs a turn that fails for good, and returns it with what was told before its end.
async fn failing(d: &mut Daemon, thread: &str) -> (Turn, ErrorNotification) {
    let turn = d.call::<TurnStart>(ask(thread, "hi")).await.turn.id;
    failed(d, &turn).await
}

/// Waits for a turn to fail for good.
async fn failed(d: &mut Daemon, turn: &str) -> (Turn, ErrorNotification) {
    let ended = ended(d, turn).await;
    let told = d.note_where::<ErrorNotification>(|note| note.turn_id == turn && !note.will_retry).await;
    assert_eq!((ended.status, ended.error.as_ref()), (TurnStatus::Failed, Some(&told.error)));
    (ended, told)
}

/// A home with a second provider, whose broken streams are asked for again.
fn home_with_patience(retries: u32) -> Home {
    let home = Home::new();
    let url = home.model().url();
    let tables = format!(
        "[model_providers.patient]\nname = \"Patient\"\nbase_url = \"{url}\"\nwire_api = \"responses\"\n\
         request_max_retries = 0\nstream_max_retries = {retries}"
    );
    home.with_tables(&tables)
}

async fn start_patient(d: &mut Daemon) -> String {
    let overrides = ThreadOverrides { model_provider: Some("patient".into()), ..ThreadOverrides::default() };
    d.call::<ThreadStart>(ThreadStartParams { overrides, ..ThreadStartParams::default() }).await.thread.id
}

#[tokio::test]
async fn the_error_comes_before_the_end_and_reads_back_after_a_restart() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    d.note::<ThreadStartedNotification>().await;
    home.model().script([Answer::status(400, "that is no request")]);
    let (failed, told) = failing(&mut d, &id).await;
    assert_eq!(told.error.message, "that is no request");
    assert_eq!(told.error.codex_error_info, Some(CodexErrorInfo::Other));
    let expected = [
        "thread/status/changed",
        "turn/started",
        "item/started",
        "item/completed",
        "error",
        "thread/status/changed",
        "turn/completed",
    ];
    assert_eq!(d.methods_from(1), expected);
    assert_eq!(read(&mut d, &id).await.status, ThreadStatus::SystemError);
    let d = d.restart().await;
    let stored = turns(d, &id).await.remove(0);
    assert_eq!((&stored.id, stored.status, &stored.error), (&failed.id, TurnStatus::Failed, &failed.error));
}

#[tokio::test]
async fn each_cause_has_its_kind() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let broken = |event| Answer::stream([events::created(), event]);
    for (answer, kind) in [
        (Answer::status(500, ""), CodexErrorInfo::InternalServerError),
        (
            Answer::status(429, ""),
            CodexErrorInfo::ResponseTooManyFailedAttempts { http_status_code: Some(429) },
        ),
        (
            broken(events::failed("context_length_exceeded", "too long")),
            CodexErrorInfo::ContextWindowExceeded,
        ),
        (broken(events::failed("insufficient_quota", "spent")), CodexErrorInfo::UsageLimitExceeded),
        (broken(events::failed("server_is_overloaded", "busy")), CodexErrorInfo::ServerOverloaded),
        (broken(events::failed("invalid_prompt", "no")), CodexErrorInfo::Other),
        (broken(events::incomplete("max_output_tokens")), CodexErrorInfo::Other),
    ] {
        let what = format!("{answer:?}");
        home.model().script([answer]);
        assert_eq!(failing(&mut d, &id).await.1.error.codex_error_info, Some(kind), "{what}");
    }
}

#[tokio::test]
async fn the_next_turn_goes_on_with_what_was_said() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([Answer::status(400, "no"), say("better")]);
    failing(&mut d, &id).await;
    turn(&mut d, &id, "again").await;
    let heard = home.model().last_request();
    assert_eq!(heard.talk(), [("user", "hi".to_owned()), ("user", "again".to_owned())]);
    assert_eq!(read(&mut d, &id).await.status, ThreadStatus::Idle);
    assert_eq!(texts(&turns(&mut d, &id).await), [vec!["hi"], vec!["again", "better"]]);
}

#[tokio::test]
async fn a_cut_stream_fails_the_turn_and_keeps_what_was_whole() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let whole = [events::created(), events::message("m", "this much"), events::message_added("n")];
    let gate = Gate::closed();
    home.model().script([Answer::stream(whole).wait(&gate).cut()]);
    let turn = d.call::<TurnStart>(ask(&id, "hi")).await.turn.id;
    // Once it has begun, so that it is the stream that breaks and not the request.
    d.note_where::<ItemStartedNotification>(|note| note.item.id() == "n").await;
    gate.open();
    let (_, told) = failed(&mut d, &turn).await;
    assert!(told.error.message.starts_with("stream disconnected before completion"), "{told:?}");
    assert_eq!(texts(&turns(d.restart().await, &id).await), [["hi", "this much"]]);
}

#[tokio::test]
async fn a_stream_that_ends_early_is_asked_for_again_and_the_client_is_told() {
    let home = home_with_patience(2);
    let mut d = Daemon::start(&home).await;
    let id = start_patient(&mut d).await;
    home.model().script([
        Answer::stream([events::created()]),
        Answer::stream([events::created(), events::message_added("m"), events::delta("hal")]),
        say("whole"),
    ]);
    turn(&mut d, &id, "hi").await;
    for attempt in ["Reconnecting... 1/2", "Reconnecting... 2/2"] {
        let told = d.note::<ErrorNotification>().await;
        assert_eq!((told.will_retry, told.error.message.as_str()), (true, attempt));
        let info = CodexErrorInfo::ResponseStreamDisconnected { http_status_code: None };
        assert_eq!(told.error.codex_error_info, Some(info));
        assert!(told.error.additional_details.is_some(), "{told:?}");
    }
    assert_eq!(home.model().requests().len(), 3);
    assert_eq!(texts(&turns(&mut d, &id).await), [["hi", "whole"]]);
    assert_eq!(read(&mut d, &id).await.status, ThreadStatus::Idle);
}

#[tokio::test]
async fn retries_come_to_an_end() {
    let home = home_with_patience(1);
    let mut d = Daemon::start(&home).await;
    let id = start_patient(&mut d).await;
    let broken = || Answer::stream([events::created()]);
    home.model().script([broken(), broken()]);
    failing(&mut d, &id).await;
    assert!(d.note::<ErrorNotification>().await.will_retry);
    assert_eq!(home.model().requests().len(), 2);
}
