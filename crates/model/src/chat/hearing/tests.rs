//! What the dialects do beside the common way; whole streams of each are heard in the tests of the wire.

use items::ResponseItem;
use pretty_assertions::assert_eq;
use serde_json::{Map, Value, json};

use super::*;
use crate::{ClientIdentity, ErrorKind, Retry};

fn request() -> Request {
    let taken = ResponseItem::of([("type", "function_call".into()), ("call_id", "c0".into())]);
    Request {
        model: "m".into(),
        instructions: None,
        input: vec![taken].into(),
        tools: vec![json!({ "type": "custom", "name": "patch" })],
        parallel_tool_calls: true,
        reasoning: None,
        include: Vec::new(),
        verbosity: None,
        service_tier: None,
        output_schema: None,
        thread_id: "t".into(),
        turn_state: None,
        client: ClientIdentity::default(),
        turn_metadata: Map::new(),
        client_metadata: Map::new(),
    }
}

fn delta(delta: Value) -> Value {
    json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

fn end(reason: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

fn call(index: usize, id: &str, name: &str, arguments: &str) -> Value {
    let function = json!({ "name": name, "arguments": arguments });
    delta(json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": function }] }))
}

/// Hears events up to the last one that counts, or to the end of the stream.
fn heard(events: &[Value]) -> Vec<Result<StreamEvent, ModelError>> {
    let mut hearing = Hearing::of(&request());
    let mut told = Told::new();
    for event in events {
        let data = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        hearing.hear(&data, &mut told);
    }
    told.push_back(hearing.end(ModelError::cut("closed")));
    let last = |event: &_| matches!(event, Ok(StreamEvent::Completed { .. }) | Err(_));
    let count = told.iter().position(last).unwrap() + 1;
    told.into_iter().take(count).collect()
}

/// Returns the complete items in short, and the error in which the stream ended.
fn items(events: &[Value]) -> (Vec<String>, Option<ModelError>) {
    let told = heard(events);
    let short = |item: &ResponseItem| match item.kind() {
        "message" => item.text(),
        "reasoning" => format!("~{}", item.parts("content").next().unwrap()["text"].as_str().unwrap()),
        _ => {
            format!("{} {}", item.str("name").unwrap(), item.str("arguments").or(item.str("input")).unwrap())
        }
    };
    let done = told.iter().filter_map(|event| match event {
        Ok(StreamEvent::ItemDone(item)) => Some(short(item)),
        _ => None,
    });
    (done.collect(), told.last().unwrap().clone().err())
}

#[test]
fn items_are_told_whole_and_in_the_form_of_the_other_wire() {
    let told = heard(&[
        delta(json!({ "role": "assistant", "reasoning": "hm" })),
        delta(json!({ "content": "hello" })),
        call(0, "c1", "patch", "{\"input\":\"x\"}"),
        end("tool_calls"),
    ]);
    let mut told = told.into_iter().map(Result::unwrap);
    let mut next = || told.next().unwrap();
    assert_eq!(next(), StreamEvent::Created);
    let item = |value: Value| ResponseItem::try_from(value).unwrap();
    let id = |event: &StreamEvent| match event {
        StreamEvent::ItemAdded(item) => item.id().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };

    let begun = next();
    let rs = id(&begun);
    assert!(rs.starts_with("rs_"), "{rs}");
    let summary = json!({ "type": "reasoning", "id": rs, "summary": [] });
    assert_eq!(begun, StreamEvent::ItemAdded(item(summary.clone())));
    assert_eq!(next(), StreamEvent::ReasoningDelta { index: 0, delta: "hm".into() });
    let mut whole = summary;
    whole["content"] = json!([{ "type": "text", "text": "hm" }]);
    assert_eq!(next(), StreamEvent::ItemDone(item(whole)));

    let begun = next();
    let msg = id(&begun);
    assert!(msg.starts_with("msg_"), "{msg}");
    let mut message = json!({ "type": "message", "role": "assistant", "id": msg, "content": [] });
    assert_eq!(begun, StreamEvent::ItemAdded(item(message.clone())));
    assert_eq!(next(), StreamEvent::TextDelta("hello".into()));
    message["content"] = json!([{ "type": "output_text", "text": "hello" }]);
    assert_eq!(next(), StreamEvent::ItemDone(item(message)));

    let call = json!({ "type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "x" });
    assert_eq!(next(), StreamEvent::ItemDone(item(call)));
    assert_eq!(next(), StreamEvent::Completed { response_id: None, usage: None });
}

#[test]
fn what_servers_do_in_their_own_way_is_understood() {
    let text = |text: &str| delta(json!({ "content": text }));
    for (name, events, items_told) in [
        ("a refusal", vec![delta(json!({ "content": null, "refusal": "no" })), end("stop")], vec!["no"]),
        (
            "a function called the old way",
            vec![
                delta(json!({ "function_call": { "name": "run", "arguments": "" } })),
                delta(json!({ "function_call": { "arguments": "{}" } })),
                end("function_call"),
            ],
            vec!["run {}"],
        ),
        (
            "arguments that are no text",
            {
                let function = json!({ "name": "run", "arguments": { "a": 1 } });
                vec![
                    delta(json!({ "tool_calls": [{ "id": "c1", "function": function }] })),
                    end("tool_calls"),
                ]
            },
            vec!["run {\"a\":1}"],
        ),
        (
            "a reason that is empty until the end",
            vec![
                json!({ "choices": [{ "delta": { "content": "hi" }, "finish_reason": "" }] }),
                text("!"),
                end("stop"),
            ],
            vec!["hi!"],
        ),
        (
            "a reason of its own, in the last piece",
            vec![text("hi"), json!({ "choices": [{ "delta": { "content": "!" }, "finish_reason": "eos" }] })],
            vec!["hi!"],
        ),
        (
            "no reason, but a mark",
            vec![text("hi"), call(0, "c1", "run", "{}"), json!("[DONE]")],
            vec!["hi", "run {}"],
        ),
        (
            "line breaks around thoughts and calls",
            vec![
                text("\n"),
                delta(json!({ "reasoning": "hm" })),
                text("\n\n"),
                call(0, "c1", "run", "{}"),
                text("\n"),
                end("tool_calls"),
            ],
            vec!["~hm", "run {}"],
        ),
        (
            "line breaks that open a message",
            vec![text("\n"), text("\nhi\n"), text("\n"), end("stop")],
            vec!["\n\nhi\n\n"],
        ),
        (
            "thoughts in between",
            vec![
                delta(json!({ "reasoning_content": "a" })),
                text("b"),
                delta(json!({ "reasoning_content": "c" })),
                text("d"),
                end("stop"),
            ],
            vec!["~a", "b", "~c", "d"],
        ),
        (
            "thoughts in details alone",
            vec![
                delta(json!({ "reasoning_details": [
                    { "type": "reasoning.text", "text": "a" }, { "type": "reasoning.encrypted", "data": "x" },
                ] })),
                text("b"),
                end("stop"),
            ],
            vec!["~a", "b"],
        ),
        (
            "thought, words and a call in one piece",
            vec![
                delta(json!({ "reasoning": "a", "content": "b", "tool_calls": [
                    { "index": 0, "id": "c1", "function": { "name": "run", "arguments": "{}" } },
                ] })),
                end("tool_calls"),
            ],
            vec!["~a", "b", "run {}"],
        ),
        (
            "another answer beside",
            vec![
                json!({ "choices": [{ "index": 1, "delta": { "content": "x" }, "finish_reason": "stop" }] }),
                text("hi"),
                end("stop"),
            ],
            vec!["hi"],
        ),
        (
            "words behind the end",
            vec![text("hi"), end("stop"), text("late"), json!({ "error": "late" })],
            vec!["hi"],
        ),
        (
            "what is no event of ours",
            vec![
                json!("no JSON"),
                json!([1]),
                json!({ "choices": null }),
                json!({ "choices": [7] }),
                delta(json!(null)),
                text("hi"),
                end("stop"),
            ],
            vec!["hi"],
        ),
        ("no words at all", vec![end("stop")], vec![]),
    ] {
        let (told, error) = items(&events);
        assert_eq!((told.iter().map(String::as_str).collect(), error), (items_told, None), "{name}");
    }
}

#[test]
fn a_response_that_does_not_end_well_says_why() {
    let text = || delta(json!({ "content": "hi" }));
    let cut = |why: &str| format!("stream disconnected before completion: {why}");
    let error = |message: &str| json!({ "message": message, "code": 502 });
    for (name, events, told, message, retry) in [
        (
            "out of room",
            vec![
                delta(json!({ "reasoning": "hm" })),
                text(),
                call(0, "c1", "run", "{}"),
                call(1, "c2", "run", "{}"),
                end("length"),
            ],
            vec!["~hm", "hi", "run {}"],
            "Incomplete response returned, reason: max_output_tokens".to_owned(),
            Retry::No,
        ),
        (
            "out of room in the middle of words",
            vec![text(), end("length")],
            vec!["hi"],
            "Incomplete response returned, reason: max_output_tokens".to_owned(),
            Retry::No,
        ),
        (
            "filtered",
            vec![text(), end("content_filter")],
            vec![],
            cut("Incomplete response returned, reason: content_filter"),
            Retry::Stream,
        ),
        (
            "given up",
            vec![text(), end("abort")],
            vec![],
            cut("the provider stopped with `abort`"),
            Retry::Stream,
        ),
        ("closed in words", vec![text()], vec![], cut("closed"), Retry::Stream),
        (
            "closed in a call",
            vec![text(), call(0, "c1", "run", "{}")],
            vec!["hi"],
            cut("closed"),
            Retry::Stream,
        ),
        (
            "marked as done in a call",
            vec![call(0, "c1", "run", "{}"), call(1, "c2", "run", "{\"a"), json!("[DONE]")],
            vec!["run {}"],
            cut("stream closed before finish_reason"),
            Retry::Stream,
        ),
        ("an error", vec![text(), json!({ "error": error("gone") })], vec![], cut("gone"), Retry::Stream),
        (
            "an error beside a reason",
            vec![
                json!({ "error": error("gone"), "choices": [{ "delta": { "content": "" }, "finish_reason": "error" }] }),
            ],
            vec![],
            cut("gone"),
            Retry::Stream,
        ),
        (
            "an error in the answer",
            vec![json!({ "choices": [{ "delta": {}, "error": error("gone") }] })],
            vec![],
            cut("gone"),
            Retry::Stream,
        ),
        (
            "an error in place of everything",
            vec![json!({ "object": "error", "message": "bad", "type": "BadRequestError", "code": 400 })],
            vec![],
            "bad".to_owned(),
            Retry::No,
        ),
        (
            "an error in words",
            vec![json!({ "error": "out of memory" })],
            vec![],
            cut("out of memory"),
            Retry::Stream,
        ),
        (
            "no error",
            vec![text(), json!({ "error": null, "choices": [] })],
            vec![],
            cut("closed"),
            Retry::Stream,
        ),
    ] {
        let (done, error) = items(&events);
        let error = error.unwrap();
        let done: Vec<_> = done.iter().map(String::as_str).collect();
        assert_eq!((done, error.message, error.retry), (told, message, retry), "{name}");
    }
    let long = json!({ "error": { "message": "Input is too long for requested model." } });
    assert_eq!(items(&[long]).1.unwrap().kind, ErrorKind::ContextWindowExceeded);
}

#[test]
fn the_last_count_is_the_one_that_counts() {
    let usage = |usage: Value| json!({ "id": "r", "choices": [], "usage": usage });
    let counted = |input, cached, output, reasoning, total| {
        Some(TokenUsage {
            input_tokens: input,
            cached_input_tokens: cached,
            output_tokens: output,
            reasoning_output_tokens: reasoning,
            total_tokens: total,
        })
    };
    let first = json!({ "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 });
    let detailed = json!({
        "prompt_tokens": 9, "prompt_tokens_details": { "cached_tokens": 4 },
        "completion_tokens": 5, "completion_tokens_details": { "reasoning_tokens": 2 }, "total_tokens": 15,
    });
    let nulls = json!({ "prompt_tokens": 9, "prompt_tokens_details": null, "completion_tokens": 5,
        "completion_tokens_details": { "reasoning_tokens": null } });
    for (events, meaning) in [
        (vec![usage(first.clone()), end("stop"), usage(detailed)], counted(9, 4, 5, 2, 15)),
        (vec![usage(first), end("stop"), usage(json!(null))], counted(1, 0, 1, 0, 2)),
        (vec![end("stop"), usage(nulls)], counted(9, 0, 5, 0, 14)),
        (
            vec![end("stop"), usage(json!({ "prompt_tokens": 9, "prompt_cache_hit_tokens": 3 }))],
            counted(9, 3, 0, 0, 9),
        ),
        (vec![end("stop"), usage(json!("free"))], None),
        (vec![end("stop"), usage(json!({}))], None),
    ] {
        let completed = StreamEvent::Completed { response_id: Some("r".into()), usage: meaning };
        assert_eq!(heard(&events).last(), Some(&Ok(completed)), "{events:?}");
    }
}
