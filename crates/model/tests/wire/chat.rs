//! The Chat Completions wire against a provider on loopback: what is sent, what comes back, and what becomes of
//! failures.

mod cuts;
mod dialects;

use std::time::Duration;

use futures::StreamExt;
use items::ResponseItem;
use model::{
    Auth, ChatModel, ErrorKind, Model, ModelError, ProviderSettings, Reasoning, Request, Retry, StreamEvent,
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    HUNG,
    provider::{Answer, Provider},
    request, settings,
};

type Told = Vec<Result<StreamEvent, ModelError>>;

/// A request in which a tool of free text is offered.
fn question() -> Request {
    let run =
        json!({ "type": "function", "name": "run", "strict": false, "parameters": { "type": "object" } });
    let patch = json!({ "type": "custom", "name": "apply_patch" });
    Request { tools: vec![json!({ "type": "web_search" }), run, patch], ..request() }
}

async fn asked(settings: ProviderSettings) -> Told {
    heard(&ChatModel::new(settings), question()).await
}

async fn heard(model: &ChatModel, request: Request) -> Told {
    timeout(HUNG, model.stream(request).collect()).await.unwrap()
}

/// Answers with a stream as it was recorded.
fn recorded(stream: impl AsRef<[u8]>) -> Answer {
    Answer::status(200, stream).header("content-type", "text/event-stream")
}

fn chunk(delta: Value, finish: Option<&str>) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
    format!("data: {}\n\n", json!({ "id": "r", "choices": [choice] }))
}

/// Writes what was told in short, with the ids that were made up as `#1`, `#2` and so on.
fn short(told: &Told) -> Vec<String> {
    let mut made_up = Vec::new();
    told.iter().filter_map(|event| line(event, &mut made_up)).collect()
}

fn line(event: &Result<StreamEvent, ModelError>, made_up: &mut Vec<String>) -> Option<String> {
    Some(match event {
        // What every response begins with; the same headers are read on the other wire.
        Ok(StreamEvent::RateLimits(_)) => return None,
        Ok(StreamEvent::Created) => "created".into(),
        Ok(StreamEvent::ItemAdded(item)) => format!("{} {} …", item.kind(), number(item, made_up)),
        Ok(StreamEvent::TextDelta(text)) => format!("+ {text}"),
        Ok(StreamEvent::ReasoningDelta { index: 0, delta }) => format!("~ {delta}"),
        Ok(StreamEvent::ItemDone(item)) => match item.kind() {
            "message" => format!("message {} {:?}", number(item, made_up), item.text()),
            "reasoning" => {
                let part = &item.field("content").unwrap()[0];
                format!("reasoning {} {} {}", number(item, made_up), part["type"], part["text"])
            }
            kind => {
                let text = item.str("arguments").or(item.str("input")).unwrap();
                format!("{kind} {} {} {text}", item.call_id().unwrap(), item.str("name").unwrap())
            }
        },
        Ok(StreamEvent::Completed { response_id, usage }) => {
            let counts = usage.as_ref().map(|usage| {
                let cached = usage.cached_input_tokens;
                let thought = usage.reasoning_output_tokens;
                let (input, output) = (usage.input_tokens, usage.output_tokens);
                format!(" {input}({cached}) + {output}({thought}) = {}", usage.total_tokens)
            });
            format!("completed {}{}", response_id.as_deref().unwrap_or("-"), counts.unwrap_or_default())
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("! {}", error.message),
    })
}

fn number(item: &ResponseItem, made_up: &mut Vec<String>) -> String {
    let id = item.id().unwrap();
    let place = made_up.iter().position(|known| known == id).unwrap_or_else(|| {
        made_up.push(id.to_owned());
        made_up.len() - 1
    });
    format!("#{}", place + 1)
}

#[tokio::test]
async fn a_question_is_sent_in_the_common_form() {
    let stream = [chunk(json!({ "content": "hi" }), Some("stop")), "data: [DONE]\n\n".into()].concat();
    let provider = Provider::start([recorded(&stream)]).await;
    let effort = Reasoning { effort: Some("high".into()), summary: Some("auto".into()) };
    let settings = ProviderSettings {
        auth: Auth::Bearer("sk-1".into()),
        query: vec![("api-version".into(), "2025".into())],
        ..settings(&provider.url)
    };
    let request = Request { reasoning: Some(effort), ..question() };
    let told = heard(&ChatModel::new(settings), request).await;
    assert_eq!(short(&told), ["created", "message #1 …", "+ hi", "message #1 \"hi\"", "completed r"]);

    let seen = &provider.seen()[0];
    assert_eq!(seen.uri, "/v1/chat/completions?api-version=2025");
    for (header, value) in
        [("authorization", "Bearer sk-1"), ("originator", "lab"), ("accept", "text/event-stream")]
    {
        assert_eq!(seen.header(header), Some(value), "{header}");
    }
    let input = json!({ "type": "string", "description": "The input, all of it, as it is." });
    let input = json!({
        "type": "object", "properties": { "input": input }, "required": ["input"], "additionalProperties": false,
    });
    let tools = [
        json!({ "name": "run", "parameters": { "type": "object" } }),
        json!({ "name": "apply_patch", "parameters": input }),
    ];
    let body = json!({
        "model": "mock-model",
        "messages": [{ "role": "system", "content": "be kind" }, { "role": "user", "content": "hi" }],
        "tools": tools.map(|function| json!({ "type": "function", "function": function })),
        "parallel_tool_calls": false,
        "reasoning_effort": "high",
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    assert_eq!(seen.body, body);
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_is_understood() {
    let function = json!({ "name": "run", "arguments": "{}" });
    let message = json!({
        "role": "assistant", "reasoning_content": "hm", "content": "hello",
        "tool_calls": [{ "id": "c1", "type": "function", "function": function }],
    });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "tool_calls" });
    let usage = json!({ "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7 });
    let body = json!({ "id": "r", "object": "chat.completion", "choices": [choice], "usage": usage });
    let answer = Answer::status(200, body.to_string()).header("content-type", "application/json");
    let provider = Provider::start([answer]).await;
    let told = asked(settings(&provider.url)).await;
    assert_eq!(
        short(&told),
        [
            "created",
            "reasoning #1 …",
            "~ hm",
            "reasoning #1 \"reasoning_text\" \"hm\"",
            "message #2 …",
            "+ hello",
            "message #2 \"hello\"",
            "function_call c1 run {}",
            "completed r 3(0) + 4(0) = 7",
        ]
    );
}

#[tokio::test]
async fn refusals_are_told_as_on_the_other_wire() {
    let long = r#"{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}}"#;
    let busy = |status: u16| Answer::status(status, "busy").header("retry-after", "0");
    let again = Retry::After(Duration::ZERO);
    for (name, answers, kind, retry) in [
        ("a key", vec![busy(401)], ErrorKind::HttpConnectionFailed { status: 401 }, Retry::No),
        ("a place", vec![busy(404)], ErrorKind::HttpConnectionFailed { status: 404 }, Retry::No),
        ("too much", vec![Answer::status(400, long)], ErrorKind::ContextWindowExceeded, Retry::No),
        ("bad", vec![busy(400)], ErrorKind::Other, Retry::No),
        ("too often", vec![busy(429)], ErrorKind::TooManyFailedAttempts { status: 429 }, again),
        ("down", vec![busy(500), busy(503), busy(500)], ErrorKind::InternalServerError, again),
    ] {
        let asks = answers.len();
        let provider = Provider::start(answers).await;
        let told = asked(ProviderSettings { request_max_retries: 2, ..settings(&provider.url) }).await;
        let error = told.last().unwrap().clone().unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{name}: {error}");
        assert_eq!(provider.seen().len(), asks, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_count_that_does_not_come_is_not_waited_for_beyond_the_time_out() {
    let answer = recorded(chunk(json!({ "content": "hi" }), Some("stop"))).then_silence();
    let provider = Provider::start([answer]).await;
    let told = ChatModel::new(settings(&provider.url)).stream(question()).collect().await;
    assert_eq!(short(&told).last().unwrap(), "completed r");
}
