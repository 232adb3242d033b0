//! Where in a file a value stands.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::{Position, TextRange};

/// Finds a value in a TOML text. Where the last steps of the path lead nowhere, the value before them stands for it.
pub(crate) fn of_value<'a>(text: &str, path: impl IntoIterator<Item = &'a String>) -> Option<TextRange> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut span = None;
    for key in path {
        let Some((key, value)) = table.get_key_value(key.as_str()) else { break };
        // The name of a table says more than its braces, and a table made by dots has nothing else.
        span = Some(if value.get_ref().is_table() { key.span() } else { value.span() });
        let DeValue::Table(below) = value.get_ref() else { break };
        table = below;
    }
    Some(of_bytes(text, span?))
}

/// Turns offsets into lines and columns.
pub(crate) fn of_bytes(text: &str, span: Range<usize>) -> TextRange {
    let last = span.end.saturating_sub(1).max(span.start);
    TextRange { start: position(text, span.start), end: position(text, last) }
}

fn position(text: &str, offset: usize) -> Position {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    Position { line, column: before[line_start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const TEXT: &str = r#"model = "é€"
a.b.c = 5
[t]
list = [
  1,
]
inline = { x = true }
"#;

    #[test]
    fn a_value_is_found_by_its_path() {
        for (path, expected) in [
            ("model", Some("1:9-1:12")),
            ("a.b.c", Some("2:9-2:9")),
            ("a.b", Some("2:3-2:3")),
            ("a.b.none", Some("2:3-2:3")),
            ("t", Some("3:2-3:2")),
            ("t.list", Some("4:8-6:1")),
            ("t.inline.x", Some("7:16-7:19")),
            ("none", None),
        ] {
            let path: Vec<_> = path.split('.').map(str::to_owned).collect();
            assert_eq!(of_value(TEXT, &path).map(text_of).as_deref(), expected, "{path:?}");
        }
    }

    #[test]
    fn the_place_of_an_error_may_be_the_end_of_the_text() {
        for (text, span, expected) in
            [("", 0..0, "1:1-1:1"), ("a\n", 2..2, "2:1-2:1"), ("a", 5..9, "1:2-1:2")]
        {
            assert_eq!(text_of(of_bytes(text, span)), expected);
        }
    }

    fn text_of(TextRange { start, end }: TextRange) -> String {
        format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column)
    }
}
