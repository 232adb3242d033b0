//! The language, what is taken besides it, and what is refused.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

/// Prints what was understood, a line for each fact.
fn parsed(text: &str) -> String {
    match Patch::parse(text) {
        Ok(patch) => patch.sections.iter().map(|section| shown(section) + "\n").collect(),
        Err(error) => error.to_string(),
    }
}

fn shown(section: &Section) -> String {
    let path = &section.path;
    match &section.action {
        Action::Add { content } => format!("add {path} {content:?}"),
        Action::Delete => format!("delete {path}"),
        Action::Update { move_to, hunks } => {
            let to = move_to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
            let hunks: String = hunks.iter().map(|hunk| format!(" {}", shown_hunk(hunk))).collect();
            format!("update {path}{to}{hunks}")
        }
    }
}

fn shown_hunk(Hunk { line, anchors, lines, at_end }: &Hunk) -> String {
    let lines = lines.iter().map(|line| match line {
        HunkLine::Keep(text) => format!(" {text}"),
        HunkLine::Remove(text) => format!("-{text}"),
        HunkLine::Insert(text) => format!("+{text}"),
    });
    let lines = lines.collect::<Vec<_>>().join("|");
    let anchors: String = anchors.iter().map(|anchor| format!("@{anchor}@")).collect();
    format!("{line}:{anchors}[{lines}]{}", if *at_end { "$" } else { "" })
}

/// Puts the first and last line around sections.
fn within(sections: &str) -> String {
    format!("*** Begin Patch\n{sections}*** End Patch")
}

#[test]
fn every_form_of_the_language_is_read() {
    for (sections, expected) in [
        ("*** Add File: a b.txt\n+one\n+\n++two\n+ three\n", "add a b.txt \"one\\n\\n+two\\n three\\n\"\n"),
        ("*** Add File: empty\n", "add empty \"\"\n"),
        ("*** Delete File: /abs/../x\n", "delete /abs/../x\n"),
        ("*** Update File: a\n@@\n x\n-y\n+z\n", "update a 3:[ x|-y|+z]\n"),
        ("*** Update File: a\n*** Move to: b c\n@@\n-y\n", "update a to b c 4:[-y]\n"),
        ("*** Update File: a\n*** Move to: b\n", "update a to b\n"),
        (
            "*** Update File: a\n@@ class A\n@@   fn b()\n-y\n@@\n+z\n*** End of File\n",
            "update a 3:@class A@@  fn b()@[-y] 6:[+z]$\n",
        ),
        ("*** Update File: a\n@@\n-x\n*** End of File\n@@ z\n-y\n", "update a 3:[-x]$ 6:@z@[-y]\n"),
        (
            "*** Delete File: a\n*** Update File: b\n@@\n-x\n*** Add File: c\n+y\n*** Delete File: d\n",
            "delete a\nupdate b 4:[-x]\nadd c \"y\\n\"\ndelete d\n",
        ),
        (
            "*** Update File: a\n@@\n *** End Patch\n-*** Add File: x\n+@@\n",
            "update a 3:[ *** End Patch|-*** Add File: x|+@@]\n",
        ),
    ] {
        assert_eq!(parsed(&within(sections)), expected, "{sections}");
    }
}

#[test]
fn what_surrounds_a_patch_does_not_matter() {
    let plain = within("*** Add File: a\n+x\n");
    let expected = "add a \"x\\n\"\n";
    for text in [
        plain.clone(),
        format!("\n \n{plain}\n\n"),
        format!("\u{feff}{plain}\n"),
        plain.replace('\n', "\r\n") + "\r\n",
        plain.replace("*** Begin", "  *** Begin").replace("*** End Patch", "\t*** End Patch  "),
        plain.replace("Begin Patch", "Begin Patch  "),
        format!("<<EOF\n{plain}\nEOF\n"),
        format!("<<'EOF'\n{plain}\nEOF"),
        format!("<< \"PATCH_1\"\n\n{plain}\n\n PATCH_1 \n\n"),
        format!("apply_patch <<'EOF'\n{plain}\nEOF"),
        format!("<<'EOF'\n{plain}\n"),
    ] {
        assert_eq!(parsed(&text), expected, "{text}");
    }
}

#[test]
fn what_is_sloppy_inside_a_patch_but_means_one_thing_is_taken() {
    for (sections, expected) in [
        // without the first place
        ("*** Update File: a\n x\n-y\n", "update a 3:[ x|-y]\n"),
        ("*** Update File: a\n*** Move to: b\n-y\n@@\n-z\n", "update a to b 4:[-y] 5:[-z]\n"),
        // an empty line without its mark
        ("*** Update File: a\n@@\n x\n\n-y\n\n z\n", "update a 3:[ x| |-y| | z]\n"),
        ("*** Update File: a\n\n-y\n", "update a 3:[ |-y]\n"),
        ("*** Add File: a\n+x\n\n+y\n\n", "add a \"x\\n\\ny\\n\"\n"),
        // blank lines that part sections and hunks
        ("\n*** Delete File: a\n\n\n*** Delete File: b\n\n", "delete a\ndelete b\n"),
        ("*** Update File: a\n\n*** Move to: b\n\n@@ x\n\n@@ y\n-y\n", "update a to b 6:@x@@y@[-y]\n"),
        ("*** Update File: a\n@@\n+x\n\n*** Delete File: b\n", "update a 3:[+x]\ndelete b\n"),
        ("*** Update File: a\n@@\n+x\n\n\n*** End of File\n\n", "update a 3:[+x]$\n"),
        ("*** Update File: a\n@@\n-x\n*** End of File\n\n@@\n-y\n", "update a 3:[-x]$ 7:[-y]\n"),
        // what may be context is kept, and the file will tell
        ("*** Update File: a\n@@\n-x\n\n*** Delete File: b\n", "update a 3:[-x| ]\ndelete b\n"),
        ("*** Update File: a\n@@\n+x\n \n", "update a 3:[+x| ]\n"),
        // blanks around headers and marks
        ("  *** Add File:  a  \n+x\n *** Delete File:b\n", "add a \"x\\n\"\ndelete b\n"),
        ("*** Update File: a\n@@  \n-y\n*** End of File  \n", "update a 3:[-y]$\n"),
        // places of other diffs
        ("*** Update File: a\n@@ -1,3 +1,4 @@\n-y\n", "update a 3:[-y]\n"),
        ("*** Update File: a\n@@ -1 +1,4 @@ fn a() {\n-y\n", "update a 3:@fn a() {@[-y]\n"),
        ("*** Update File: a\n@@ -x +y @@ z\n-y\n", "update a 3:@-x +y @@ z@[-y]\n"),
        ("*** Update File: a\n@@def f():\n-y\n", "update a 3:@def f():@[-y]\n"),
    ] {
        assert_eq!(parsed(&within(sections)), expected, "{sections}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_what_was_expected() {
    let section = format!("expected {SECTION}, found");
    let of_a_hunk =
        "expected a line of a hunk, which begins with a blank, `+` or `-`, or `@@`, or a section, found";
    let in_a_hunk = "expected a line of the hunk, which begins with a blank, `+` or `-`, found";
    let a_hunk = "expected a hunk, which begins with `@@`, or `*** Move to: ` and a path, found";
    let path = "expected a path behind the colon, found";
    for (text, expected) in [
        ("".to_owned(), "line 1: expected `*** Begin Patch`, found the end of the text".to_owned()),
        ("\n\n".to_owned(), "line 3: expected `*** Begin Patch`, found the end of the text".to_owned()),
        ("\nhello".to_owned(), "line 2: expected `*** Begin Patch`, found `hello`".to_owned()),
        ("<<EOF\nhello\nEOF".to_owned(), "line 2: expected `*** Begin Patch`, found `hello`".to_owned()),
        (
            "*** Begin Patch\n\n".to_owned(),
            "line 3: expected `*** End Patch` as the last line, found the end of the text".to_owned(),
        ),
        (
            "*** Begin Patch\n*** Add File: a\n+x\n".to_owned(),
            "line 3: expected `*** End Patch` as the last line, found `+x`".to_owned(),
        ),
        (
            within("*** Add File: a\n+x\n") + "\n\nDone.",
            "line 6: expected `*** End Patch` as the last line, found `Done.`".to_owned(),
        ),
        (
            "<<EOF\n*** Begin Patch\n*** End Patch\nOTHER".to_owned(),
            "line 4: expected `*** End Patch` as the last line, found `OTHER`".to_owned(),
        ),
        (within(""), format!("line 2: {section} `*** End Patch`")),
        (within("\nx\n"), format!("line 3: {section} `x`")),
        (within("*** Rename File: a\n"), format!("line 2: {section} `*** Rename File: a`")),
        (within("*** Delete File: a\n-x\n"), format!("line 3: {section} `-x`")),
        (within("*** Move to: b\n"), format!("line 2: {section} `*** Move to: b`")),
        (
            within("*** Delete File: a\n*** End Patch\n*** Begin Patch\n"),
            format!("line 3: {section} `*** End Patch`"),
        ),
        (within("*** Update File: a\n-x\n*** Move to: b\n"), format!("line 4: {section} `*** Move to: b`")),
        (within("*** Add File:\n+x\n"), format!("line 2: {path} `*** Add File:`")),
        (within("*** Delete File: \n"), format!("line 2: {path} `*** Delete File: `")),
        (within("*** Update File:\t\n"), format!("line 2: {path} `*** Update File:\t`")),
        (within("*** Update File: a\n*** Move to:\n-x\n"), format!("line 3: {path} `*** Move to:`")),
        (
            within("*** Add File: a\n+x\ny\n"),
            "line 4: expected a line of the new file, which begins with `+`, or a section, found `y`"
                .to_owned(),
        ),
        (within("*** Update File: a\n"), format!("line 3: {a_hunk} `*** End Patch`")),
        (
            within("*** Update File: a\n\n*** Delete File: b\n"),
            format!("line 4: {a_hunk} `*** Delete File: b`"),
        ),
        (within("*** Update File: a\nx\n"), format!("line 3: {of_a_hunk} `x`")),
        (within("*** Update File: a\n@@\n-x\n\ty\n"), format!("line 5: {of_a_hunk} `\ty`")),
        (within("*** Update File: a\n@@ x\n"), format!("line 4: {in_a_hunk} `*** End Patch`")),
        (
            within("*** Update File: a\n@@\n\n\n@@ y\n*** Delete File: b\n"),
            format!("line 7: {in_a_hunk} `*** Delete File: b`"),
        ),
        (within("*** Update File: a\n*** End of File\n"), format!("line 3: {of_a_hunk} `*** End of File`")),
        (
            within("*** Update File: a\n-x\n*** End of File\n-y\n"),
            "line 5: expected `@@` or a section, found `-y`".to_owned(),
        ),
        (within(&format!("{}\n", "é".repeat(200))), format!("line 2: {section} `{}…`", "é".repeat(120))),
    ] {
        assert_eq!(parsed(&text), expected, "{text}");
    }
}

#[test]
fn the_grammar_that_is_offered_names_every_mark() {
    for mark in [BEGIN, END, ADD, DELETE, UPDATE, MOVE, END_OF_FILE, PLACE] {
        assert!(crate::GRAMMAR.contains(&format!("\"{mark}")), "{mark}");
    }
}

/// Lines that a patch is made of, and others.
fn line() -> impl Strategy<Value = String> {
    let marks = [
        BEGIN,
        END,
        ADD,
        DELETE,
        UPDATE,
        MOVE,
        END_OF_FILE,
        PLACE,
        "*** Add File: a",
        "*** Update File: b",
        "*** Move to: c",
        "@@ x",
        "@@ -1 +1 @@ y",
        "+x",
        "-y",
        " z",
        "",
        " ",
        "<<'EOF'",
        "EOF",
        "***",
        "\u{feff}",
        "é",
        "\r",
    ];
    prop_oneof![4 => prop::sample::select(marks.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in prop::collection::vec(line(), 0..20), within_marks in any::<bool>()) {
        let text = lines.join("\n");
        let text = if within_marks { within(&format!("{text}\n")) } else { text };
        if let Ok(patch) = Patch::parse(&text) {
            prop_assert!(!patch.sections.is_empty());
        }
    }
}
