//! What the model is asked: everything that was said, in a form that its provider can cache.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{ItemCompletedNotification, ThreadItem, TurnStart, TurnStartParams, TurnStatus, UserInput};
use serde_json::json;
use testkit::{Answer, Daemon, Home, Note, ask, events, json_lines};

use crate::steps::{ended, read, start, talk, turn, turns};

#[tokio::test]
async fn what_was_sent_before_comes_again_as_it_was() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1"), ("q2", "a2"), ("q3", "a3")]).await;
    let requests = home.model().requests();
    let body = &requests[0].body;
    assert_eq!(
        (&body["model"], &body["stream"], &body["store"]),
        (&json!("mock-model"), &json!(true), &json!(false))
    );
    assert_eq!((&body["prompt_cache_key"], &body["tool_choice"]), (&json!(id), &json!("auto")));
    assert!(body["instructions"].as_str().unwrap().len() > 100 && body.get("previous_response_id").is_none());
    for pair in requests.windows(2) {
        assert_eq!(pair[1].input()[..pair[0].input().len()], *pair[0].input());
        assert_eq!(pair[0].body["instructions"], pair[1].body["instructions"]);
    }
    let said: Vec<_> = requests[2].talk().into_iter().map(|(role, text)| format!("{role}: {text}")).collect();
    assert_eq!(said, ["user: q1", "assistant: a1", "user: q2", "assistant: a2", "user: q3"]);
}

#[tokio::test]
async fn an_image_that_cannot_be_read_is_named_and_the_turn_goes_on() {
    let home = Home::new();
    let text = home.work().join("no-image.png");
    fs::write(&text, "hello").unwrap();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    for path in ["/nowhere/i.png", text.to_str().unwrap()] {
        let input = vec![UserInput::LocalImage { path: path.into(), detail: None }];
        let begun = d.call::<TurnStart>(TurnStartParams { input, ..ask(&id, "") }).await.turn.id;
        assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
        let request = home.model().last_request();
        let told = request.said().into_iter().any(|(role, text)| role == "user" && text.contains(path));
        assert!(told, "{:?}", request.said());
    }
}

#[tokio::test]
async fn the_clients_own_id_of_a_message_comes_back() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let params = TurnStartParams { client_user_message_id: Some("mine".into()), ..ask(&id, "hi") };
    let begun = d.call::<TurnStart>(params).await.turn.id;
    ended(&mut d, &begun).await;
    let live = d.notes().into_iter().find_map(ItemCompletedNotification::take).unwrap().item;
    let stored = turns(d.restart().await, &id).await;
    for item in [&live, &stored[0].items[0]] {
        assert!(
            matches!(item, ThreadItem::UserMessage { client_id: Some(id), .. } if id == "mine"),
            "{item:?}"
        );
    }
}

#[tokio::test]
async fn an_empty_answer_and_events_of_the_future_complete_the_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let future = json!({ "type": "response.of_the_future", "x": 1 });
    home.model().script([
        Answer::stream([events::created(), future.clone(), events::delta("of no item"), events::completed()]),
        Answer::stream([future]).text(": a comment\n\ndata: not json\n\n").then([events::completed()]),
    ]);
    for number in [0, 1] {
        turn(&mut d, &id, "hi").await;
        assert_eq!(turns(&mut d, &id).await[number].items.len(), 1, "the message of the person alone");
    }
}

#[tokio::test]
async fn items_that_nobody_knows_are_kept_for_the_model_as_they_were() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let unknown = json!({ "type": "of_the_future", "id": "f-1", "payload": { "x": [1, null, "\u{0}"] } });
    home.model().script([Answer::stream([
        events::created(),
        events::done(unknown.clone()),
        events::completed(),
    ])]);
    turn(&mut d, &id, "hi").await;
    turn(&mut d, &id, "again").await;
    assert!(home.model().last_request().input().contains(&unknown));
    let lines = json_lines(read(&mut d, &id).await.path.unwrap());
    assert!(lines.iter().any(|line| line["payload"] == unknown), "{lines:#?}");
}
