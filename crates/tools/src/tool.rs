//! What a tool is, what it is called with, and what it answers.

use futures::future::BoxFuture;
use items::ResponseItem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::context::Context;

/// Something that the model can call.
pub(crate) trait Tool: Send + Sync {
    /// Returns the tool as the provider reads it; `None` for one that is understood without being offered.
    fn spec(&self) -> Option<Value>;

    /// Does what the call asks for. Every way out leaves the item of the call complete, where it has one.
    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>>;
}

/// A call of the model.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The id that joins it with its output; also that of its item.
    pub(crate) id: String,
    /// The tool.
    pub(crate) name: String,
    /// Whether the input is no JSON but whatever the tool's grammar says.
    pub(crate) custom: bool,
    /// The namespace of the tool, where the model names one.
    pub(crate) namespace: Option<String>,
    /// What the model passes: JSON for a function, anything for a custom tool.
    pub(crate) input: String,
}

/// What a tool answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Output {
    /// Words.
    Text(String),
    /// Parts of a message, such as images.
    Parts(Vec<Value>),
}

/// The person decided that the turn ends here; the call is answered for the record, and the model not asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stopped(pub(crate) String);

impl Call {
    /// Takes a call out of an item; `None` where the item is no call that can be answered.
    pub(crate) fn read(item: &ResponseItem) -> Option<Self> {
        let (name, input) = match item.kind() {
            "function_call" => (item.str("name")?, item.str("arguments").unwrap_or_default().to_owned()),
            "custom_tool_call" => (item.str("name")?, item.str("input").unwrap_or_default().to_owned()),
            "local_shell_call" => ("local_shell", item.field("action").unwrap_or(&Value::Null).to_string()),
            _ => return None,
        };
        Some(Self {
            id: item.call_id()?.to_owned(),
            name: name.to_owned(),
            custom: item.kind() == "custom_tool_call",
            namespace: item.str("namespace").map(str::to_owned),
            input,
        })
    }

    /// What a model is told that calls something that is not there.
    pub(crate) fn unsupported(&self) -> String {
        match self.custom {
            true => format!("unsupported custom tool call: {}", self.name),
            false => format!("unsupported call: {}", self.name),
        }
    }

    /// Reads the arguments; what is wrong with them is told to the model.
    pub(crate) fn arguments<T: DeserializeOwned>(&self) -> Result<T, Output> {
        let text = if self.input.trim().is_empty() { "{}" } else { &self.input };
        serde_json::from_str(text)
            .map_err(|error| Output::Text(format!("failed to parse function arguments: {error}")))
    }
}

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Makes the description of a function that the model can call.
pub(crate) fn function(name: &str, description: &str, properties: Value, required: &[&str]) -> Value {
    let parameters = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    function_of(name, description, parameters)
}

/// Makes the description of a function from the schema of what it takes.
pub(crate) fn function_of(name: &str, description: &str, parameters: Value) -> Value {
    Value::Object(Map::from_iter([
        ("type".to_owned(), "function".into()),
        ("name".to_owned(), name.into()),
        ("description".to_owned(), description.into()),
        ("strict".to_owned(), false.into()),
        ("parameters".to_owned(), parameters),
    ]))
}
