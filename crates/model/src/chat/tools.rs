//! Tools, of which this API knows one kind: functions.
//!
//! Invariant: what is offered and what is called go through the same names, so that a call comes back as the item that
//! a Responses API sends for the tool. Tools that a provider runs itself are left out: none runs them here.

use std::{borrow::Cow, collections::HashMap};

use items::ResponseItem;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

/// A tool on offer.
#[derive(Serialize)]
pub(super) struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Cow<'a, Value>>,
    /// Only where it is wanted: not every server knows the word.
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Returns the tools of a request as functions.
pub(super) fn offered(tools: &[Value]) -> Vec<Tool<'_>> {
    callable(tools).map(|tool| Tool { kind: "function", function: tool.function() }).collect()
}

/// Returns the name of a tool with that of the namespace that it is in.
pub(super) fn qualified<'a>(namespace: Option<&str>, name: &'a str) -> Cow<'a, str> {
    namespace.map_or(Cow::Borrowed(name), |namespace| Cow::Owned(format!("{namespace}__{name}")))
}

/// Returns the arguments of a function that stands for a tool of free text.
pub(super) fn arguments_of(input: &str) -> String {
    json!({ "input": input }).to_string()
}

/// Tells whether a text is one whole JSON object.
pub(super) fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// The tools of a request whose calls are more than a name.
#[derive(Default)]
pub(super) struct Named(HashMap<String, Meant>);

struct Meant {
    kind: Kind,
    namespace: Option<String>,
    name: String,
}

impl Named {
    pub(super) fn of(tools: &[Value]) -> Self {
        let special = callable(tools).filter(|tool| tool.kind == Kind::Custom || tool.namespace.is_some());
        let meant = special.map(|Callable { kind, namespace, name, .. }| {
            let meant = Meant { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() };
            (qualified(namespace, name).into_owned(), meant)
        });
        Self(meant.collect())
    }

    /// Makes the item of a call; a name that nobody offered stays as it is.
    pub(super) fn call(&self, call_id: &str, name: &str, arguments: &str) -> ResponseItem {
        let meant = self.0.get(name);
        let plain = meant.map_or(name, |meant| meant.name.as_str());
        let (kind, field, text) = match meant.map(|meant| meant.kind) {
            Some(Kind::Custom) => ("custom_tool_call", "input", input_of(arguments)),
            // Some models say nothing where they mean "no arguments".
            Some(Kind::Function) | None if arguments.trim().is_empty() => {
                ("function_call", "arguments", "{}".to_owned())
            }
            Some(Kind::Function) | None => ("function_call", "arguments", arguments.to_owned()),
        };
        let namespace = meant.and_then(|meant| meant.namespace.as_deref());
        let fields = [
            ("type", kind.into()),
            ("call_id", call_id.into()),
            ("name", plain.into()),
            (field, text.into()),
        ];
        ResponseItem::of(fields.into_iter().chain(namespace.map(|namespace| ("namespace", namespace.into()))))
    }
}

/// Returns the text in the arguments of a tool of free text; models that forget the wrapping mean all of it.
fn input_of(arguments: &str) -> String {
    let read = serde_json::from_str::<Value>(arguments).ok();
    read.as_ref().and_then(|read| read.get("input")?.as_str()).unwrap_or(arguments).to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    /// Takes free text.
    Custom,
}

/// A tool that a model calls and the caller runs.
struct Callable<'a> {
    kind: Kind,
    namespace: Option<&'a str>,
    name: &'a str,
    tool: &'a Value,
}

fn callable(tools: &[Value]) -> impl Iterator<Item = Callable<'_>> {
    tools.iter().flat_map(|tool| {
        let (inside, namespace) = match (tool["type"].as_str(), tool["tools"].as_array()) {
            (Some("namespace"), Some(inside)) => (inside.as_slice(), tool["name"].as_str()),
            _ => (std::slice::from_ref(tool), None),
        };
        inside.iter().filter_map(move |tool| {
            let kind = match tool["type"].as_str()? {
                "function" => Kind::Function,
                "custom" => Kind::Custom,
                _ => return None,
            };
            Some(Callable { kind, namespace, name: tool["name"].as_str()?, tool })
        })
    })
}

impl<'a> Callable<'a> {
    fn function(&self) -> Function<'a> {
        let Self { kind, namespace, name, tool } = *self;
        let name = qualified(namespace, name);
        let description = tool["description"].as_str();
        match kind {
            Kind::Function => Function {
                name,
                description: description.map(Cow::Borrowed),
                parameters: tool.get("parameters").map(Cow::Borrowed),
                strict: tool["strict"].as_bool().filter(|strict| *strict),
            },
            Kind::Custom => Function {
                name,
                description: described(description, &tool["format"]),
                parameters: Some(Cow::Owned(json!({
                    "type": "object",
                    "properties": { "input": { "type": "string", "description": "The input, all of it, as it is." } },
                    "required": ["input"],
                    "additionalProperties": false,
                }))),
                strict: None,
            },
        }
    }
}

/// Puts the grammar of a free text where the model reads it, since nobody holds the model to it here.
fn described<'a>(description: Option<&'a str>, format: &Value) -> Option<Cow<'a, str>> {
    let Some(grammar) = format["definition"].as_str() else { return description.map(Cow::Borrowed) };
    let syntax = format["syntax"].as_str().unwrap_or_default();
    let description = description.unwrap_or_default();
    Some(Cow::Owned(format!("{description}\n\nThe input must fit this grammar ({syntax}):\n{grammar}")))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn tools() -> Vec<Value> {
        let patch =
            json!({ "type": "grammar", "syntax": "lark", "definition": "start: \"*** Begin Patch\" LF" });
        vec![
            json!({ "type": "function", "name": "run", "description": "Runs.", "strict": false, "parameters": { "type": "object" } }),
            json!({ "type": "function", "name": "strict", "strict": true }),
            json!({ "type": "custom", "name": "apply_patch", "description": "Patches.", "format": patch }),
            json!({ "type": "custom", "name": "note" }),
            json!({ "type": "web_search", "external_web_access": false }),
            json!({ "type": "local_shell" }),
            json!({
                "type": "namespace", "name": "mcp__docs", "description": "Docs.",
                "tools": [{ "type": "function", "name": "find", "parameters": {} }],
            }),
            json!({ "type": "function" }),
            json!("no tool"),
        ]
    }

    #[test]
    fn tools_are_offered_as_functions_and_hosted_ones_are_not() {
        let input = json!({
            "type": "object",
            "properties": { "input": { "type": "string", "description": "The input, all of it, as it is." } },
            "required": ["input"],
            "additionalProperties": false,
        });
        let grammar = "Patches.\n\nThe input must fit this grammar (lark):\nstart: \"*** Begin Patch\" LF";
        let functions = [
            json!({ "name": "run", "description": "Runs.", "parameters": { "type": "object" } }),
            json!({ "name": "strict", "strict": true }),
            json!({ "name": "apply_patch", "description": grammar, "parameters": input }),
            json!({ "name": "note", "parameters": input }),
            json!({ "name": "mcp__docs__find", "parameters": {} }),
        ];
        let functions = functions.map(|function| json!({ "type": "function", "function": function }));
        assert_eq!(serde_json::to_value(offered(&tools())).unwrap(), json!(functions));
    }

    #[test]
    fn a_call_comes_back_as_the_item_of_its_tool() {
        for (name, arguments, item) in [
            (
                "run",
                r#"{"a":1}"#,
                json!({ "type": "function_call", "name": "run", "arguments": "{\"a\":1}" }),
            ),
            ("run", " ", json!({ "type": "function_call", "name": "run", "arguments": "{}" })),
            ("run", "{\"a\":", json!({ "type": "function_call", "name": "run", "arguments": "{\"a\":" })),
            ("unknown", "{}", json!({ "type": "function_call", "name": "unknown", "arguments": "{}" })),
            (
                "apply_patch",
                r#"{"input":"a\nb"}"#,
                json!({ "type": "custom_tool_call", "name": "apply_patch", "input": "a\nb" }),
            ),
            (
                "apply_patch",
                "*** Begin",
                json!({ "type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin" }),
            ),
            (
                "mcp__docs__find",
                "{}",
                json!({ "type": "function_call", "namespace": "mcp__docs", "name": "find", "arguments": "{}" }),
            ),
        ] {
            let called = Named::of(&tools()).call("c", name, arguments);
            let mut called = serde_json::to_value(called).unwrap();
            assert_eq!(called.as_object_mut().unwrap().remove("call_id"), Some("c".into()));
            assert_eq!(called, item, "{name} {arguments}");
        }
    }

    #[test]
    fn a_whole_object_is_told_from_anything_else() {
        for (text, whole) in [
            ("{}", true),
            (" {\"a\": [1, {}]}\n", true),
            ("{\"a\":", false),
            ("{} {}", false),
            ("[]", false),
            ("\"{}\"", false),
            ("", false),
        ] {
            assert_eq!(is_object(text), whole, "{text}");
        }
    }
}
