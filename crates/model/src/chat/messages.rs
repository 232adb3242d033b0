//! The conversation as messages.
//!
//! Invariants: every call is answered, right behind the message that holds it, and nothing is answered that was not
//! called: servers refuse anything else. Items that are appended change no earlier message, as long as what was there
//! ended in words of a person or in the outputs of all calls, since providers cache prompts by their beginnings.
//!
//! Not here: items that only a Responses API understands. They are left out.

use std::{borrow::Cow, collections::HashMap, iter};

use items::{ResponseItem, Role};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    thought,
    tools::{arguments_of, is_object, qualified},
};

/// One message.
#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub(super) enum Message<'a> {
    System { content: Cow<'a, str> },
    User { content: Content<'a> },
    Assistant(Said<'a>),
    Tool { tool_call_id: &'a str, content: Cow<'a, str> },
}

/// What a person says: a text wherever that is enough, since some servers take nothing else.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: Image<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct Image<'a> {
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// What the model says at once.
#[derive(Debug, Default, Serialize)]
pub(super) struct Said<'a> {
    /// Null beside calls alone: some servers refuse an empty text, others a message without the field.
    content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Called<'a>,
}

#[derive(Debug, Serialize)]
struct Called<'a> {
    name: Cow<'a, str>,
    arguments: Cow<'a, str>,
}

/// Told where the output of a call was never stored, as when a server died or a stream broke off behind the call.
const NO_OUTPUT: &str = "No output of this call is known. It may or may not have run.";

/// Stands for an output without a word: some servers refuse an empty one.
const EMPTY_OUTPUT: &str = "(no output)";

/// Asks for the rest of an answer that broke off. Many servers refuse a conversation that the model ended, or take its
/// last words for the beginning of the next ones.
const GO_ON: &str = "Your answer broke off here. Go on behind its last words, without repeating any.";

/// Writes a conversation as the messages of a request.
pub(super) fn of<'a>(instructions: Option<&'a str>, items: &'a [ResponseItem]) -> Vec<Message<'a>> {
    let mut messages = conversation(instructions, items);
    if let Some(Message::Assistant(_)) = messages.last() {
        messages.push(Message::User { content: Content::Text(GO_ON.into()) });
    }
    messages
}

/// Writes a conversation as messages.
///
/// The base prompt and what the server says before anybody else become one system message; what it says later is told
/// as words of the user, because many models' templates refuse, or silently drop, a system message further down.
fn conversation<'a>(instructions: Option<&'a str>, items: &'a [ResponseItem]) -> Vec<Message<'a>> {
    let opening = items.iter().take_while(|item| item.role() == Some(Role::Developer)).count();
    let texts = instructions.into_iter().chain(items[..opening].iter().flat_map(ResponseItem::texts));
    let system = joined(texts, PARAGRAPHS).map(|content| Message::System { content });
    let outputs = outputs(items);
    let mut writer = Writer { messages: system.into_iter().collect(), said: Words::default() };
    for (at, item) in items.iter().enumerate().skip(opening) {
        writer.add(item, outputs.get(&at).copied());
    }
    writer.finish();
    writer.messages
}

/// Finds the output of each call, by the place of the call: ids may come again in a long conversation.
fn outputs(items: &[ResponseItem]) -> HashMap<usize, &ResponseItem> {
    let (mut open, mut outputs) = (HashMap::new(), HashMap::new());
    for (at, item) in items.iter().enumerate() {
        let Some(id) = item.call_id() else { continue };
        if item.is_call() {
            open.insert(id, at);
        } else if item.is_output()
            && let Some(call) = open.remove(id)
        {
            outputs.insert(call, item);
        }
    }
    outputs
}

struct Writer<'a> {
    messages: Vec<Message<'a>>,
    /// What the model says, until somebody else speaks.
    said: Words<'a>,
}

/// What the model says between two words of others: one message, whatever the order of its parts.
#[derive(Default)]
struct Words<'a> {
    texts: Vec<Cow<'a, str>>,
    thoughts: Vec<&'a ResponseItem>,
    calls: Vec<Call<'a>>,
    /// The outputs of the calls, as far as they are known.
    outputs: Vec<Option<&'a ResponseItem>>,
}

impl<'a> Writer<'a> {
    fn add(&mut self, item: &'a ResponseItem, output: Option<&'a ResponseItem>) {
        match (item.kind(), item.role()) {
            ("message", Some(Role::Assistant)) => self.said.texts.extend(joined(item.texts(), "")),
            ("message", Some(Role::User | Role::Developer)) => {
                self.finish();
                self.messages.extend(content(item).map(|content| Message::User { content }));
            }
            ("reasoning", _) => self.said.thoughts.push(item),
            // It stands behind its call already.
            _ if item.is_output() => self.finish(),
            _ => {
                if let Some(call) = Call::of(item) {
                    self.said.calls.push(call);
                    self.said.outputs.push(output);
                }
            }
        }
    }

    /// Writes what the model said, and the outputs of its calls behind it.
    ///
    /// Its thoughts are kept only beside calls, where they are the plan that it still follows.
    fn finish(&mut self) {
        let Words { texts, thoughts, calls, outputs } = std::mem::take(&mut self.said);
        if texts.is_empty() && calls.is_empty() {
            return;
        }
        let content = joined(texts, PARAGRAPHS);
        let mut said = Said { content, tool_calls: calls, ..Said::default() };
        if !said.tool_calls.is_empty() {
            match thought::words(thoughts) {
                Some((thought::Name::ReasoningContent, words)) => said.reasoning_content = Some(words),
                Some((thought::Name::Reasoning, words)) => said.reasoning = Some(words),
                None => {}
            }
        }
        let ids: Vec<_> = said.tool_calls.iter().map(|call| call.id).collect();
        self.messages.push(Message::Assistant(said));
        // Only text can answer a call: images follow when all of them are answered.
        let mut images = Vec::new();
        for (id, output) in iter::zip(ids, outputs) {
            let output = output.and_then(|output| output.field("output"));
            let content = output.map_or(Cow::Borrowed(NO_OUTPUT), words_of);
            self.messages.push(Message::Tool { tool_call_id: id, content });
            images.extend(output.into_iter().flat_map(|output| shown(id, output)));
        }
        if !images.is_empty() {
            self.messages.push(Message::User { content: Content::Parts(images) });
        }
    }
}

impl<'a> Call<'a> {
    /// Writes a call as that of a function; `None` for any other item.
    fn of(item: &'a ResponseItem) -> Option<Self> {
        let id = item.call_id()?;
        let (name, arguments) = match item.kind() {
            "function_call" => (item.str("name")?, arguments(item.str("arguments").unwrap_or_default())),
            "custom_tool_call" => {
                (item.str("name")?, Cow::Owned(arguments_of(item.str("input").unwrap_or_default())))
            }
            "local_shell_call" => ("local_shell", Cow::Owned(item.field("action")?.to_string())),
            _ => return None,
        };
        let name = qualified(item.str("namespace"), name);
        Some(Self { id, kind: "function", function: Called { name, arguments } })
    }
}

/// Returns arguments that a server can read: many read them, and refuse the whole conversation over what a model once
/// got wrong.
fn arguments(given: &str) -> Cow<'_, str> {
    if is_object(given) {
        Cow::Borrowed(given)
    } else if given.trim().is_empty() {
        Cow::Borrowed("{}")
    } else {
        Cow::Owned(arguments_of(given))
    }
}

/// Returns what a message of a person holds; `None` where that is nothing.
fn content(item: &ResponseItem) -> Option<Content<'_>> {
    let parts: Vec<_> = item.parts("content").filter_map(part).collect();
    match parts.iter().any(|part| matches!(part, Part::ImageUrl { .. })) {
        true => Some(Content::Parts(parts)),
        false => joined(item.texts(), PARAGRAPHS).map(Content::Text),
    }
}

fn part(part: &Map<String, Value>) -> Option<Part<'_>> {
    if let Some(text) = part.get("text").and_then(Value::as_str) {
        return Some(text).filter(|text| !text.is_empty()).map(|text| Part::Text { text: text.into() });
    }
    let url = part.get("image_url")?.as_str()?;
    let detail = part.get("detail").and_then(Value::as_str);
    // A Responses API knows more words than these.
    let detail = detail.filter(|detail| ["auto", "high", "low"].contains(detail));
    Some(Part::ImageUrl { image_url: Image { url, detail } })
}

/// Returns the words of an output: a text, or the texts of its parts.
fn words_of(output: &Value) -> Cow<'_, str> {
    let words = match output {
        Value::String(text) => Some(Cow::Borrowed(text.as_str())),
        Value::Array(parts) => joined(parts.iter().filter_map(|part| part["text"].as_str()), "\n"),
        other => Some(Cow::Owned(other.to_string())),
    };
    words.filter(|words| !words.is_empty()).unwrap_or(Cow::Borrowed(EMPTY_OUTPUT))
}

/// Returns the images of an output, behind a word on where they come from.
fn shown<'a>(id: &str, output: &'a Value) -> Vec<Part<'a>> {
    let parts = output.as_array().into_iter().flatten().filter_map(Value::as_object).filter_map(part);
    let images: Vec<_> = parts.filter(|part| matches!(part, Part::ImageUrl { .. })).collect();
    let text = || Part::Text { text: format!("The images that call {id} put out:").into() };
    let heading = (!images.is_empty()).then(text);
    heading.into_iter().chain(images).collect()
}

/// Between texts that are documents of their own.
const PARAGRAPHS: &str = "\n\n";

/// Joins texts; `None` where there is nothing to say. One text alone is not copied.
fn joined<'a, T: Into<Cow<'a, str>>>(
    texts: impl IntoIterator<Item = T>,
    between: &str,
) -> Option<Cow<'a, str>> {
    let mut texts = texts.into_iter().map(Into::into).filter(|text| !text.is_empty());
    let mut all = texts.next()?;
    for text in texts {
        let all = all.to_mut();
        all.push_str(between);
        all.push_str(&text);
    }
    Some(all)
}

#[cfg(test)]
mod tests;
