//! One conversation item, verbatim, with typed views of the kinds that Skein acts on.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One conversation item: a JSON object with a `type`, kept as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseItem(Map<String, Value>);

/// Who speaks in a message item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the server tells the model.
    Developer,
    /// What the person (or injected context) tells the model.
    User,
    /// What the model said.
    Assistant,
}

/// The value offered as a conversation item is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnObject;

impl fmt::Display for NotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a JSON object")
    }
}

impl std::error::Error for NotAnObject {}

impl Role {
    /// Returns the word of the model API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    /// Returns the type of the text parts in a message of this role.
    fn text_type(self) -> &'static str {
        match self {
            Self::Developer | Self::User => "input_text",
            Self::Assistant => "output_text",
        }
    }
}

impl TryFrom<Value> for ResponseItem {
    type Error = NotAnObject;

    fn try_from(value: Value) -> Result<Self, NotAnObject> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(NotAnObject),
        }
    }
}

impl ResponseItem {
    /// Makes a message of one text part.
    pub fn message(role: Role, text: impl Into<String>) -> Self {
        Self::message_of(role, [Self::text_part(role, text)])
    }

    /// Makes a message of the given content parts.
    pub fn message_of(role: Role, parts: impl IntoIterator<Item = Value>) -> Self {
        Self::of([
            ("type", "message".into()),
            ("role", role.as_str().into()),
            ("content", parts.into_iter().collect()),
        ])
    }

    /// Makes the text part of a message.
    pub fn text_part(role: Role, text: impl Into<String>) -> Value {
        json!({ "type": role.text_type(), "text": text.into() })
    }

    /// Answers `call` (any of the call kinds) with a text or with parts; `None` when `call` is no call with an id.
    pub fn output_for(call: &Self, output: impl Into<Value>) -> Option<Self> {
        let kind = call.output_kind()?;
        Some(Self::of([
            ("type", kind.into()),
            ("call_id", call.call_id()?.into()),
            ("output", output.into()),
        ]))
    }

    /// Makes an item of the given fields.
    pub fn of<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Returns the item's `type`, or `""` where there is none.
    pub fn kind(&self) -> &str {
        self.str("type").unwrap_or_default()
    }

    /// Returns a field that holds a string.
    pub fn str(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// Returns a field as it is.
    pub fn field(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// Returns the model's own id of the item.
    pub fn id(&self) -> Option<&str> {
        self.str("id").filter(|id| !id.is_empty())
    }

    /// Returns the speaker, for a message of a role that we know.
    pub fn role(&self) -> Option<Role> {
        if self.kind() != "message" {
            return None;
        }
        match self.str("role")? {
            "developer" | "system" => Some(Role::Developer),
            "user" => Some(Role::User),
            "assistant" => Some(Role::Assistant),
            _ => None,
        }
    }

    /// Returns the texts of a message's content parts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts("content").filter_map(|part| part.get("text").and_then(Value::as_str))
    }

    /// Returns the whole text of a message.
    pub fn text(&self) -> String {
        self.texts().collect()
    }

    /// Returns the objects of an array field, such as `content` or `summary`.
    pub fn parts(&self, field: &str) -> impl Iterator<Item = &Map<String, Value>> {
        self.0.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
    }

    /// Returns the id that joins a call and its output.
    pub fn call_id(&self) -> Option<&str> {
        self.str("call_id")
    }

    /// Tells whether the model waits for an output to this item.
    pub fn is_call(&self) -> bool {
        self.output_kind().is_some()
    }

    /// Makes a call one that can be answered and sent back, however it came: its id is `id` where it has none, or one
    /// that is taken; its name is a text that is not empty, and what it passes is a text.
    pub fn make_answerable(&mut self, is_taken: impl Fn(&str) -> bool, id: impl FnOnce() -> String) {
        if self.call_id().is_none_or(|own| own.is_empty() || is_taken(own)) {
            self.0.insert("call_id".to_owned(), id().into());
        }
        let passed = match self.kind() {
            "function_call" => "arguments",
            "custom_tool_call" => "input",
            _ => return,
        };
        for field in ["name", passed] {
            let text = match self.0.get(field) {
                Some(Value::String(_)) => continue,
                Some(Value::Null) | None if field == "arguments" => "{}".to_owned(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            self.0.insert(field.to_owned(), text.into());
        }
        // No API takes a call without a name back.
        if self.str("name").is_some_and(str::is_empty) {
            self.0.insert("name".to_owned(), "unnamed".into());
        }
    }

    /// Tells whether this item answers a call.
    pub fn is_output(&self) -> bool {
        self.call_id().is_some() && self.kind().ends_with("_output")
    }

    /// Returns how long the item is as JSON, in bytes, with so much for the URL of each image.
    pub fn weight(&self, image: usize) -> usize {
        let urls = ["content", "output"].into_iter().flat_map(|field| self.parts(field));
        let urls = urls.filter_map(|part| part.get("image_url")?.as_str().map(str::len));
        let (count, bytes) = urls.fold((0, 0), |(count, bytes), len| (count + 1, bytes + len));
        let whole = serde_json::to_string(self).map_or(0, |text| text.len());
        (whole + count * image).saturating_sub(bytes)
    }

    /// Puts a text in the place of each image whose URL is not to be sent, in a message or in an output of parts.
    pub fn replace_images(&mut self, is_unfit: impl Fn(&str) -> bool, text: &str) {
        for field in ["content", "output"] {
            for part in self.0.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
                if part["type"] == "input_image" && part["image_url"].as_str().is_some_and(&is_unfit) {
                    *part = Self::text_part(Role::User, text);
                }
            }
        }
    }

    fn output_kind(&self) -> Option<&'static str> {
        match self.kind() {
            "function_call" | "local_shell_call" => Some("function_call_output"),
            "custom_tool_call" => Some("custom_tool_call_output"),
            _ => None,
        }
    }

    /// Tells whether this user message is context that a server put in, not words of the person.
    pub fn is_injected_context(&self) -> bool {
        self.role() == Some(Role::User) && self.texts().next().is_some_and(is_injected_context)
    }
}

/// The openings of user messages that a server writes by itself; the first two are those of the published rollouts.
const INJECTED: [&str; 10] = [
    "<environment_context>",
    "<user_instructions>",
    "# AGENTS.md instructions",
    "<skill>",
    "<turn_aborted>",
    "<user_action>",
    "<codex_internal_context",
    "<user_shell_command>",
    "<permissions instructions>",
    "<subagent_notification>",
];

/// Tells whether a text opens as context does that a server puts in.
pub fn is_injected_context(text: &str) -> bool {
    let text = text.trim_start();
    INJECTED.iter().any(|opening| text.starts_with(opening))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: Value) -> ResponseItem {
        ResponseItem::try_from(value).unwrap()
    }

    #[test]
    fn what_we_do_not_know_comes_back_as_it_was() {
        let text = r#"{"a":[1,{"b":null}],"type":"from_the_future","z":1.5}"#;
        let read: ResponseItem = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn a_call_is_answered_in_its_own_kind() {
        for (call, output) in [
            ("function_call", Some("function_call_output")),
            ("local_shell_call", Some("function_call_output")),
            ("custom_tool_call", Some("custom_tool_call_output")),
            ("web_search_call", None),
        ] {
            let call = item(json!({ "type": call, "call_id": "c" }));
            let answer = ResponseItem::output_for(&call, "no");
            assert_eq!(answer.as_ref().map(ResponseItem::kind), output);
            assert!(answer.is_none_or(|a| a.is_output() && a.call_id() == Some("c")));
        }
    }

    #[test]
    fn a_call_that_came_without_what_it_needs_is_given_it() {
        let call = |fields: Value| {
            let mut item = item(fields);
            item.make_answerable(|id| id == "taken", || "new".to_owned());
            serde_json::to_value(item).unwrap()
        };
        let function = |id: Value, name: Value, arguments: Value| json!({ "type": "function_call", "call_id": id, "name": name, "arguments": arguments });
        for (came, kept) in [
            (function("c".into(), "n".into(), "{}".into()), function("c".into(), "n".into(), "{}".into())),
            (function("taken".into(), "n".into(), "".into()), function("new".into(), "n".into(), "".into())),
            (
                function("".into(), Value::Null, Value::Null),
                function("new".into(), "unnamed".into(), "{}".into()),
            ),
            (
                function("c".into(), "".into(), "{}".into()),
                function("c".into(), "unnamed".into(), "{}".into()),
            ),
            (
                function(5.into(), "n".into(), json!({ "a": 1 })),
                function("new".into(), "n".into(), r#"{"a":1}"#.into()),
            ),
            (
                json!({ "type": "custom_tool_call", "name": "n" }),
                json!({ "type": "custom_tool_call", "name": "n", "call_id": "new", "input": "" }),
            ),
            (
                json!({ "type": "local_shell_call", "call_id": "c" }),
                json!({ "type": "local_shell_call", "call_id": "c" }),
            ),
        ] {
            assert_eq!(call(came), kept);
        }
    }

    #[test]
    fn an_unfit_image_gives_way_to_a_text() {
        let image = |url: &str| json!({ "type": "input_image", "image_url": url });
        for field in ["content", "output"] {
            let mut item = item(json!({ "type": "x", field: [image("data:bad"), image("data:good")] }));
            item.replace_images(|url| url.ends_with("bad"), "gone");
            let text = json!({ "type": "input_text", "text": "gone" });
            assert_eq!(item.field(field), Some(&json!([text, image("data:good")])));
        }
    }

    #[test]
    fn an_image_weighs_what_it_is_said_to() {
        let of =
            |url: &str| item(json!({ "type": "x", "output": [{ "type": "input_image", "image_url": url }] }));
        let (none, long) = (of(""), of(&"x".repeat(5000)));
        assert_eq!(long.weight(7), none.weight(7));
        assert_eq!(none.weight(7), serde_json::to_string(&none).unwrap().len() + 7);
    }

    #[test]
    fn injected_context_is_told_from_the_persons_words() {
        for (text, injected) in [
            ("<environment_context>\n<cwd>/</cwd>", true),
            ("  <user_instructions>x", true),
            ("# AGENTS.md instructions for /w", true),
            ("<codex_internal_context source=\"goal\">x", true),
            ("tell me about <environment_context>", false),
            ("", false),
        ] {
            assert_eq!(ResponseItem::message(Role::User, text).is_injected_context(), injected, "{text:?}");
        }
        assert!(!ResponseItem::message(Role::Assistant, "<environment_context>").is_injected_context());
    }

    #[test]
    fn a_value_that_is_no_object_is_refused() {
        assert_eq!(ResponseItem::try_from(json!([1])), Err(NotAnObject));
    }
}
