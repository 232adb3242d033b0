//! One piece of a response, in whatever dialect: what every server calls the same, and what some call otherwise.
//!
//! Read field by field and not as a whole, so that a field of an unknown form costs no more than itself.

use std::borrow::Cow;

use serde_json::Value;

use super::thought::Name;
use crate::TokenUsage;

/// What the data of one event holds.
pub(super) struct Chunk(Value);

/// What is told of the answer; of several answers only the first counts, and we ask for one.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a>(&'a Value);

/// A piece of a call.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Piece<'a> {
    /// Which call it belongs to, where that is told.
    pub(super) index: Option<u64>,
    /// The id of the call, mostly in its first piece only.
    pub(super) id: Option<&'a str>,
    /// The name of the function, mostly in the first piece only.
    pub(super) name: Option<&'a str>,
    /// More of its arguments.
    pub(super) arguments: Cow<'a, str>,
}

impl Chunk {
    /// Reads the data of an event; `None` when it is no JSON object.
    pub(super) fn read(data: &str) -> Option<Self> {
        serde_json::from_str(data).ok().filter(Value::is_object).map(Self)
    }

    /// Takes out what went wrong, wherever it stands: in the event, in the choice, or in place of either.
    pub(super) fn take_error(&mut self) -> Option<Value> {
        let in_place = self.0["object"] == "error";
        let places = [self.0.pointer("/error"), self.0.pointer("/choices/0/error")];
        let error = places.into_iter().flatten().find(|error| !error.is_null()).cloned();
        error.or_else(|| in_place.then(|| self.0.take()))
    }

    /// Returns the provider's id of the response.
    pub(super) fn id(&self) -> Option<&str> {
        filled(&self.0["id"])
    }

    /// Tells whether this is a piece of a response, if only an empty one.
    pub(super) fn is_response(&self) -> bool {
        self.0["choices"].is_array()
    }

    pub(super) fn choice(&self) -> Option<Choice<'_>> {
        let choices = self.0["choices"].as_array()?;
        choices.iter().find(|choice| choice["index"].as_u64().unwrap_or(0) == 0).map(Choice)
    }

    /// Returns what the response took, where it is told.
    pub(super) fn usage(&self) -> Option<TokenUsage> {
        let usage = &self.0["usage"];
        let count = |path: &str| usage.pointer(path).and_then(Value::as_i64);
        let input_tokens = count("/prompt_tokens")?;
        let output_tokens = count("/completion_tokens").unwrap_or(0);
        let cached = count("/prompt_tokens_details/cached_tokens");
        Some(TokenUsage {
            input_tokens,
            // DeepSeek has a name of its own.
            cached_input_tokens: cached.or_else(|| count("/prompt_cache_hit_tokens")).unwrap_or(0),
            output_tokens,
            reasoning_output_tokens: count("/completion_tokens_details/reasoning_tokens").unwrap_or(0),
            total_tokens: count("/total_tokens")
                .unwrap_or_else(|| input_tokens.saturating_add(output_tokens)),
        })
    }
}

impl<'a> Choice<'a> {
    /// Returns why the answer ends. Some servers send an empty reason until then; a whole message is an end by itself.
    pub(super) fn finish(self) -> Option<&'a str> {
        let whole = self.0["message"].is_object().then_some("stop");
        filled(&self.0["finish_reason"]).or(whole)
    }

    /// Returns a piece of the reasoning, with the name that it came under.
    pub(super) fn thought(self) -> Option<(Name, Cow<'a, str>)> {
        let delta = self.delta();
        let named = [(Name::ReasoningContent, "reasoning_content"), (Name::Reasoning, "reasoning")];
        let said = named.into_iter().find_map(|(name, field)| Some((name, filled(&delta[field])?.into())));
        let detailed = || {
            // OpenRouter repeats here what stands under the plain name, or tells it only here.
            let texts = parts(&delta["reasoning_details"]).filter_map(|part| filled(&part["text"]));
            some(texts.collect()).map(|text| (Name::Reasoning, text))
        };
        let inside = || {
            // Mistral: a part of the content, with parts of its own.
            let thinking = parts(&delta["content"]).filter(|part| part["type"] == "thinking");
            let texts = thinking.flat_map(|part| parts(&part["thinking"]));
            some(texts.filter_map(|part| filled(&part["text"])).collect()).map(|text| (Name::Reasoning, text))
        };
        said.or_else(detailed).or_else(inside)
    }

    /// Returns a piece of the message; a refusal is one.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let delta = self.delta();
        let plain = filled(&delta["content"]).or_else(|| filled(&delta["refusal"])).map(Cow::Borrowed);
        plain.or_else(|| some(parts(&delta["content"]).filter_map(|part| filled(&part["text"])).collect()))
    }

    /// Returns the pieces of calls; a function that is called the old way is one.
    pub(super) fn calls(self) -> impl Iterator<Item = Piece<'a>> {
        let delta = self.delta();
        let calls = parts(&delta["tool_calls"]).map(|call| Piece {
            index: call["index"].as_u64(),
            id: filled(&call["id"]),
            ..Piece::of(&call["function"])
        });
        let old = Some(&delta["function_call"]).filter(|call| call.is_object());
        calls.chain(old.map(Piece::of))
    }

    fn delta(self) -> &'a Value {
        let delta = &self.0["delta"];
        if delta.is_object() { delta } else { &self.0["message"] }
    }
}

impl<'a> Piece<'a> {
    fn of(function: &'a Value) -> Self {
        let arguments = match &function["arguments"] {
            Value::String(text) => text.into(),
            // Servers that come from another API send the object itself.
            object @ Value::Object(_) => object.to_string().into(),
            _ => Cow::default(),
        };
        Self { name: filled(&function["name"]), arguments, ..Self::default() }
    }
}

/// Returns a text that says something: where there is nothing to say, servers send no field, null or an empty text.
fn filled(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn some<'a>(text: String) -> Option<Cow<'a, str>> {
    (!text.is_empty()).then_some(Cow::Owned(text))
}

fn parts(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
