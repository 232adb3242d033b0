//! What a person put in, as the rollout has it.

use protocol::UserInput;
use serde_json::Value;

use crate::stored::{camel, camel_keys, wire};

/// Reads inputs that stand in the record as the client sent them.
pub(super) fn as_sent(inputs: &[Value]) -> Vec<UserInput> {
    inputs.iter().filter_map(wire).collect()
}

/// Puts inputs together from what the message events of the published releases keep of them: one text, then images.
pub(super) fn from_message(
    message: &str,
    elements: &[Value],
    images: &[String],
    local_images: &[String],
) -> Vec<UserInput> {
    let mut inputs = Vec::new();
    if !message.trim().is_empty() {
        let text_elements = elements.iter().filter_map(|element| wire(&camel_keys(element))).collect();
        inputs.push(UserInput::Text { text: message.to_owned(), text_elements });
    }
    inputs.extend(images.iter().map(|url| UserInput::Image { url: url.clone(), detail: None }));
    inputs.extend(local_images.iter().map(|path| UserInput::LocalImage { path: path.clone(), detail: None }));
    inputs
}

/// Reads the inputs of an `item_completed`.
pub(super) fn from_item(content: &[Value]) -> Vec<UserInput> {
    content.iter().filter_map(from_item_part).collect()
}

fn from_item_part(stored: &Value) -> Option<UserInput> {
    let mut part = camel_keys(stored);
    part["type"] = camel(stored["type"].as_str()?).into();
    if let Some(url) = part.get("imageUrl").cloned() {
        part["url"] = url;
    }
    if let Some(elements) = part.get("textElements").cloned() {
        part["text_elements"] = elements;
    }
    wire(&part)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_inputs_of_an_item_are_respelled() {
        let stored = [
            json!({"type": "text", "text": "a", "text_elements": [{"byte_range": {"start": 0, "end": 1}, "placeholder": "[x]"}]}),
            json!({"type": "local_image", "path": "/i.png"}),
            json!({"type": "image", "image_url": "data:image/png;base64,AAAA", "detail": "high"}),
            json!({"type": "mention", "name": "M", "path": "app://m"}),
            json!({"type": "skill", "name": "S", "path": "/s"}),
            json!({"type": "of_the_future"}),
            json!("odd"),
        ];
        let wire = json!([
            {"type": "text", "text": "a", "text_elements": [{"byteRange": {"start": 0, "end": 1}, "placeholder": "[x]"}]},
            {"type": "localImage", "path": "/i.png", "detail": null},
            {"type": "image", "url": "data:image/png;base64,AAAA", "detail": "high"},
            {"type": "mention", "name": "M", "path": "app://m"},
            {"type": "skill", "name": "S", "path": "/s"},
        ]);
        assert_eq!(serde_json::to_value(from_item(&stored)).unwrap(), wire);
        assert_eq!(as_sent(wire.as_array().unwrap()), from_item(&stored));
    }

    #[test]
    fn the_parts_of_a_message_event_come_text_first() {
        let element = json!({"byte_range": {"start": 0, "end": 4}, "placeholder": null});
        let inputs = from_message("look", &[element], &["data:x".into()], &["/i.png".into()]);
        assert_eq!(
            serde_json::to_value(inputs).unwrap(),
            json!([
                {"type": "text", "text": "look", "text_elements": [{"byteRange": {"start": 0, "end": 4}, "placeholder": null}]},
                {"type": "image", "url": "data:x", "detail": null},
                {"type": "localImage", "path": "/i.png", "detail": null},
            ])
        );
        assert_eq!(from_message(" \n", &[], &[], &[]), []);
    }
}
