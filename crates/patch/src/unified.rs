//! Unified diffs of one text.

use std::{fmt::Write, time::Duration};

use similar::TextDiff;

/// Unchanged lines around a change, as every tool shows them.
const CONTEXT_LINES: usize = 3;

/// Two long texts without a line in common take minutes to compare; what is found by then is right, only longer than
/// it could be.
const MAX_COMPARE: Duration = Duration::from_millis(500);

/// Returns the hunks of a unified diff, without the lines that name the files; nothing where nothing differs.
///
/// Only `\n` ends a line, as git has it.
pub fn unified(old: &str, new: &str) -> String {
    let old: Vec<_> = old.split_inclusive('\n').collect();
    let new: Vec<_> = new.split_inclusive('\n').collect();
    let diff = TextDiff::configure().timeout(MAX_COMPARE).diff_slices(&old, &new);
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", hunk.header());
        for change in hunk.iter_changes() {
            let _ = write!(text, "{}{}", change.tag(), change.value());
            if !change.value().ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_diff_has_hunks_and_nothing_else() {
        let numbers = |count: u32| (1..=count).map(|n| format!("{n}\n")).collect::<String>();
        let edited = numbers(20).replace("3\n", "three\n").replace("20\n", "20");
        for (old, new, diff) in [
            ("same\n", "same\n", ""),
            ("", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"),
            ("a\n", "", "@@ -1 +0,0 @@\n-a\n"),
            ("a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"),
            (
                "a\nb",
                "a\nB",
                "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n",
            ),
            (
                "a\r\nb\rc\r\n",
                "a\r\nb\rC\r",
                "@@ -1,2 +1,2 @@\n a\r\n-b\rc\r\n+b\rC\r\n\\ No newline at end of file\n",
            ),
        ] {
            assert_eq!(unified(old, new), diff, "{old:?} {new:?}");
        }
        assert_eq!(
            unified(&numbers(20), &edited),
            "@@ -1,6 +1,6 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n\
             @@ -10,11 +10,11 @@\n 10\n 11\n 12\n-13\n+1three\n 14\n 15\n 16\n 17\n 18\n 19\n\
             -20\n+20\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn texts_with_nothing_in_common_are_compared_in_bounded_time() {
        let text = |word: &str| (0..200_000).map(|n| format!("{word} {n}\n")).collect::<String>();
        let diff = unified(&text("old"), &text("new"));
        assert_eq!(diff.lines().count(), 400_001);
    }
}
