//! `thread/inject_items`: what the model is told and the thread does not show.

use pretty_assertions::assert_eq;
use protocol::{ThreadInjectItems, ThreadInjectItemsParams, ThreadResume};
use serde_json::{Value, json};
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::{UNKNOWN, begin_slow, ended, refused, start, talk, texts, turn, turns};

fn inject(thread: impl AsRef<str>, items: impl Into<Vec<Value>>) -> ThreadInjectItemsParams {
    ThreadInjectItemsParams { thread_id: thread.as_ref().into(), items: items.into() }
}

fn message(text: &str) -> Value {
    json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] })
}

#[tokio::test]
async fn the_model_knows_and_the_thread_does_not_show_it() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    let before = d.notes().len();
    let unknown = json!({ "type": "of_the_future", "x": [1, null] });
    d.call::<ThreadInjectItems>(inject(&id, [message("by the way"), unknown.clone()])).await;
    assert_eq!((texts(&turns(&mut d, &id).await), d.methods_from(before)), (vec![vec!["q1", "a1"]], vec![]));
    for restarted in [false, true] {
        if restarted {
            d.restart().await.call::<ThreadResume>(of(&id)).await;
        }
        turn(&mut d, &id, "q2").await;
        let request = home.model().last_request();
        let said: Vec<_> = request.words().into_iter().take(4).collect();
        assert_eq!(said, ["q1", "a1", "by the way", "q2"]);
        assert!(request.input().contains(&unknown), "{:#?}", request.input());
    }
    assert_eq!(texts(&turns(&mut d, &id).await), [["q1", "a1"], ["q2", "Done"], ["q2", "Done"]]);
}

#[tokio::test]
async fn it_may_come_before_the_first_message_and_during_a_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    d.call::<ThreadInjectItems>(inject(&id, [message("first of all")])).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    d.call::<ThreadInjectItems>(inject(&id, [message("meanwhile")])).await;
    gate.open();
    ended(&mut d, &running).await;
    turn(&mut d, &id, "q2").await;
    let request = home.model().last_request();
    let mut said = request.words();
    assert_eq!((said.remove(0).as_str(), said.pop().as_deref()), ("first of all", Some("q2")));
    said.sort();
    assert_eq!(said, ["at last", "meanwhile", "slowly"]);
}

#[tokio::test]
async fn what_cannot_be_injected_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    assert_eq!(refused(d.fail::<ThreadInjectItems>(inject(&id, [])).await), "items must not be empty");
    for (items, text) in [
        (vec![json!(5)], "items[0] is not a valid response item: "),
        (vec![message("good"), json!("bad")], "items[1] is not a valid response item: "),
    ] {
        let refusal = refused(d.fail::<ThreadInjectItems>(inject(&id, items)).await);
        assert!(refusal.starts_with(text), "{refusal}");
    }
    for unloaded in [UNKNOWN, &home.thread(0).id] {
        let refusal = refused(d.fail::<ThreadInjectItems>(inject(unloaded, [message("x")])).await);
        assert_eq!(refusal, format!("thread not found: {unloaded}"));
    }
    turn(&mut d, &id, "q").await;
    assert_eq!(home.model().last_request().talk(), [("user", "q".to_owned())]);
}
