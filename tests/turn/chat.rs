//! Turns with a provider that speaks Chat Completions.

use pretty_assertions::assert_eq;
use protocol::{
    AgentMessageDeltaNotification, ErrorNotification, ReasoningTextDeltaNotification, ThreadItem,
    ThreadTokenUsageUpdatedNotification, TurnStart, TurnStatus,
};
use serde_json::{Value, json};
use testkit::{Answer, Home, Launch, Note, ask};

use crate::steps::{ended, start, turn, turns};

/// Makes the provider of the config one that speaks Chat Completions.
const CHAT: &str = "model_providers.mock_provider.wire_api=\"chat\"";

/// Answers with pieces of a response.
fn pieces(choices: impl IntoIterator<Item = Value>) -> Answer {
    let chunk =
        |choice| json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice] });
    Answer::stream(choices.into_iter().map(chunk))
}

fn delta(delta: Value) -> Value {
    json!({ "index": 0, "delta": delta, "finish_reason": null })
}

fn end(reason: &str) -> Value {
    json!({ "index": 0, "delta": {}, "finish_reason": reason })
}

fn counted(input: u32, output: u32) -> Value {
    let usage =
        json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
    json!({ "id": "chatcmpl-1", "choices": [], "usage": usage })
}

fn call(index: usize, id: &str, arguments: &str) -> Value {
    let function = json!({ "name": "no_such_tool", "arguments": arguments });
    delta(json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": function }] }))
}

#[tokio::test]
async fn a_turn_with_thoughts_calls_and_an_answer_runs_to_its_end() {
    let home = Home::new();
    let mut d = Launch::on(&home).args(["-c", CHAT, "app-server"]).start().await;
    let id = start(&mut d).await;
    home.model().script([
        pieces([
            delta(json!({ "reasoning_content": "hm" })),
            call(0, "c1", "{}"),
            call(1, "c2", ""),
            end("tool_calls"),
        ])
        .then([counted(10, 5)])
        .text("data: [DONE]\n\n"),
        pieces([delta(json!({ "content": "All" })), delta(json!({ "content": " done" })), end("stop")])
            .then([counted(20, 2)])
            .text("data: [DONE]\n\n"),
    ]);
    turn(&mut d, &id, "hi").await;

    let said: String =
        d.notes().into_iter().filter_map(AgentMessageDeltaNotification::take).map(|n| n.delta).collect();
    let thought: String =
        d.notes().into_iter().filter_map(ReasoningTextDeltaNotification::take).map(|n| n.delta).collect();
    assert_eq!((said.as_str(), thought.as_str()), ("All done", "hm"));
    let usage =
        d.notes().into_iter().filter_map(ThreadTokenUsageUpdatedNotification::take).next_back().unwrap();
    assert_eq!((usage.token_usage.total.total_tokens, usage.token_usage.last.input_tokens), (37, 20));

    let request = home.model().last_request();
    assert_eq!(request.path, "/v1/chat/completions");
    let messages = request.body["messages"].as_array().unwrap();
    assert_eq!((&messages[0]["role"], &messages[1]["role"]), (&json!("system"), &json!("user")));
    let function = json!({ "name": "no_such_tool", "arguments": "{}" });
    let call = |id: &str| json!({ "id": id, "type": "function", "function": function });
    let output =
        |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "unsupported call: no_such_tool" });
    let calls = json!({
        "role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [call("c1"), call("c2")],
    });
    let question = json!({ "role": "user", "content": "hi" });
    assert_eq!(messages[messages.len() - 4..], [question, calls, output("c1"), output("c2")]);
    let first = home.model().requests().remove(0);
    let before = first.body["messages"].as_array().unwrap();
    assert_eq!(messages[..before.len()], *before);

    let stored = turns(d.restart().await, &id).await;
    let items: Vec<_> = stored[0].items.iter().map(short).collect();
    assert_eq!(items, ["hi", "~hm", "All done"]);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_taken_up_behind_what_was_complete() {
    let home = Home::new();
    let retries = "model_providers.mock_provider.stream_max_retries=1";
    let mut d = Launch::on(&home).args(["-c", CHAT, "-c", retries, "app-server"]).start().await;
    let id = start(&mut d).await;
    home.model().script([
        pieces([
            delta(json!({ "content": "First." })),
            delta(json!({ "reasoning": "hm" })),
            delta(json!({ "content": "Sec" })),
        ]),
        pieces([delta(json!({ "content": "Second." })), end("stop")]),
    ]);
    let begun = d.call::<TurnStart>(ask(&id, "hi")).await.turn.id;
    let told = d.note::<ErrorNotification>().await;
    assert!(told.will_retry, "{told:?}");
    assert_eq!(ended(&mut d, &begun).await.status, TurnStatus::Completed);
    let request = home.model().last_request();
    let [.., first, go_on] = request.body["messages"].as_array().unwrap().as_slice() else {
        panic!("{request:?}")
    };
    assert_eq!(*first, json!({ "role": "assistant", "content": "First." }));
    assert_eq!(go_on["role"], "user");
    let stored = turns(&mut d, &id).await;
    let items: Vec<_> = stored[0].items.iter().map(short).collect();
    assert_eq!(items, ["hi", "First.", "~hm", "Second."]);
}

/// What a person sees of an item.
fn short(item: &ThreadItem) -> String {
    match item {
        ThreadItem::UserMessage { content, .. } => {
            serde_json::to_value(content).unwrap()[0]["text"].as_str().unwrap().to_owned()
        }
        ThreadItem::AgentMessage { text, .. } => text.clone(),
        ThreadItem::Reasoning { content, .. } => format!("~{}", content.concat()),
        other => format!("{other:?}"),
    }
}
