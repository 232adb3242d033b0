//! What a tool answered, cut to a size that a rollout and a client can bear.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// How much of an answer is kept. A picture of a whole screen fits, a table of a database does not; a model reads no
/// more than a small part of this anyway.
pub(crate) const MOST_BYTES: usize = 4 << 20;

/// The answer of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallResult {
    /// Its blocks, in the words of the protocol.
    pub content: Vec<Value>,
    /// The same for programs, where the tool gives it.
    pub structured_content: Option<Value>,
    /// Whether the tool says that it failed.
    pub is_error: Option<bool>,
    /// What the server sent along.
    pub meta: Option<Map<String, Value>>,
}

impl CallResult {
    /// Reads an answer; what is too long for all of it to be kept is cut, and says so.
    pub(crate) fn of_answer(answer: Value) -> Self {
        let Value::Object(mut answer) = answer else { return Self::default() };
        let mut room = MOST_BYTES;
        let content = match answer.remove("content") {
            Some(Value::Array(blocks)) => blocks,
            _ => Vec::new(),
        };
        let structured = answer.remove("structuredContent");
        let meta = match answer.remove("_meta") {
            Some(Value::Object(meta)) => Some(meta),
            _ => None,
        };
        Self {
            content: content.into_iter().map(|block| fit(block, &mut room)).collect(),
            structured_content: structured.filter(|value| fits(value, &mut room)),
            is_error: answer.get("isError").and_then(Value::as_bool),
            meta: meta.filter(|meta| fits(meta, &mut room)),
        }
    }
}

fn fit(block: Value, room: &mut usize) -> Value {
    if fits(&block, room) {
        return block;
    }
    let text = match block.get("text").and_then(Value::as_str) {
        Some(text) => {
            let kept = &text[..text.floor_char_boundary(*room)];
            format!("{kept}\n[{} bytes more are left out]", text.len() - kept.len())
        }
        None => "[too large, left out]".to_owned(),
    };
    *room = 0;
    json!({ "type": "text", "text": text })
}

/// Takes the room that a value needs, if there is so much.
pub(crate) fn fits(value: &impl Serialize, room: &mut usize) -> bool {
    let needed = serde_json::to_string(value).map_or(usize::MAX, |text| text.len());
    let left = room.checked_sub(needed);
    *room = left.unwrap_or(*room);
    left.is_some()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_answer_is_kept_as_it_is() {
        let block = json!({ "type": "from_the_future", "x": 1 });
        for (answer, expected) in [
            (json!({}), CallResult::default()),
            (
                json!({ "content": [block], "structuredContent": null, "isError": false, "_meta": { "a": 1 } }),
                CallResult {
                    content: vec![block.clone()],
                    structured_content: Some(Value::Null),
                    is_error: Some(false),
                    meta: json!({ "a": 1 }).as_object().cloned(),
                },
            ),
        ] {
            assert_eq!(CallResult::of_answer(answer), expected);
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        let text = |text: String| json!({ "type": "text", "text": text });
        let long = "é".repeat(MOST_BYTES / 2 + 1);
        let answer = json!({
            "content": [text("a".into()), text(long), { "type": "image", "data": "x".repeat(100) }],
            "structuredContent": { "b": 1 },
        });
        let result = CallResult::of_answer(answer);
        let [first, second, third] = result.content.as_slice() else { panic!() };
        assert_eq!((first, third), (&text("a".into()), &text("[too large, left out]".into())));
        let cut = second["text"].as_str().unwrap();
        assert_eq!(cut.trim_start_matches('é'), "\n[28 bytes more are left out]");
        assert_eq!(result.structured_content, None);
    }
}
