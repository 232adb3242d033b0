//! The body of a request, in the form of Chat Completions.
//!
//! Invariant: nothing stands in it but what the API has had for years, and of that only what was asked for: servers
//! refuse fields that they do not know, and some even fields that do not go together.

use serde::Serialize;
use serde_json::Value;

use super::{
    messages::{self, Message},
    tools::{self, Tool},
};
use crate::Request;

/// Writes the body of a request.
///
/// Verbosity, the thread and facts of client and turn have no place in it.
pub(super) fn write(request: &Request) -> serde_json::Result<Vec<u8>> {
    let tools = tools::offered(&request.tools);
    serde_json::to_vec(&Body {
        model: &request.model,
        messages: messages::of(request.instructions.as_deref(), &request.input),
        // Refused where there are no tools.
        parallel_tool_calls: (!tools.is_empty()).then_some(request.parallel_tool_calls),
        tools,
        reasoning_effort: request.reasoning.as_ref().and_then(|reasoning| reasoning.effort.as_deref()),
        response_format: request.output_schema.as_ref().map(Format::new),
        service_tier: request.tier(),
        stream: true,
        stream_options: StreamOptions { include_usage: true },
    })
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: Schema<'a>,
}

#[derive(Serialize)]
struct Schema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a Value,
}

impl<'a> Format<'a> {
    fn new(schema: &'a Value) -> Self {
        let json_schema = Schema { name: "codex_output_schema", strict: true, schema };
        Self { kind: "json_schema", json_schema }
    }
}

#[cfg(test)]
mod tests {
    use items::{ResponseItem, Role};
    use pretty_assertions::assert_eq;
    use serde_json::{Map, json};

    use super::*;
    use crate::{ClientIdentity, Reasoning};

    /// A request in which everything is asked for.
    fn full() -> Request {
        Request {
            model: "m".into(),
            instructions: Some("be kind".into()),
            input: vec![ResponseItem::message(Role::User, "hi")].into(),
            tools: vec![
                json!({ "type": "web_search" }),
                json!({ "type": "function", "name": "f", "parameters": {} }),
            ],
            parallel_tool_calls: true,
            reasoning: Some(Reasoning { effort: Some("low".into()), summary: Some("auto".into()) }),
            include: vec!["reasoning.encrypted_content".into()],
            verbosity: Some("low".into()),
            service_tier: Some("fast".into()),
            output_schema: Some(json!({ "type": "object" })),
            thread_id: "t".into(),
            turn_state: Some("s".into()),
            client: ClientIdentity::default(),
            turn_metadata: Map::new(),
            client_metadata: [("a".to_owned(), "b".into())].into_iter().collect(),
        }
    }

    fn written(request: &Request) -> Value {
        serde_json::from_slice(&write(request).unwrap()).unwrap()
    }

    #[test]
    fn what_was_asked_for_is_sent_and_nothing_else() {
        let format = json!({ "name": "codex_output_schema", "strict": true, "schema": { "type": "object" } });
        let body = json!({
            "model": "m",
            "messages": [{ "role": "system", "content": "be kind" }, { "role": "user", "content": "hi" }],
            "tools": [{ "type": "function", "function": { "name": "f", "parameters": {} } }],
            "parallel_tool_calls": true,
            "reasoning_effort": "low",
            "response_format": { "type": "json_schema", "json_schema": format },
            "service_tier": "priority",
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        assert_eq!(written(&full()), body);
    }

    #[test]
    fn a_plain_request_holds_what_every_request_holds() {
        let plain = Request {
            instructions: None,
            tools: vec![json!({ "type": "web_search" })],
            reasoning: Some(Reasoning { effort: None, summary: Some("auto".into()) }),
            service_tier: None,
            output_schema: None,
            ..full()
        };
        let body = json!({
            "model": "m",
            "messages": [{ "role": "user", "content": "hi" }],
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        assert_eq!(written(&plain), body);
        assert_eq!(written(&Request { reasoning: None, ..plain }), body);
    }

    #[test]
    fn a_longer_conversation_begins_with_the_bytes_of_the_shorter_one() {
        let short = full();
        let mut items = (*short.input).clone();
        items.push(ResponseItem::message(Role::Assistant, "hello"));
        let long = Request { input: items.into(), ..short.clone() };
        let (short, long) = (write(&short).unwrap(), write(&long).unwrap());
        let same = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
        assert!(short[same..].starts_with(b"],\"tools\""), "{}", String::from_utf8_lossy(&short[same..]));
    }
}
