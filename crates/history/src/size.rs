//! How large an item is on the wire, and what happens to one that is too large.

use std::io;

use protocol::ThreadItem;
use serde::Serialize;
use serde_json::Value;

/// The longest text that an item carries, in bytes.
///
/// Whatever a person can type comes back whole (1,048,576 characters of up to four bytes), and so does every image that
/// a model takes; the published servers are known to deliver lines of this size. Beyond it are only the outputs of
/// commands that ran wild, which no client shows and which as one line would stall all that waits behind it.
pub const MAX_TEXT: usize = 8 << 20;

/// How a URL begins that is its own content.
pub(crate) const DATA_URL: &str = "data:";

/// How the URL begins that stands in the place of an image.
const LEFT_OUT_URL: &str = "data:text/plain,";

/// When a text is cut, and to what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    /// The longest text that stays whole, in bytes.
    pub longest: usize,
    /// How much of a longer one stays at either end.
    pub kept: usize,
}

/// The caps of everything that is told.
pub(crate) const CAPS: Caps = Caps { longest: MAX_TEXT, kept: 256 << 10 };

/// Returns how many bytes a value takes on the wire.
pub(crate) fn wire_size(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail, and the wire types have no keys that are no strings.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Cuts the texts of an item that are longer than [`MAX_TEXT`], and says in each how much is missing.
pub(crate) fn fit(item: ThreadItem) -> ThreadItem {
    if wire_size(&item) <= MAX_TEXT {
        return item;
    }
    let Ok(mut value) = serde_json::to_value(&item) else { return item };
    cut_texts(&mut value, CAPS);
    serde_json::from_value(value).unwrap_or(item)
}

/// Cuts every text in a value that is too long.
pub(crate) fn cut_texts(value: &mut Value, caps: Caps) {
    match value {
        Value::String(text) if text.len() > caps.longest => *text = cut(text, caps.kept),
        Value::Array(values) => values.iter_mut().for_each(|value| cut_texts(value, caps)),
        Value::Object(fields) => fields.values_mut().for_each(|value| cut_texts(value, caps)),
        _ => {}
    }
}

fn cut(text: &str, kept: usize) -> String {
    // Half an image is none, and the place where it stood has to hold a URL.
    if text.starts_with(DATA_URL) {
        return image_left_out(text.len());
    }
    let head = text.floor_char_boundary(kept);
    let tail = text.ceil_char_boundary(text.len() - kept);
    [&text[..head], &left_out(tail - head), &text[tail..]].concat()
}

/// What stands in the place of a middle that was cut out.
pub(crate) fn left_out(bytes: usize) -> String {
    format!("\n[{bytes} bytes left out]\n")
}

/// What stands in the place of an image that was left out.
pub(crate) fn image_left_out(bytes: usize) -> String {
    format!("{LEFT_OUT_URL}{bytes} bytes left out")
}

/// Tells whether a URL is what stands in the place of an image that was left out.
pub(crate) fn is_image_left_out(url: &str) -> bool {
    url.starts_with(LEFT_OUT_URL)
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use protocol::UserInput;

    use super::*;

    #[test]
    fn a_long_text_is_cut_in_the_middle_and_says_so() {
        let text = "é".repeat(MAX_TEXT / 2 + 1);
        let ThreadItem::Plan { text: cut, .. } = fit(ThreadItem::Plan { id: "p".into(), text }) else {
            panic!()
        };
        assert!(cut.len() < MAX_TEXT / 8);
        assert!(cut.starts_with('é') && cut.ends_with('é'));
        let left_out = MAX_TEXT + 2 - 2 * CAPS.kept;
        assert!(cut.contains(&format!("\n[{left_out} bytes left out]\n")));
    }

    #[test]
    fn a_text_at_the_limit_and_its_neighbours_stay_whole() {
        let whole = ThreadItem::UserMessage {
            id: "u".into(),
            client_id: None,
            content: vec![
                UserInput::Text { text: "x".repeat(MAX_TEXT), text_elements: Vec::new() },
                UserInput::Image { url: format!("data:{}", "A".repeat(MAX_TEXT)), detail: None },
            ],
        };
        let ThreadItem::UserMessage { content: fitted, .. } = fit(whole.clone()) else { panic!() };
        let ThreadItem::UserMessage { content: whole, .. } = whole else { panic!() };
        assert_eq!(fitted[0], whole[0]);
        let url = format!("data:text/plain,{} bytes left out", MAX_TEXT + 5);
        assert_eq!(fitted[1], UserInput::Image { url, detail: None });
    }

    #[test]
    fn the_size_is_that_of_the_json() {
        let item = ThreadItem::Plan { id: "p".into(), text: "a\"é\n".into() };
        assert_eq!(wire_size(&item), serde_json::to_string(&item).unwrap().len());
    }
}
