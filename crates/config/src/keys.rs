//! Dotted keys: `a.b."c.d"` names a value three tables deep.

/// Splits a dotted key. A segment in quotation marks may hold dots; what is no well-formed quotation stands for itself.
pub(crate) fn split(dotted: &str) -> Vec<String> {
    let mut segments = Vec::new();
    let mut rest = dotted;
    loop {
        let (segment, behind) = quoted(rest).unwrap_or_else(|| bare(rest));
        segments.push(segment);
        match behind {
            Some(behind) => rest = behind,
            None => return segments,
        }
    }
}

/// Writes a path as a dotted key.
pub(crate) fn join<S: AsRef<str>>(path: impl IntoIterator<Item = S>) -> String {
    let segments: Vec<_> = path.into_iter().map(|segment| quote(segment.as_ref())).collect();
    segments.join(".")
}

fn bare(text: &str) -> (String, Option<&str>) {
    match text.split_once('.') {
        Some((segment, behind)) => (segment.to_owned(), Some(behind)),
        None => (text.to_owned(), None),
    }
}

/// Reads `"..."` with a dot or nothing behind it.
fn quoted(text: &str) -> Option<(String, Option<&str>)> {
    let mut segment = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => segment.push(chars.next()?),
            char => segment.push(char),
        }
    }
    match chars.next() {
        None => Some((segment, None)),
        Some('.') => Some((segment, Some(chars.as_str()))),
        Some(_) => None,
    }
}

fn quote(segment: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !segment.is_empty() && segment.chars().all(plain) {
        return segment.to_owned();
    }
    format!("\"{}\"", segment.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_split_at_dots_outside_of_quotation_marks() {
        for (dotted, expected) in [
            ("model", &["model"][..]),
            ("a.b.c", &["a", "b", "c"]),
            (r#"a."b.c".d"#, &["a", "b.c", "d"]),
            (r#""x\"y""#, &["x\"y"]),
            ("a..b", &["a", "", "b"]),
            ("", &[""]),
            (r#"a."b"#, &["a", "\"b"]),
            (r#""a"b.c"#, &["\"a\"b", "c"]),
        ] {
            assert_eq!(split(dotted), expected, "{dotted}");
        }
    }

    proptest! {
        #[test]
        fn what_is_joined_splits_again(path in prop::collection::vec(r#"[a-z."\\ é]{0,6}"#, 1..4)) {
            prop_assert_eq!(split(&join(&path)), path);
        }
    }
}
