//! Where hunks are found, and what becomes of the rest of the file.

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use similar::{ChangeTag, TextDiff};

use super::*;
use crate::patch::Action;
use crate::{Patch, PatchError};

/// Fits the hunks of one update, given as their lines.
fn fitted(text: &str, hunks: &str) -> Result<String, String> {
    fit(text, &hunks_of(hunks).unwrap())
        .map_err(|unfit| format!("{}{}: {}", unfit.what, unfit.hint, unfit.missing))
}

fn hunks_of(hunks: &str) -> Result<Vec<Hunk>, PatchError> {
    let patch = Patch::parse(&format!("*** Begin Patch\n*** Update File: f\n{hunks}\n*** End Patch"))?;
    match &patch.sections[0].action {
        Action::Update { hunks, .. } => Ok(hunks.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hunk_belongs_to_the_first_place_that_has_its_lines() {
    for (text, hunks, new) in [
        ("a\nb\nc\n", "@@\n a\n-b\n+B\n c", "a\nB\nc\n"),
        ("a\nb\na\nb\n", "-a\n+A", "A\nb\na\nb\n"),
        // below the hunk before it
        ("a\nb\na\nb\n", "-a\n+A\n@@\n-a\n+Z", "A\nb\nZ\nb\n"),
        ("a\nx\na\nx\n", "@@\n a\n@@\n-x\n+X\n@@\n a\n-x", "a\nX\na\n"),
        ("a\nb\n", "+0\n a\n+1\n b\n+2", "0\na\n1\nb\n2\n"),
        ("a\nb\nc\n", "+n\n-a\n-b\n-c", "n\n"),
        ("a\nb\n", "-a\n-b", ""),
        // below its places
        ("f\nx\ng\nx\n", "@@ g\n-x\n+X", "f\nx\ng\nX\n"),
        (
            "class A\n f\n  x\nclass B\n f\n  x\n",
            "@@ class B\n@@ f\n-  x\n+  X",
            "class A\n f\n  x\nclass B\n f\n  X\n",
        ),
        ("x\nx\n", "@@ x\n-x\n+X", "x\nX\n"),
        // the place again as the first line
        ("f\n x\ng\n x\n", "@@ g\n g\n- x\n+ X", "f\n x\ng\n X\n"),
        // at the end of the file
        ("a\nb\na\nb\n", "-b\n+B\n*** End of File", "a\nb\na\nB\n"),
        ("a\nb\nc\n", "-b\n+B\n*** End of File", "a\nB\nc\n"),
        ("a\nb \na\nb\nc\nb \n", "-b\n+B\n*** End of File", "a\nb \na\nb\nc\nB\n"),
        ("a\nx\na\n", "-x\n@@\n a\n+b\n*** End of File", "a\na\nb\n"),
        // without a line to stand beside
        ("a\nb\n", "+c", "a\nb\nc\n"),
        ("a\nb\n", "@@ a\n+c", "a\nc\nb\n"),
        ("a\nb\n", "@@ a\n+c\n*** End of File", "a\nb\nc\n"),
        ("a\nb\n", "-a\n@@\n+c", "b\nc\n"),
        ("a\nb\n", "@@ b\n+c", "a\nb\nc\n"),
        ("", "+a", "a\n"),
        ("", "+a\n*** End of File", "a\n"),
        // blank lines that are no context
        ("a\nb\n", "-a\n\n@@\n-b\n+B", "B\n"),
        ("a\nb\n", "@@\n\n-a\n+A\n", "A\nb\n"),
        ("x\na\n\nx\n\n", "-x\n", "x\na\n\n\n"),
    ] {
        assert_eq!(fitted(text, hunks), Ok(new.to_owned()), "{text:?} {hunks}");
    }
}

#[test]
fn the_likest_lines_win_and_context_stays_as_it_is_in_the_file() {
    for (text, hunks, new) in [
        // blanks at the end
        ("a \t\nb\n", " a\n-b\n+B", "a \t\nB\n"),
        ("a\nb\n", " a  \n-b  \n+B", "a\nB\n"),
        // blanks at either side
        ("\ta\n\tb\n", " a\n-b\n+\tB", "\ta\n\tB\n"),
        // what a keyboard does not have
        ("say “hi” – it’s\u{a0}ok\nx\n", " say \"hi\" - it's ok\n-x\n+y", "say “hi” – it’s\u{a0}ok\ny\n"),
        ("a - b\n", "-a — b\n+c", "c\n"),
        // exactly, further down, before nearly, further up
        (" a\na \na\n", "-a\n+A", " a\na \nA\n"),
        (" a\na \n", "-a\n+A", " a\nA\n"),
        ("“a”\n  \"a\"\n", "-\"a\"\n+A", "“a”\nA\n"),
    ] {
        assert_eq!(fitted(text, hunks), Ok(new.to_owned()), "{text:?} {hunks}");
    }
}

#[test]
fn line_breaks_and_the_byte_order_mark_stay() {
    for (text, hunks, new) in [
        ("a\r\nb\r\nc\r\n", " a\n-b\n+B\n+D\n c", "a\r\nB\r\nD\r\nc\r\n"),
        ("a\r\nb\r\nc\n", "-a\n+A\n b\n c\n+d", "A\r\nb\r\nc\nd\r\n"),
        ("a\r\nb\nc\n", "-a\n+A", "A\nb\nc\n"),
        ("a\rb\n", "-a\rb\n+x", "x\n"),
        ("\u{feff}a\nb\n", "-a\n+A", "\u{feff}A\nb\n"),
        ("\u{feff}", "+a", "\u{feff}a\n"),
        ("\u{feff}a\n", "-a", "\u{feff}"),
        // the last line has no break: it gets one only if it is changed or another follows
        ("a\nb", "-a\n+A", "A\nb"),
        ("a\nb", "-b\n+B", "a\nB\n"),
        ("a\nb", " b\n+c", "a\nb\nc\n"),
        ("a\r\nb", " b\n+c", "a\r\nb\r\nc\r\n"),
        ("a\r\nb\r\nc", "+d", "a\r\nb\r\nc\r\nd\r\n"),
        ("a\nb", "-b", "a\n"),
        ("a\n\n", "+b\n*** End of File", "a\n\nb\n"),
    ] {
        assert_eq!(fitted(text, hunks), Ok(new.to_owned()), "{text:?} {hunks}");
    }
}

#[test]
fn lines_that_are_not_found_are_quoted() {
    let above = " below the hunk or `@@` line before it, only above: hunks must be in the order of the file";
    for (text, hunks, expected) in [
        ("a\nb\n", " a\n-x\n+y", "the lines: a\nx".to_owned()),
        ("", "-x", "the lines: x".to_owned()),
        ("a\n", "-a\n-b\n-c", "the lines: a\nb\nc".to_owned()),
        ("a\nb\n", "@@ x\n-a", "the `@@` line: x".to_owned()),
        ("a\nb\n", "@@ a\n@@ x\n-b", "the `@@` line: x".to_owned()),
        ("a\nb\n", "@@ b\n-x", "the lines: x".to_owned()),
        ("a\nb\n", "-b\n@@\n-a", format!("the lines{above}: a")),
        ("a\nb\n", "@@ b\n-a", format!("the lines{above}: a")),
        ("a\nb\n", "@@ b\n@@ a\n-b", format!("the `@@` line{above}: a")),
        ("a\n", "+x\n ", "the lines: ".to_owned()),
        ("a\nb\n", " \n-x\n ", "the lines: \nx\n".to_owned()),
    ] {
        assert_eq!(fitted(text, hunks), Err(expected), "{text:?} {hunks}");
    }
}

/// Writes the difference of two texts as hunks with so many lines of context.
fn hunks_between(old: &str, new: &str, context: usize) -> String {
    let old: Vec<_> = old.split_inclusive('\n').collect();
    let new: Vec<_> = new.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old, &new);
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(context).iter_hunks() {
        text.push_str("@@\n");
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            text.push(sign);
            text.push_str(change.value().trim_end_matches('\n'));
            text.push('\n');
        }
    }
    text.trim_end_matches('\n').to_owned()
}

/// Lines of which many are the same, and whether the last has a break.
fn text() -> impl Strategy<Value = String> {
    (prop::collection::vec("[ab {}]{0,2}", 0..12), any::<bool>()).prop_map(|(lines, ends)| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if ends { text } else { text.trim_end_matches('\n').to_owned() }
    })
}

proptest! {
    #[test]
    fn the_difference_of_two_texts_makes_one_of_the_other(old in text(), new in text(), crlf in any::<bool>()) {
        // What a patch inserts is a whole line; a last line without a break can only stay.
        let new = if new.is_empty() || new.ends_with('\n') { new } else { format!("{new}\n") };
        prop_assume!(old != new);
        // All lines are context, since there are many others like each.
        let hunks = hunks_between(&old, &new, 1000);
        let in_file = |text: &str| if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        // Without any break the file has no kind of break to go by.
        let expected = if crlf && old.contains('\n') { in_file(&new) } else { new };
        prop_assert_eq!(fitted(&in_file(&old), &hunks), Ok(expected), "{}", hunks);
    }

    #[test]
    fn hunks_far_from_each_other_all_find_their_place(
        edits in prop::collection::btree_map(0..60_usize, prop::sample::select(vec!["-", "+", "~"]), 1..8),
        context in 1..4_usize,
    ) {
        let lines: Vec<_> = (0..60).map(|n| format!("line {n}\n")).collect();
        let new: String = lines.iter().enumerate().map(|(at, line)| match edits.get(&at) {
            Some(&"-") => String::new(),
            Some(&"+") => format!("{line}new {at}\n"),
            Some(_) => format!("changed {at}\n"),
            None => line.clone(),
        }).collect();
        let hunks = hunks_between(&lines.concat(), &new, context);
        prop_assert_eq!(fitted(&lines.concat(), &hunks), Ok(new), "{}", hunks);
    }
}
