//! The body of a request, in the form of the Responses API.
//!
//! Invariant: what stays the same between two requests of a thread is the same bytes, in the same order, since
//! providers cache prompts by their beginnings.

use items::ResponseItem;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Reasoning, Request};

/// Writes the body of a request.
pub(super) fn write(request: &Request) -> serde_json::Result<Vec<u8>> {
    let Request {
        model,
        instructions,
        input,
        tools,
        parallel_tool_calls,
        reasoning,
        include,
        verbosity,
        service_tier: _,
        output_schema,
        thread_id,
        turn_state: _,
        client: _,
        turn_metadata: _,
        client_metadata,
    } = request;
    serde_json::to_vec(&Body {
        model,
        instructions: instructions.as_deref(),
        input,
        tools,
        tool_choice: "auto",
        parallel_tool_calls: *parallel_tool_calls,
        reasoning: reasoning.as_ref().map(Thinking::new),
        store: false,
        stream: true,
        include,
        service_tier: request.tier(),
        prompt_cache_key: thread_id,
        text: Text::new(verbosity.as_deref(), output_schema.as_ref()),
        client_metadata,
    })
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    input: &'a [ResponseItem],
    tools: &'a [Value],
    tool_choice: &'static str,
    parallel_tool_calls: bool,
    /// Null, not absent, for a model that does not reason.
    reasoning: Option<Thinking<'a>>,
    store: bool,
    stream: bool,
    include: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    prompt_cache_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    client_metadata: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Thinking<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
}

impl<'a> Thinking<'a> {
    fn new(Reasoning { effort, summary }: &'a Reasoning) -> Self {
        // The API has no word for "no summary": the key is left out.
        let summary = summary.as_deref().filter(|summary| *summary != "none");
        Self { effort: effort.as_deref(), summary }
    }
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
}

impl<'a> Text<'a> {
    fn new(verbosity: Option<&'a str>, schema: Option<&'a Value>) -> Option<Self> {
        if verbosity.is_none() && schema.is_none() {
            return None;
        }
        let format = schema.map(|schema| Format {
            kind: "json_schema",
            name: "codex_output_schema",
            strict: true,
            schema,
        });
        Some(Self { verbosity, format })
    }
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    strict: bool,
    schema: &'a Value,
}

#[cfg(test)]
mod tests {
    use items::Role;
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;
    use crate::ClientIdentity;

    fn request() -> Request {
        Request {
            model: "m".into(),
            instructions: None,
            input: vec![ResponseItem::message(Role::User, "hi")].into(),
            tools: Vec::new(),
            parallel_tool_calls: false,
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

    fn written(request: &Request) -> Value {
        serde_json::from_slice(&write(request).unwrap()).unwrap()
    }

    #[test]
    fn a_plain_request_holds_what_every_request_holds() {
        let input = json!([{ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "hi" }] }]);
        let body = json!({
            "model": "m", "input": input, "tools": [], "tool_choice": "auto", "parallel_tool_calls": false,
            "reasoning": null, "store": false, "stream": true, "include": [], "prompt_cache_key": "t",
        });
        assert_eq!(written(&request()), body);
    }

    #[test]
    fn what_was_asked_for_is_passed_on() {
        let thinking = |effort: Option<&str>, summary: Option<&str>| {
            Some(Reasoning { effort: effort.map(Into::into), summary: summary.map(Into::into) })
        };
        let schema = json!({ "type": "object" });
        let format =
            json!({ "type": "json_schema", "name": "codex_output_schema", "strict": true, "schema": schema });
        let metadata: Map<_, _> = [("a".to_owned(), "b".into())].into_iter().collect();
        for (field, request, value) in [
            ("instructions", Request { instructions: Some("be kind".into()), ..request() }, json!("be kind")),
            ("reasoning", Request { reasoning: thinking(None, None), ..request() }, json!({})),
            (
                "reasoning",
                Request { reasoning: thinking(Some("high"), Some("auto")), ..request() },
                json!({ "effort": "high", "summary": "auto" }),
            ),
            (
                "reasoning",
                Request { reasoning: thinking(Some("low"), Some("none")), ..request() },
                json!({ "effort": "low" }),
            ),
            ("service_tier", Request { service_tier: Some("fast".into()), ..request() }, json!("priority")),
            ("service_tier", Request { service_tier: Some("flex".into()), ..request() }, json!("flex")),
            ("text", Request { verbosity: Some("low".into()), ..request() }, json!({ "verbosity": "low" })),
            ("text", Request { output_schema: Some(schema), ..request() }, json!({ "format": format })),
            ("client_metadata", Request { client_metadata: metadata, ..request() }, json!({ "a": "b" })),
            ("include", Request { include: vec!["x".into()], ..request() }, json!(["x"])),
        ] {
            assert_eq!(written(&request)[field], value, "{field}");
        }
    }

    #[test]
    fn a_longer_conversation_begins_with_the_bytes_of_the_shorter_one() {
        let short = request();
        let mut items = (*short.input).clone();
        items.push(ResponseItem::message(Role::Assistant, "hello"));
        let long = Request { input: items.into(), ..short.clone() };
        let (short, long) = (write(&short).unwrap(), write(&long).unwrap());
        let same = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
        assert!(short[same..].starts_with(b"],\"tools\""), "{}", String::from_utf8_lossy(&short[same..]));
    }
}
