//! Events of the Responses API.

use serde_json::{Value, json};

/// The stream has begun.
pub fn created() -> Value {
    json!({ "type": "response.created", "response": { "id": "resp" } })
}

/// The response is whole; 10 tokens in, 5 out.
pub fn completed() -> Value {
    completed_with(json!({
        "input_tokens": 10,
        "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": 5,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": 15,
    }))
}

/// The response is whole, and cost that much.
pub fn completed_with(usage: Value) -> Value {
    json!({ "type": "response.completed", "response": { "id": "resp", "usage": usage } })
}

/// The response failed.
pub fn failed(code: &str, message: &str) -> Value {
    let error = json!({ "code": code, "message": message });
    json!({ "type": "response.failed", "response": { "id": "resp", "status": "failed", "error": error } })
}

/// The response ended early.
pub fn incomplete(reason: &str) -> Value {
    let details = json!({ "reason": reason });
    json!({
        "type": "response.incomplete",
        "response": { "id": "resp", "status": "incomplete", "incomplete_details": details },
    })
}

/// A message begins.
pub fn message_added(id: &str) -> Value {
    json!({ "type": "response.output_item.added", "item": message_item(id, "") })
}

/// A message grows.
pub fn delta(text: &str) -> Value {
    json!({ "type": "response.output_text.delta", "delta": text })
}

/// A message is whole.
pub fn message(id: &str, text: &str) -> Value {
    done(message_item(id, text))
}

/// An item is whole.
pub fn done(item: Value) -> Value {
    json!({ "type": "response.output_item.done", "item": item })
}

/// A call of a tool.
pub fn function_call(call_id: &str, name: &str, arguments: &Value) -> Value {
    done(json!({
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments.to_string(),
    }))
}

/// A call of a tool in a namespace.
pub fn function_call_in(namespace: &str, call_id: &str, name: &str, arguments: &Value) -> Value {
    let mut event = function_call(call_id, name, arguments);
    event["item"]["namespace"] = namespace.into();
    event
}

/// A call of a tool that takes a text.
pub fn custom_tool_call(call_id: &str, name: &str, input: &str) -> Value {
    done(json!({
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "input": input,
    }))
}

/// A command to run, as models call it that know of no tool for it.
pub fn local_shell_call(call_id: &str, command: &[&str]) -> Value {
    done(json!({
        "type": "local_shell_call",
        "status": "completed",
        "call_id": call_id,
        "action": { "type": "exec", "command": command, "timeout_ms": null, "working_directory": null },
    }))
}

/// A search that the provider made.
pub fn web_search_call(id: &str, query: &str) -> Value {
    done(json!({
        "type": "web_search_call",
        "status": "completed",
        "id": id,
        "action": { "type": "search", "query": query },
    }))
}

/// Thinking begins.
pub fn reasoning_added(id: &str) -> Value {
    json!({ "type": "response.output_item.added", "item": { "type": "reasoning", "id": id, "summary": [] } })
}

/// A part of the summary begins.
pub fn summary_part(index: usize) -> Value {
    json!({ "type": "response.reasoning_summary_part.added", "summary_index": index })
}

/// The summary grows.
pub fn summary_delta(index: usize, text: &str) -> Value {
    json!({ "type": "response.reasoning_summary_text.delta", "delta": text, "summary_index": index })
}

/// The thinking itself grows.
pub fn reasoning_delta(text: &str) -> Value {
    json!({ "type": "response.reasoning_text.delta", "delta": text, "content_index": 0 })
}

/// Thinking is over.
pub fn reasoning(id: &str, summary: &[&str], content: &[&str]) -> Value {
    let part = |kind: &'static str| move |text: &&str| json!({ "type": kind, "text": text });
    done(json!({
        "type": "reasoning",
        "id": id,
        "summary": summary.iter().map(part("summary_text")).collect::<Value>(),
        "content": content.iter().map(part("reasoning_text")).collect::<Value>(),
        "encrypted_content": null,
    }))
}

fn message_item(id: &str, text: &str) -> Value {
    let content = if text.is_empty() { json!([]) } else { json!([{ "type": "output_text", "text": text }]) };
    json!({ "type": "message", "role": "assistant", "id": id, "content": content })
}
