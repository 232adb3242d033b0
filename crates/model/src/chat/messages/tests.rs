//! What a conversation is written as, and what stays true of any.

use std::collections::HashSet;

use pretty_assertions::assert_eq;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use super::*;

fn item(value: Value) -> ResponseItem {
    value.try_into().unwrap()
}

fn user(text: &str) -> ResponseItem {
    ResponseItem::message(Role::User, text)
}

fn developer(text: &str) -> ResponseItem {
    ResponseItem::message(Role::Developer, text)
}

fn assistant(text: &str) -> ResponseItem {
    ResponseItem::message(Role::Assistant, text)
}

fn call(id: &str) -> ResponseItem {
    item(json!({ "type": "function_call", "call_id": id, "name": "run", "arguments": "{}" }))
}

fn output(id: &str, output: impl Into<Value>) -> ResponseItem {
    item(json!({ "type": "function_call_output", "call_id": id, "output": output.into() }))
}

fn thought(kind: &str, text: &str) -> ResponseItem {
    item(
        json!({ "type": "reasoning", "id": "rs", "summary": [], "content": [{ "type": kind, "text": text }] }),
    )
}

/// The message that holds the call of [`call`].
fn calls(ids: &[&str]) -> Value {
    json!({ "role": "assistant", "content": null, "tool_calls": tool_calls(ids) })
}

fn tool_calls(ids: &[&str]) -> Value {
    let call =
        |id: &&str| json!({ "id": id, "type": "function", "function": { "name": "run", "arguments": "{}" } });
    ids.iter().map(call).collect()
}

fn tool(id: &str, content: &str) -> Value {
    json!({ "role": "tool", "tool_call_id": id, "content": content })
}

fn says(role: &str, content: impl Into<Value>) -> Value {
    json!({ "role": role, "content": content.into() })
}

fn written(instructions: Option<&str>, items: &[ResponseItem]) -> Vec<Value> {
    values(&conversation(instructions, items))
}

fn values(messages: &[Message<'_>]) -> Vec<Value> {
    messages.iter().map(|message| serde_json::to_value(message).unwrap()).collect()
}

#[test]
fn whoever_speaks_is_named() {
    let image = json!({ "type": "input_image", "image_url": "data:x", "detail": "high" });
    let original = json!({ "type": "input_image", "image_url": "data:y", "detail": "original" });
    let text = |text: &str| json!({ "type": "input_text", "text": text });
    let documents = ResponseItem::message_of(Role::User, [text("a"), text(""), text("b")]);
    let picture = ResponseItem::message_of(Role::User, [text("<image>"), image, original, text("what?")]);
    let pieces =
        [json!({ "type": "output_text", "text": "he" }), json!({ "type": "output_text", "text": "llo" })];
    let parts = json!([
        { "type": "text", "text": "<image>" },
        { "type": "image_url", "image_url": { "url": "data:x", "detail": "high" } },
        { "type": "image_url", "image_url": { "url": "data:y" } },
        { "type": "text", "text": "what?" },
    ]);
    for (name, instructions, items, messages) in [
        ("nothing", None, vec![], vec![]),
        ("a person", None, vec![user("hi")], vec![says("user", "hi")]),
        ("documents", None, vec![documents], vec![says("user", "a\n\nb")]),
        ("an image", None, vec![picture], vec![says("user", parts)]),
        (
            "the opening",
            Some("be kind"),
            vec![developer("d1"), developer("d2"), user("hi")],
            vec![says("system", "be kind\n\nd1\n\nd2"), says("user", "hi")],
        ),
        (
            "a later word of the server",
            Some("be kind"),
            vec![user("hi"), assistant("yes"), developer("you may write"), user("go on")],
            vec![
                says("system", "be kind"),
                says("user", "hi"),
                says("assistant", "yes"),
                says("user", "you may write"),
                says("user", "go on"),
            ],
        ),
        (
            "an answer in pieces",
            None,
            vec![ResponseItem::message_of(Role::Assistant, pieces)],
            vec![says("assistant", "hello")],
        ),
        (
            "an answer in two messages",
            None,
            vec![assistant("first"), assistant("second")],
            vec![says("assistant", "first\n\nsecond")],
        ),
        ("empty words", None, vec![user(""), assistant("")], vec![]),
        (
            "what only a Responses API understands",
            None,
            vec![
                item(json!({ "type": "web_search_call", "id": "ws" })),
                item(json!({ "type": "of_the_future", "call_id": "c" })),
                item(json!({ "type": "message", "role": "critic", "content": [{ "text": "no" }] })),
                item(json!({ "type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x" })),
            ],
            vec![],
        ),
    ] {
        assert_eq!(written(instructions, &items), messages, "{name}");
    }
}

#[test]
fn every_call_is_answered_right_behind_it() {
    let both = json!({ "role": "assistant", "content": "let me see", "tool_calls": tool_calls(&["a", "b"]) });
    for (name, items, messages) in [
        (
            "one after the other",
            vec![call("a"), output("a", "1"), call("b"), output("b", "2")],
            vec![calls(&["a"]), tool("a", "1"), calls(&["b"]), tool("b", "2")],
        ),
        (
            "several at once, answered out of order",
            vec![assistant("let me see"), call("a"), call("b"), output("b", "2"), output("a", "1")],
            vec![both, tool("a", "1"), tool("b", "2")],
        ),
        (
            "a person speaks in between",
            vec![call("a"), user("stop"), output("a", "1")],
            vec![calls(&["a"]), tool("a", "1"), says("user", "stop")],
        ),
        (
            "the model speaks in between",
            vec![call("a"), assistant("meanwhile"), call("b"), output("a", "1"), output("b", "2")],
            vec![
                json!({ "role": "assistant", "content": "meanwhile", "tool_calls": tool_calls(&["a", "b"]) }),
                tool("a", "1"),
                tool("b", "2"),
            ],
        ),
        (
            "no answer",
            vec![call("a"), user("hi")],
            vec![calls(&["a"]), tool("a", NO_OUTPUT), says("user", "hi")],
        ),
        ("no question", vec![output("a", "1"), user("hi")], vec![says("user", "hi")]),
        ("the answer first", vec![output("a", "1"), call("a")], vec![calls(&["a"]), tool("a", NO_OUTPUT)]),
        (
            "the same id again",
            vec![call("a"), output("a", "1"), user("again"), call("a"), output("a", "2")],
            vec![calls(&["a"]), tool("a", "1"), says("user", "again"), calls(&["a"]), tool("a", "2")],
        ),
        ("without an id", vec![item(json!({ "type": "function_call", "name": "run" }))], vec![]),
    ] {
        assert_eq!(written(None, &items), messages, "{name}");
    }
}

#[test]
fn calls_of_every_kind_are_calls_of_functions() {
    for (call, name, arguments) in [
        (json!({ "type": "function_call", "name": "run", "arguments": "{\"a\":1}" }), "run", r#"{"a":1}"#),
        (json!({ "type": "function_call", "name": "run", "arguments": "" }), "run", "{}"),
        (
            json!({ "type": "function_call", "name": "run", "arguments": "{\"a" }),
            "run",
            r#"{"input":"{\"a"}"#,
        ),
        (
            json!({ "type": "function_call", "namespace": "mcp__docs", "name": "find", "arguments": "{}" }),
            "mcp__docs__find",
            "{}",
        ),
        (
            json!({ "type": "custom_tool_call", "name": "apply_patch", "input": "a\nb" }),
            "apply_patch",
            r#"{"input":"a\nb"}"#,
        ),
        (
            json!({ "type": "local_shell_call", "action": { "type": "exec", "command": ["ls"] } }),
            "local_shell",
            r#"{"command":["ls"],"type":"exec"}"#,
        ),
    ] {
        let mut call = call;
        call["call_id"] = "c".into();
        let message = &written(None, &[item(call)])[0];
        let function = json!({ "name": name, "arguments": arguments });
        assert_eq!(message["tool_calls"], json!([{ "id": "c", "type": "function", "function": function }]));
    }
}

#[test]
fn outputs_are_text_and_their_images_follow() {
    let text = |text: &str| json!({ "type": "input_text", "text": text });
    let image = json!({ "type": "input_image", "image_url": "data:x" });
    for (output, words) in [
        (json!("done"), "done"),
        (json!(""), EMPTY_OUTPUT),
        (json!([text("a"), text("b")]), "a\nb"),
        (json!([]), EMPTY_OUTPUT),
        (json!([image]), EMPTY_OUTPUT),
        (json!({ "content": "a" }), r#"{"content":"a"}"#),
        (json!(null), "null"),
    ] {
        assert_eq!(words_of(&output), words, "{output}");
    }
    let items = [call("a"), call("b"), output("a", json!([image, text("seen")])), output("b", "2")];
    let parts = json!([
        { "type": "text", "text": "The images that call a put out:" },
        { "type": "image_url", "image_url": { "url": "data:x" } },
    ]);
    assert_eq!(
        written(None, &items),
        [calls(&["a", "b"]), tool("a", "seen"), tool("b", "2"), says("user", parts)]
    );
}

#[test]
fn thoughts_go_back_beside_calls_under_the_name_that_they_came_with() {
    let thinking = |field: &str, text: &str, ids: &[&str]| {
        let mut message = calls(ids);
        message[field] = text.into();
        message
    };
    let (deep, plain) = (thought("reasoning_text", "hm"), thought("text", "hm"));
    for (name, items, messages) in [
        (
            "reasoning_content",
            vec![deep.clone(), call("a"), output("a", "1")],
            vec![thinking("reasoning_content", "hm", &["a"]), tool("a", "1")],
        ),
        (
            "reasoning",
            vec![plain.clone(), call("a"), output("a", "1")],
            vec![thinking("reasoning", "hm", &["a"]), tool("a", "1")],
        ),
        (
            "in two items",
            vec![plain.clone(), plain.clone(), call("a"), output("a", "1")],
            vec![thinking("reasoning", "hmhm", &["a"]), tool("a", "1")],
        ),
        (
            "before words and a call",
            vec![deep.clone(), assistant("so"), call("a"), output("a", "1")],
            vec![
                json!({ "role": "assistant", "content": "so", "reasoning_content": "hm", "tool_calls": tool_calls(&["a"]) }),
                tool("a", "1"),
            ],
        ),
        (
            "between two calls",
            vec![call("a"), deep.clone(), call("b"), output("a", "1"), output("b", "2")],
            vec![thinking("reasoning_content", "hm", &["a", "b"]), tool("a", "1"), tool("b", "2")],
        ),
        ("before words alone", vec![deep.clone(), assistant("so")], vec![says("assistant", "so")]),
        (
            "before a question",
            vec![deep, user("hi"), call("a"), output("a", "1")],
            vec![says("user", "hi"), calls(&["a"]), tool("a", "1")],
        ),
    ] {
        assert_eq!(written(None, &items), messages, "{name}");
    }
}

#[test]
fn a_model_that_broke_off_is_asked_to_go_on() {
    for (items, goes_on) in [
        (vec![user("hi"), assistant("yes")], true),
        (vec![user("hi"), assistant("yes"), thought("text", "hm")], true),
        (vec![user("hi"), assistant("yes"), call("a")], false),
        (vec![user("hi"), assistant("yes"), user("and")], false),
        (vec![user("hi"), thought("text", "hm")], false),
        (vec![], false),
    ] {
        let mut expected = written(None, &items);
        expected.extend(goes_on.then(|| says("user", GO_ON)));
        assert_eq!(values(&of(None, &items)), expected, "{items:?}");
    }
}

fn any_item() -> impl Strategy<Value = ResponseItem> {
    let image = json!([{ "type": "input_image", "image_url": "data:x" }]);
    let output_of = move |id: &str, image_too: bool| {
        if image_too { output(id, image.clone()) } else { output(id, "1") }
    };
    let custom = json!({ "type": "custom_tool_call", "call_id": "b", "name": "patch", "input": "x" });
    let id = || select(vec!["a", "b", "c"]);
    prop_oneof![
        2 => Just(user("hi")),
        1 => Just(developer("now")),
        2 => select(vec!["yes", ""]).prop_map(assistant),
        1 => select(vec!["text", "reasoning_text"]).prop_map(|kind| thought(kind, "hm")),
        4 => id().prop_map(call),
        1 => Just(item(custom)),
        4 => (id(), any::<bool>()).prop_map(move |(id, image)| output_of(id, image)),
        1 => Just(item(json!({ "type": "of_the_future" }))),
    ]
}

/// Tells whether a conversation leaves no call open, and ends in words of a person or in outputs.
fn is_question(items: &[ResponseItem]) -> bool {
    let mut open = HashSet::new();
    for item in items {
        match item.call_id() {
            Some(id) if item.is_call() => drop(open.insert(id)),
            Some(id) => drop(open.remove(id)),
            None => {}
        }
    }
    let last = written(None, items).pop();
    open.is_empty() && last.is_some_and(|last| last["role"] == "user" || last["role"] == "tool")
}

proptest! {
    #[test]
    fn any_conversation_is_one_that_servers_take(items in vec(any_item(), 0..24)) {
        let messages = values(&of(Some("be kind"), &items));
        prop_assert!(messages.last().unwrap()["role"] != "assistant");
        prop_assert_eq!(&messages[0]["role"], "system");
        let mut rest = messages[1..].iter();
        while let Some(message) = rest.next() {
            let role = message["role"].as_str().unwrap();
            prop_assert!(matches!(role, "user" | "assistant"), "{role} where none is due");
            prop_assert!(!message["content"].is_null() || !message["tool_calls"].is_null());
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                let answer = rest.next().unwrap();
                prop_assert_eq!((&answer["role"], &answer["tool_call_id"]), (&json!("tool"), &call["id"]));
                prop_assert!(!answer["content"].as_str().unwrap().is_empty());
            }
        }
        let asked = items.iter().filter(|item| item.is_call()).count();
        let answered = messages.iter().filter(|message| message["role"] == "tool").count();
        prop_assert_eq!(asked, answered);
    }

    #[test]
    fn what_was_sent_with_a_question_comes_again_as_it_was(items in vec(any_item(), 0..24)) {
        let whole = values(&of(Some("be kind"), &items));
        for end in (0..items.len()).filter(|end| is_question(&items[..*end])) {
            let before = values(&of(Some("be kind"), &items[..end]));
            prop_assert_eq!(&whole[..before.len()], before.as_slice(), "the first {} items", end);
        }
    }
}
