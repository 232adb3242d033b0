//! Reasoning, which providers send under two names, and of which some want it back.

use items::ResponseItem;
use serde_json::{Value, json};

/// The name under which a provider sends reasoning.
///
/// Whoever sends it takes it back under the same name, and refuses the request or forgets its plan without it
/// (DeepSeek, Kimi); others refuse the name that is not theirs (Groq). So the item keeps the name, as the type of its
/// part: both types are known to whoever reads the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// DeepSeek, Kimi, llama.cpp, LM Studio, older vLLM.
    ReasoningContent,
    /// OpenRouter, Ollama, Groq, newer vLLM.
    Reasoning,
}

impl Name {
    fn part(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_text",
            Self::Reasoning => "text",
        }
    }
}

/// Makes the item of a reasoning that begins.
pub(super) fn begun(id: &str) -> ResponseItem {
    ResponseItem::of([("type", "reasoning".into()), ("id", id.into()), ("summary", json!([]))])
}

/// Makes the item of a reasoning that is complete.
pub(super) fn done(id: &str, name: Name, text: &str) -> ResponseItem {
    ResponseItem::of([
        ("type", "reasoning".into()),
        ("id", id.into()),
        ("summary", json!([])),
        ("content", json!([{ "type": name.part(), "text": text }])),
    ])
}

/// Returns the words of reasoning items, and the name under which they came; `None` where they are not to be read.
pub(super) fn words<'a>(items: impl IntoIterator<Item = &'a ResponseItem>) -> Option<(Name, String)> {
    let parts = items.into_iter().flat_map(|item| item.parts("content"));
    let mut said: Option<(Name, String)> = None;
    for part in parts {
        let Some(text) = part.get("text").and_then(Value::as_str) else { continue };
        let is_plain = part.get("type").is_some_and(|kind| kind == Name::Reasoning.part());
        let name = if is_plain { Name::Reasoning } else { Name::ReasoningContent };
        said.get_or_insert_with(|| (name, String::new())).1.push_str(text);
    }
    said
}
