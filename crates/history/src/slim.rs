//! Giant lines without their giant texts, cut before they are parsed.
//!
//! Invariant: a slimmed line parses to what the whole one would, with [`cut_texts`](crate::size::cut_texts) applied to
//! it. So a line of 40 MB costs its own length once, and not again for every value that is made of it.

use std::ops::Range;

use crate::size::{CAPS, Caps, DATA_URL, image_left_out, left_out};

/// Cuts the texts of a line that are longer than any text may be; `None` where there are none.
pub(crate) fn slimmed(line: &[u8]) -> Option<Vec<u8>> {
    slimmed_to(line, CAPS)
}

fn slimmed_to(line: &[u8], caps: Caps) -> Option<Vec<u8>> {
    if line.len() <= caps.longest {
        return None;
    }
    let mut slim = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(quote) = memchr::memchr(b'"', &line[at..]) {
        let start = at + quote + 1;
        let Some(end) = end_of_text(line, start) else { break }; // damaged: the rest stays as it is
        if let Some(cut) = (end - start > caps.longest).then(|| cut(&line[start..end], caps)).flatten() {
            slim.extend_from_slice(&line[copied..start]);
            slim.extend_from_slice(&cut);
            copied = end;
        }
        at = end + 1;
    }
    (copied > 0).then(|| {
        slim.extend_from_slice(&line[copied..]);
        slim
    })
}

/// Finds the quote that ends a text.
fn end_of_text(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        match line[at] {
            b'"' => return Some(at),
            _ => at += 2,
        }
    }
}

/// Cuts the middle out of a text as JSON writes it; `None` where it is too long only as it is written.
fn cut(text: &[u8], caps: Caps) -> Option<Vec<u8>> {
    let length = Pieces::of(text).map(|piece| piece.means).sum();
    if length <= caps.longest {
        return None;
    }
    if text.starts_with(DATA_URL.as_bytes()) {
        return Some(image_left_out(length).into_bytes());
    }
    let head = Place::in_text(text, caps.kept, Round::Down);
    let tail = Place::in_text(text, length - caps.kept, Round::Up);
    let middle = left_out(tail.decoded - head.decoded).replace('\n', "\\n");
    Some([&text[..head.written], middle.as_bytes(), &text[tail.written..]].concat())
}

/// A place between two characters of a text.
struct Place {
    /// How many bytes of the text are in front of it.
    decoded: usize,
    /// How many bytes of what is written are.
    written: usize,
}

enum Round {
    Down,
    Up,
}

impl Place {
    /// Finds the place with so many bytes of the text in front of it, or beside it where that is inside a character.
    fn in_text(text: &[u8], wanted: usize, round: Round) -> Self {
        let mut decoded = 0;
        for Piece { written, means, is_escape } in Pieces::of(text) {
            if decoded + means <= wanted {
                decoded += means;
                continue;
            }
            let into = wanted - decoded;
            let into = match (is_escape, &round) {
                (true, _) if into == 0 => 0,
                (true, Round::Down) => 0,
                (true, Round::Up) => return Self { decoded: decoded + means, written: written.end },
                (false, Round::Down) => {
                    (0..=into).rev().find(|at| is_boundary(text[written.start + at])).unwrap_or(0)
                }
                (false, Round::Up) => {
                    (into..means).find(|at| is_boundary(text[written.start + at])).unwrap_or(means)
                }
            };
            return Self { decoded: decoded + into, written: written.start + into };
        }
        Self { decoded, written: text.len() }
    }
}

/// Tells whether a character begins with this byte.
fn is_boundary(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// A part of a text as it is written: one escape, or what stands between two.
struct Piece {
    written: Range<usize>,
    /// How many bytes of the text it stands for.
    means: usize,
    is_escape: bool,
}

struct Pieces<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Pieces<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let is_escape = rest[0] == b'\\';
        let (length, means) = match memchr::memchr(b'\\', rest) {
            Some(0) => escape(rest),
            found => {
                let length = found.unwrap_or(rest.len());
                (length, length)
            }
        };
        self.at = (start + length).min(self.text.len());
        Some(Piece { written: start..self.at, means, is_escape })
    }
}

/// Measures the escape at the start: how long it is, and how many bytes of text it stands for.
fn escape(rest: &[u8]) -> (usize, usize) {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
    };
    match (unit(0), unit(6)) {
        (None, _) => (2, 1),
        (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (12, 4),
        (Some(..0x80), _) => (6, 1),
        (Some(0x80..0x800), _) => (6, 2),
        (Some(_), _) => (6, 3),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::size::cut_texts;

    const SMALL: Caps = Caps { longest: 50, kept: 10 };

    /// What a line says once it is slimmed, and what it says once its texts are cut.
    fn both(line: &str) -> (Value, Value) {
        let slim = slimmed_to(line.as_bytes(), SMALL).unwrap_or_else(|| line.as_bytes().to_vec());
        let mut whole = serde_json::from_str(line).unwrap();
        cut_texts(&mut whole, SMALL);
        (serde_json::from_slice(&slim).unwrap(), whole)
    }

    /// Writes everything beyond ASCII as Python does.
    fn in_ascii(json: &str) -> String {
        let escape = |char: char| match char.is_ascii() {
            true => char.to_string(),
            false => char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        };
        json.chars().map(escape).collect()
    }

    proptest! {
        #[test]
        fn a_slim_line_says_what_the_cut_one_says(
            texts in prop::collection::vec("[a-z\"\\\\\n\u{1}éß€😀]{0,90}", 0..4), ascii: bool,
        ) {
            let line = json!({ "small": "x\"y", "texts": texts, "end": null }).to_string();
            let (slim, cut) = both(&if ascii { in_ascii(&line) } else { line });
            prop_assert_eq!(slim, cut);
        }
    }

    #[test]
    fn an_image_is_left_out_whole() {
        let line = json!({ "url": format!("data:image/png;base64,{}", "A".repeat(100)) }).to_string();
        let (slim, cut) = both(&line);
        assert_eq!(slim["url"], "data:text/plain,122 bytes left out");
        assert_eq!(slim, cut);
    }

    #[test]
    fn what_is_not_too_long_stays_as_it_is_written() {
        // The last is longer than allowed only as it is written.
        for texts in [json!([]), json!(["x".repeat(50), "y".repeat(50)]), json!(["\u{1}".repeat(25)])] {
            assert!(slimmed_to(texts.to_string().as_bytes(), SMALL).is_none(), "{texts}");
        }
    }

    #[test]
    fn a_damaged_line_stays_one() {
        for damaged in ["{\"a\": \"", "{\"a\": \"b\\", "no json "] {
            let line = damaged.repeat(20);
            let slim = slimmed_to(line.as_bytes(), SMALL).unwrap_or_else(|| line.into_bytes());
            assert!(serde_json::from_slice::<Value>(&slim).is_err());
        }
    }
}
