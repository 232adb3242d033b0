//! What a client says in a turn, and what of it goes to the model.

use std::path::Path;

use items::{ResponseItem, Role};
use serde::Serialize;
use serde_json::{Value, json};

/// Above this a skill is named instead of sent: it would fill the window of any model.
const MAX_SKILL: u64 = 1 << 20;

/// One input of a turn, in the form in which it is kept and echoed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Input {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// What a client marked in them.
        text_elements: Vec<Value>,
    },
    /// An image by URL, a data URL included.
    Image {
        /// The URL.
        url: String,
        /// How finely the model is to look.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<Value>,
    },
    /// An image in a file.
    LocalImage {
        /// The file.
        path: String,
        /// How finely the model is to look.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<Value>,
    },
    /// A skill to follow.
    Skill {
        /// Its name.
        name: String,
        /// Its file.
        path: String,
    },
    /// Something that the client refers to; not for the model.
    Mention {
        /// Its name.
        name: String,
        /// Its address.
        path: String,
    },
}

/// Returns the user message for the model, and the messages that skills add behind it.
pub(crate) fn messages(inputs: &[Input]) -> Vec<ResponseItem> {
    let mut images = 0;
    let mut parts = Vec::new();
    for input in inputs {
        match input {
            Input::Text { text, .. } => parts.push(text_part(text)),
            Input::Image { url, detail } => {
                images += 1;
                parts.push(image_part(url, detail.as_ref()));
            }
            Input::LocalImage { path, detail } => {
                images += 1;
                parts.extend(local_image(images, path, detail.as_ref()));
            }
            Input::Skill { .. } | Input::Mention { .. } => {}
        }
    }
    let said = (!parts.is_empty()).then(|| ResponseItem::message_of(Role::User, parts));
    said.into_iter().chain(inputs.iter().filter_map(skill)).collect()
}

/// Returns the record of what was said.
pub(crate) fn record(inputs: &[Input], client_id: Option<String>, turn: &str, item: &str) -> rollout::Event {
    let mut message = String::new();
    let (mut images, mut local_images, mut text_elements) = (Vec::new(), Vec::new(), Vec::new());
    for input in inputs {
        match input {
            Input::Text { text, text_elements: elements } => {
                message.push_str(text);
                text_elements.extend(elements.iter().cloned());
            }
            Input::Image { url, .. } => images.push(url.clone()),
            Input::LocalImage { path, .. } => local_images.push(path.clone()),
            Input::Skill { .. } | Input::Mention { .. } => {}
        }
    }
    rollout::Event::UserMessage {
        message,
        images: Some(images),
        local_images,
        text_elements,
        inputs: Some(inputs.iter().filter_map(|input| serde_json::to_value(input).ok()).collect()),
        client_id,
        turn_id: Some(turn.to_owned()),
        item_id: Some(item.to_owned()),
    }
}

/// Counts the characters of all texts, which is what the limit of an input is about.
pub fn text_chars(inputs: &[Input]) -> usize {
    inputs
        .iter()
        .map(|input| match input {
            Input::Text { text, .. } => text.chars().count(),
            _ => 0,
        })
        .sum()
}

fn text_part(text: impl Into<String>) -> Value {
    ResponseItem::text_part(Role::User, text)
}

fn image_part(url: &str, detail: Option<&Value>) -> Value {
    let mut part = json!({ "type": "input_image", "image_url": url });
    if let Some(detail) = detail {
        part["detail"] = detail.clone();
    }
    part
}

fn local_image(number: usize, path: &str, detail: Option<&Value>) -> Vec<Value> {
    match tools::image::data_url(Path::new(path)) {
        Ok(url) => vec![
            text_part(format!("<image name=[Image #{number}]>")),
            image_part(&url, detail),
            text_part("</image>"),
        ],
        Err(reason) => vec![text_part(format!("[The image `{path}` could not be attached: {reason}]"))],
    }
}

fn skill(input: &Input) -> Option<ResponseItem> {
    let Input::Skill { name, path } = input else { return None };
    let text = match skill_text(Path::new(path)) {
        Ok(body) => format!("<skill>\n<name>{name}</name>\n<path>{path}</path>\n{body}\n</skill>"),
        Err(error) => {
            format!("<skill>\n<name>{name}</name>\n<path>{path}</path>\nIt cannot be read: {error}\n</skill>")
        }
    };
    Some(ResponseItem::message(Role::User, text))
}

fn skill_text(path: &Path) -> Result<String, String> {
    let bytes = tools::whole_file(path, MAX_SKILL)?;
    String::from_utf8(bytes).map_err(|_| "it is not a text in UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn text(text: &str) -> Input {
        Input::Text { text: text.to_owned(), text_elements: Vec::new() }
    }

    #[test]
    fn one_message_holds_all_that_was_said_in_order() {
        let inputs = [text("one"), Input::Image { url: "data:x".into(), detail: None }, text("two")];
        let [message] = &messages(&inputs)[..] else { panic!("one message") };
        assert_eq!(
            serde_json::to_value(message).unwrap()["content"],
            json!([
                { "type": "input_text", "text": "one" },
                { "type": "input_image", "image_url": "data:x" },
                { "type": "input_text", "text": "two" },
            ])
        );
    }

    #[test]
    fn an_image_that_cannot_be_read_is_told_and_the_rest_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no image");
        std::fs::write(&path, "words").unwrap();
        for (path, reason) in [(path.to_str().unwrap(), "not a PNG"), ("/none/here.png", "No such file")] {
            let [message] = &messages(&[Input::LocalImage { path: path.into(), detail: None }])[..] else {
                panic!("one")
            };
            let told = message.text();
            assert!(told.contains(path) && told.contains(reason), "{told}");
        }
    }

    #[test]
    fn a_skill_is_sent_and_one_that_is_no_file_of_words_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let [body, odd, giant, pipe] = ["body", "odd", "giant", "pipe"].map(path);
        std::fs::write(&body, "do this").unwrap();
        std::fs::write(&odd, b"\xff").unwrap();
        std::fs::File::create(&giant).unwrap().set_len(MAX_SKILL + 1).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for (path, told) in [
            (body, "\ndo this\n</skill>"),
            (odd, "cannot be read: it is not a text in UTF-8"),
            (giant, "cannot be read: its 1048577 bytes are more"),
            (pipe, "cannot be read: it is not a file"),
            ("/none/here".to_owned(), "cannot be read: No such file"),
        ] {
            let [message] = &messages(&[Input::Skill { name: "s".into(), path: path.clone() }])[..] else {
                panic!("one message for {path}")
            };
            assert!(message.text().contains(told), "{path}: {}", message.text());
        }
    }

    #[test]
    fn a_mention_is_kept_and_not_sent() {
        let inputs = [Input::Mention { name: "App".into(), path: "app://a".into() }];
        assert!(messages(&inputs).is_empty());
    }
}
