//! `turn/start`: what is told of a turn, and what of it the model hears.

use std::{collections::HashSet, fs};

use pretty_assertions::assert_eq;
use protocol::{
    AgentMessageDeltaNotification, AskForApproval, ItemCompletedNotification, ItemStartedNotification,
    ReasoningSummaryTextDeltaNotification, ReasoningTextDeltaNotification, ThreadItem, ThreadResume,
    ThreadStartedNotification, ThreadTokenUsageUpdatedNotification, TurnCompletedNotification, TurnItemsView,
    TurnStart, TurnStartParams, TurnStartedNotification, TurnStatus, UserInput,
};
use serde_json::{Value, json};
use testkit::{Answer, Daemon, Gate, Home, ask, events, of, say};

use crate::steps::{UNKNOWN, begin_slow, ended, refused, slow, start, texts, turn, turns};

fn text(text: &str) -> UserInput {
    UserInput::Text { text: text.into(), text_elements: Vec::new() }
}

fn inputs(thread: &str, input: Vec<UserInput>) -> TurnStartParams {
    TurnStartParams { input, ..ask(thread, "") }
}

#[tokio::test]
async fn a_turn_is_told_step_by_step() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    d.note::<ThreadStartedNotification>().await;
    let answer = Answer::stream([events::created(), events::message_added("m"), events::delta("one ")]);
    let rest = [events::delta("two"), events::message("m", "one two"), events::completed()];
    home.model().script([answer.then(rest)]);
    let answered = d.call::<TurnStart>(ask(&id, "hi")).await.turn;
    assert_eq!((answered.status, answered.items.len(), &answered.error), (TurnStatus::InProgress, 0, &None));
    let last = ended(&mut d, &answered.id).await;
    let told = [
        "thread/status/changed",
        "turn/started",
        "item/started",
        "item/completed",
        "item/started",
        "item/agentMessage/delta",
        "item/agentMessage/delta",
        "item/completed",
        "thread/tokenUsage/updated",
        "thread/status/changed",
        "turn/completed",
    ];
    // What the account may still use is no part of the turn, and is told whenever it is heard of.
    let mut heard = d.methods_from(1);
    heard.retain(|method| *method != "account/rateLimits/updated");
    assert_eq!(heard, told);
    let started = d.note::<TurnStartedNotification>().await;
    assert_eq!((started.thread_id, &started.turn.id), (id, &answered.id));
    assert_eq!((started.turn.status, started.turn.started_at), (TurnStatus::InProgress, last.started_at));
    assert!(last.completed_at >= last.started_at && last.duration_ms.is_some_and(|took| took >= 0));
    assert_eq!(
        (last.status, last.items_view, last.items.len()),
        (TurnStatus::Completed, TurnItemsView::Summary, 1)
    );
}

#[tokio::test]
async fn a_message_streams_under_the_id_that_it_is_read_under_later() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let answer = Answer::stream([events::created(), events::message_added("m-1"), events::delta("one ")]);
    let rest = [events::delta("two"), events::message("m-1", "one two"), events::completed()];
    home.model().script([answer.then(rest)]);
    turn(&mut d, &id, "hi").await;
    let (first, second) =
        (d.note::<AgentMessageDeltaNotification>().await, d.note::<AgentMessageDeltaNotification>().await);
    assert_eq!((first.delta.as_str(), second.delta.as_str()), ("one ", "two"));
    assert_eq!((first.item_id.as_str(), &second.item_id), ("m-1", &first.item_id));
    let begun = d.note_where::<ItemStartedNotification>(|note| note.item.id() == "m-1").await.item;
    assert!(matches!(&begun, ThreadItem::AgentMessage { text, .. } if text.is_empty()), "{begun:?}");
    let said = d.note::<ItemCompletedNotification>().await.item;
    let answer = d.note::<ItemCompletedNotification>().await.item;
    assert!(matches!(&answer, ThreadItem::AgentMessage { text, .. } if text == "one two"), "{answer:?}");
    let live = vec![said, answer];
    assert_eq!(turns(&mut d, &id).await[0].items, live);
    assert_eq!(turns(d.restart().await, &id).await[0].items, live);
}

#[tokio::test]
async fn reasoning_streams_and_is_kept() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([Answer::stream([
        events::created(),
        events::reasoning_added("r"),
        events::summary_part(0),
        events::summary_delta(0, "weighing "),
        events::summary_delta(0, "it"),
        events::reasoning_delta("raw"),
        events::reasoning("r", &["weighing it"], &["raw"]),
        events::message("m", "done"),
        events::completed(),
    ])]);
    turn(&mut d, &id, "hi").await;
    let first = d.note::<ReasoningSummaryTextDeltaNotification>().await;
    let second = d.note::<ReasoningSummaryTextDeltaNotification>().await;
    assert_eq!((first.delta + &second.delta, first.summary_index), ("weighing it".into(), 0));
    assert_eq!(first.item_id, "r");
    let raw = d.note::<ReasoningTextDeltaNotification>().await;
    assert_eq!((raw.delta.as_str(), raw.content_index, raw.item_id.as_str()), ("raw", 0, "r"));
    let expected = ThreadItem::Reasoning {
        id: "r".into(),
        summary: vec!["weighing it".into()],
        content: vec!["raw".into()],
    };
    let told = d.note_where::<ItemCompletedNotification>(|note| note.item.id() == "r").await.item;
    assert_eq!(told, expected);
    assert_eq!(turns(d.restart().await, &id).await[0].items[1], expected);
}

#[tokio::test]
async fn token_counts_add_up_over_the_thread() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "one").await;
    turn(&mut d, &id, "two").await;
    let first = d.note::<ThreadTokenUsageUpdatedNotification>().await.token_usage;
    let second = d.note::<ThreadTokenUsageUpdatedNotification>().await.token_usage;
    assert_eq!((first.last.total_tokens, first.total.total_tokens), (15, 15));
    assert_eq!((second.last.total_tokens, second.total.total_tokens), (15, 30));
    assert_eq!((second.total.input_tokens, second.total.output_tokens), (20, 10));
    assert_eq!(second.model_context_window, Some(258_400));
}

#[tokio::test]
async fn several_inputs_are_one_message_in_their_order() {
    let home = Home::new();
    let image = home.work().join("dot.png");
    fs::write(&image, b"\x89PNG\r\n\x1a\n").unwrap();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let data = "data:image/png;base64,AAAA";
    let input = vec![
        text("before"),
        UserInput::Image { url: data.into(), detail: None },
        UserInput::LocalImage { path: image.display().to_string(), detail: None },
        UserInput::LocalImage { path: "/none/there.png".into(), detail: None },
        text("after"),
    ];
    let turn = d.call::<TurnStart>(inputs(&id, input.clone())).await.turn.id;
    ended(&mut d, &turn).await;
    let shown = d.note::<ItemCompletedNotification>().await.item;
    assert!(matches!(&shown, ThreadItem::UserMessage { content, .. } if *content == input), "{shown:?}");
    let request = home.model().last_request();
    let parts = request.input().last().unwrap()["content"].as_array().unwrap();
    let kinds: Vec<_> = parts.iter().map(|part| part["type"].as_str().unwrap()).collect();
    let (words, picture) = ("input_text", "input_image");
    assert_eq!(kinds, [words, picture, words, picture, words, words, words]);
    assert_eq!((&parts[0]["text"], &parts[1]["image_url"]), (&json!("before"), &json!(data)));
    assert_eq!(parts[3]["image_url"], "data:image/png;base64,iVBORw0KGgo=");
    let missing = parts[5]["text"].as_str().unwrap();
    assert!(missing.contains("/none/there.png") && missing.contains("No such file"), "{missing}");
    assert_eq!(parts[6]["text"], "after");
    assert_eq!(turns(d.restart().await, &id).await[0].items[0], shown);
}

#[tokio::test]
async fn an_empty_input_is_a_turn_without_words_of_the_person() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([say("still here")]);
    let turn = d.call::<TurnStart>(inputs(&id, Vec::new())).await.turn.id;
    assert_eq!(ended(&mut d, &turn).await.status, TurnStatus::Completed);
    assert_eq!(texts(&turns(&mut d, &id).await), [["still here"]]);
    assert_eq!(home.model().last_request().talk(), []);
}

#[tokio::test]
async fn an_input_may_be_as_long_as_the_limit_and_no_longer() {
    const LIMIT: usize = 1 << 20;
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    d.note::<ThreadStartedNotification>().await;
    // Characters count, not bytes, over all texts.
    let params = inputs(&id, vec![text(&"ä".repeat(LIMIT)), text("b")]);
    let error = d.fail::<TurnStart>(params).await;
    assert_eq!(
        (error.code, error.message.as_str()),
        (-32602, "Input exceeds the maximum length of 1048576 characters.")
    );
    let data =
        json!({ "input_error_code": "input_too_large", "max_chars": LIMIT, "actual_chars": LIMIT + 1 });
    assert_eq!(error.data, Some(data));
    assert_eq!((d.methods_from(1), home.model().requests().len()), (vec![], 0));
    turn(&mut d, &id, &["ä", "x"].map(|one| one.repeat(LIMIT / 2)).concat()).await;
}

#[tokio::test]
async fn a_thread_that_is_not_there_is_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    assert_eq!(
        refused(d.fail::<TurnStart>(ask(UNKNOWN, "hi")).await),
        format!("thread not found: {UNKNOWN}")
    );
    let malformed = refused(d.fail::<TurnStart>(ask("nonsense", "hi")).await);
    assert!(malformed.starts_with("invalid thread id: "), "{malformed}");
    for params in [
        json!({ "threadId": UNKNOWN }),
        json!({ "threadId": UNKNOWN, "input": "hi" }),
        json!({ "threadId": UNKNOWN, "input": [{ "type": "hologram" }] }),
    ] {
        let message = refused(d.fail_raw("turn/start", params).await);
        assert!(message.starts_with("Invalid request: "), "{message}");
    }
}

#[tokio::test]
async fn overrides_hold_for_later_turns() {
    let home = Home::new();
    let elsewhere = home.work().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let config = fs::read_to_string(home.root().join("config.toml")).unwrap();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "one").await;
    let params = TurnStartParams {
        model: Some("another".into()),
        cwd: Some(elsewhere.display().to_string()),
        approval_policy: Some(AskForApproval::OnRequest),
        ..ask(&id, "two")
    };
    let second = d.call::<TurnStart>(params).await.turn.id;
    ended(&mut d, &second).await;
    turn(&mut d, &id, "three").await;
    let asked = home.model().requests();
    let models: Vec<_> = asked.iter().map(|request| request.body["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["mock-model", "another", "another"]);
    // What changed is told once, in front of the words of the turn that changed it.
    let place = format!("<cwd>{}</cwd>", elsewhere.display());
    let told = |request: &testkit::Request, what: &str| {
        request.said().iter().filter(|(_, text)| text.contains(what)).count()
    };
    let counts: Vec<_> = asked.iter().map(|one| (told(one, &place), told(one, "`on-request`"))).collect();
    assert_eq!(counts, [(0, 0), (1, 1), (1, 1)]);
    // What the model has heard is never told differently: providers cache by it.
    for pair in asked.windows(2) {
        assert_eq!(pair[1].input()[..pair[0].input().len()], *pair[0].input());
    }
    assert_eq!(fs::read_to_string(home.root().join("config.toml")).unwrap(), config);
}

#[tokio::test]
async fn an_output_schema_is_for_one_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
    let params = TurnStartParams { output_schema: Some(schema.clone()), ..ask(&id, "one") };
    let first = d.call::<TurnStart>(params).await.turn.id;
    ended(&mut d, &first).await;
    turn(&mut d, &id, "two").await;
    let asked = home.model().requests();
    let format = &asked[0].body["text"]["format"];
    assert_eq!((&format["type"], &format["schema"]), (&json!("json_schema"), &schema));
    assert_eq!((&format["strict"], &asked[1].body["text"]["format"]), (&json!(true), &json!(null)));
}

#[tokio::test]
async fn a_call_of_an_unknown_tool_is_answered_to_the_model() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let call = events::function_call("call-1", "levitate", &json!({ "height": 3 }));
    home.model().script([Answer::stream([events::created(), call, events::completed()]), say("then not")]);
    turn(&mut d, &id, "fly").await;
    let request = home.model().asked(2).await;
    let output = request.input().last().unwrap();
    assert_eq!((&output["type"], &output["call_id"]), (&json!("function_call_output"), &json!("call-1")));
    assert_eq!(output["output"], "unsupported call: levitate");
    assert_eq!(texts(&turns(&mut d, &id).await), [["fly", "then not"]]);
}

#[tokio::test]
async fn calls_without_an_id_or_with_the_same_one_are_answered_one_by_one() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let call = |fields: Value| {
        let mut call = json!({ "type": "function_call", "name": "levitate", "arguments": "{}" });
        call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        events::done(call)
    };
    let calls = [
        call(json!({ "arguments": { "height": 3 } })),
        call(json!({ "call_id": "" })),
        call(json!({ "call_id": "same" })),
        call(json!({ "call_id": "same", "arguments": null })),
    ];
    let response = [vec![events::created()], calls.into(), vec![events::completed()]].concat();
    let again = call(json!({ "call_id": "same" }));
    let again = Answer::stream([events::created(), again, events::completed()]);
    home.model().script([Answer::stream(response), again, say("no")]);
    turn(&mut d, &id, "fly").await;
    let request = home.model().last_request();
    let ids = |kind: &str| -> Vec<_> {
        let of_kind = request.input().iter().filter(|item| item["type"] == kind);
        of_kind.map(|item| item["call_id"].as_str().unwrap()).collect()
    };
    let (called, answered) = (ids("function_call"), ids("function_call_output"));
    let distinct: HashSet<_> = called.iter().filter(|id| !id.is_empty()).collect();
    assert_eq!((called.len(), distinct.len()), (5, 5), "{called:?}");
    assert_eq!(called, answered);
    let texts = request.input().iter().filter(|item| item["type"] == "function_call");
    let texts: Vec<_> = texts.map(|item| item["arguments"].as_str().unwrap()).collect();
    assert_eq!(texts, [r#"{"height":3}"#, "{}", "{}", "{}", "{}"]);
}

#[tokio::test]
async fn words_for_a_thread_whose_turn_runs_join_that_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "one").await;
    home.model().script([say("to both")]);
    let joined = d.call::<TurnStart>(ask(&id, "two")).await.turn;
    assert_eq!((joined.id, joined.status), (running.clone(), TurnStatus::InProgress));
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["one", "at last", "two", "to both"]]);
    let said = home.model().last_request();
    let said = said.words();
    assert_eq!(said, ["one", "at last", "two"]);
    let started = d.notes().iter().filter(|note| note.method() == "turn/started").count();
    assert_eq!(started, 1);
}

#[tokio::test]
async fn turns_of_several_threads_do_not_mix() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let mut running = Vec::new();
    for name in ["a", "b", "c"] {
        let id = start(&mut d).await;
        let gate = Gate::closed();
        home.model().script([slow(&gate)]);
        let turn = d.call::<TurnStart>(ask(&id, name)).await.turn.id;
        d.note_where::<AgentMessageDeltaNotification>(|delta| delta.turn_id == turn).await;
        running.push((name, id, turn, gate));
    }
    // They end in another order than they began in.
    for (name, id, turn, gate) in running.iter().rev() {
        gate.open();
        let note = d.note::<TurnCompletedNotification>().await;
        assert_eq!((&note.thread_id, &note.turn.id), (id, turn));
        assert_eq!(texts(&turns(&mut d, id).await), [[name, "at last"]]);
    }
    for request in home.model().requests() {
        assert_eq!(request.talk().len(), 1, "{:?}", request.talk());
    }
}

#[tokio::test]
async fn what_is_sent_again_under_its_id_is_answered_alike_and_done_once() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let named =
        |text: &str| TurnStartParams { client_user_message_id: Some("mine".into()), ..ask(&id, text) };
    let gate = Gate::closed();
    home.model().script([slow(&gate)]);
    let answered = d.call::<TurnStart>(named("hi")).await.turn;
    assert_eq!(d.call::<TurnStart>(named("hi")).await.turn, answered);
    gate.open();
    ended(&mut d, &answered.id).await;
    assert_eq!(d.call::<TurnStart>(named("hi")).await.turn, answered);
    d.restart().await.call::<ThreadResume>(of(&id)).await;
    assert_eq!(d.call::<TurnStart>(named("hi")).await.turn, answered);
    turn(&mut d, &id, "hi").await;
    assert_eq!(texts(&turns(&mut d, &id).await), [["hi", "at last"], ["hi", "Done"]]);
    assert_eq!(home.model().requests().len(), 2);
}
