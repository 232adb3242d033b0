//! What the model was asked.

use axum::http::{HeaderMap, Uri};
use serde_json::Value;

/// One request to the model.
#[derive(Clone, Debug)]
pub struct Request {
    /// The path, with its query.
    pub path: String,
    /// The body.
    pub body: Value,
    headers: HeaderMap,
}

impl Request {
    pub(super) fn new(uri: &Uri, headers: HeaderMap, body: &[u8]) -> Self {
        let body =
            serde_json::from_slice(body).unwrap_or_else(|error| panic!("a request is no JSON: {error}"));
        Self { path: uri.to_string(), body, headers }
    }

    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the items of the conversation.
    pub fn input(&self) -> &[Value] {
        self.body["input"].as_array().unwrap()
    }

    /// Returns what the model is told that a call of a tool brought: a text, or the parts of a message.
    pub fn output_of(&self, call_id: &str) -> &Value {
        let is_output = |item: &&Value| {
            item["call_id"] == call_id && item["type"].as_str().is_some_and(|kind| kind.ends_with("_output"))
        };
        let outputs: Vec<_> = self.input().iter().filter(is_output).collect();
        match outputs.as_slice() {
            [output] => &output["output"],
            outputs => panic!("{} outputs of {call_id}", outputs.len()),
        }
    }

    /// Returns the names of the tools that the model is offered; of a namespace its own.
    pub fn tools(&self) -> Vec<&str> {
        let tools = self.body["tools"].as_array().into_iter().flatten();
        tools.filter_map(|tool| tool["name"].as_str().or(tool["type"].as_str())).collect()
    }

    /// Returns what person and agent said, as role and text, without what the server put in of its own.
    pub fn talk(&self) -> Vec<(&str, String)> {
        let messages = self.said().into_iter().filter(|(role, text)| {
            *role != "developer"
                && !text.starts_with("<environment_context>")
                && !text.starts_with("# AGENTS.md")
        });
        messages.collect()
    }

    /// Returns the same without who said it.
    pub fn words(&self) -> Vec<String> {
        self.talk().into_iter().map(|(_, text)| text).collect()
    }

    /// Returns the role and the text of every message, whoever put it in.
    pub fn said(&self) -> Vec<(&str, String)> {
        let messages = self.input().iter().filter(|item| item["type"] == "message");
        messages.map(|item| (item["role"].as_str().unwrap(), text(&item["content"]))).collect()
    }
}

/// Joins the texts of a message's parts.
fn text(content: &Value) -> String {
    let parts = content.as_array().unwrap().iter().filter_map(|part| part["text"].as_str());
    parts.collect::<Vec<_>>().join("\n")
}
