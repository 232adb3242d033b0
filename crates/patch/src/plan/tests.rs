//! What patches come to, against files that are only told of.

use std::collections::BTreeMap;

use pretty_assertions::assert_eq;

use super::*;
use crate::testing::within_marks;

/// Files below `/w`, and what else stands there.
const FILES: [(&str, &[u8]); 5] = [
    ("/w/a", b"1\n2\n3\n"),
    ("/w/b", b"x\n"),
    ("/w/binary", b"\xff\0"),
    ("/w/d/e", b"deep"),
    ("/w/crlf", b"1\r\n"),
];

fn planned(sections: &str) -> Result<Plan, PatchError> {
    let files = BTreeMap::from(FILES);
    let mut read: Vec<PathBuf> = Vec::new();
    let patch = Patch::parse(&within_marks(sections)).unwrap();
    patch.plan(Path::new("/w"), |path| {
        assert!(!read.contains(&path.to_owned()), "{} is read twice", path.display());
        read.push(path.to_owned());
        match path.to_str() {
            Some("/w" | "/w/d") => Ok(Found::Folder),
            Some("/w/locked") => Err(io::ErrorKind::PermissionDenied.into()),
            Some(path) => Ok(files.get(path).map_or(Found::Nothing, |bytes| {
                Found::File(Content { bytes: bytes.to_vec(), executable: false })
            })),
            None => panic!("{path:?}"),
        }
    })
}

/// Prints a line for each change, and in braces the paths that are touched.
fn shown(sections: &str) -> String {
    let plan = planned(sections).unwrap();
    let changes = plan.changes().into_iter().map(|Change { path, kind }| {
        let path = path.display();
        match kind {
            ChangeKind::Add { content } => format!("A {path} {content:?}"),
            ChangeKind::Delete { content } => format!("D {path} {:?}", String::from_utf8_lossy(content)),
            ChangeKind::Update { old, new, move_to } => {
                let to = move_to.map(|to| format!(" to {}", to.display())).unwrap_or_default();
                format!("M {path}{to} {old:?} {new:?}")
            }
        }
    });
    let touched: Vec<_> = plan.touched().map(|path| path.to_str().unwrap()).collect();
    format!("{} {{{}}}", changes.collect::<Vec<_>>().join(", "), touched.join(" "))
}

#[test]
fn each_section_is_one_change() {
    for (sections, expected) in [
        ("*** Add File: new/x\n+y", r#"A /w/new/x "y\n" {/w/new/x}"#),
        ("*** Add File: a\n+y", r#"A /w/a "y\n" {/w/a}"#),
        ("*** Add File: binary\n+y", r#"A /w/binary "y\n" {/w/binary}"#),
        ("*** Delete File: b", r#"D /w/b "x\n" {/w/b}"#),
        ("*** Delete File: binary", "D /w/binary \"\u{fffd}\\0\" {/w/binary}"),
        ("*** Update File: a\n-2", r#"M /w/a "1\n2\n3\n" "1\n3\n" {/w/a}"#),
        ("*** Update File: crlf\n-1\n+2", r#"M /w/crlf "1\r\n" "2\r\n" {/w/crlf}"#),
        ("*** Update File: b\n*** Move to: c", r#"M /w/b to /w/c "x\n" "x\n" {/w/b /w/c}"#),
        ("*** Update File: b\n*** Move to: a\n-x\n+y", r#"M /w/b to /w/a "x\n" "y\n" {/w/b /w/a}"#),
        ("*** Update File: b\n*** Move to: ./b\n-x\n+y", r#"M /w/b "x\n" "y\n" {/w/b}"#),
    ] {
        assert_eq!(shown(sections), expected, "{sections}");
    }
}

#[test]
fn paths_are_absolute_and_straight() {
    for (written, path) in [
        ("x", "/w/x"),
        ("./x//y", "/w/x/y"),
        ("../x", "/x"),
        ("d/../../../../x", "/x"),
        ("/x/../y/.", "/y"),
        ("~/x y", "/w/~/x y"),
    ] {
        let plan = planned(&format!("*** Add File: {written}")).unwrap();
        assert_eq!(plan.touched().collect::<Vec<_>>(), [Path::new(path)], "{written}");
    }
}

#[test]
fn a_later_section_sees_what_an_earlier_one_did() {
    for (sections, expected) in [
        (
            "*** Update File: a\n-2\n+two\n*** Update File: ./a\n two\n-3",
            r#"M /w/a "1\n2\n3\n" "1\ntwo\n" {/w/a}"#,
        ),
        ("*** Add File: n\n+1\n*** Update File: n\n+2", r#"A /w/n "1\n2\n" {/w/n}"#),
        ("*** Add File: n\n+1\n*** Update File: n\n*** Move to: m\n+2", r#"A /w/m "1\n2\n" {/w/m}"#),
        ("*** Add File: n\n+1\n*** Delete File: n", " {}"),
        ("*** Delete File: a\n*** Add File: a\n+y", r#"A /w/a "y\n" {/w/a}"#),
        ("*** Update File: b\n-x\n*** Delete File: b", r#"D /w/b "x\n" {/w/b}"#),
        (
            "*** Update File: b\n*** Move to: c\n*** Update File: c\n+y",
            r#"M /w/b to /w/c "x\n" "x\ny\n" {/w/b /w/c}"#,
        ),
        (
            "*** Update File: b\n*** Move to: c\n*** Update File: c\n*** Move to: d/f",
            r#"M /w/b to /w/d/f "x\n" "x\n" {/w/b /w/d/f}"#,
        ),
        (
            "*** Update File: b\n*** Move to: c\n*** Update File: c\n*** Move to: b\n+y",
            r#"M /w/b "x\n" "x\ny\n" {/w/b}"#,
        ),
        (
            "*** Update File: b\n*** Move to: c\n*** Add File: b\n+y",
            r#"A /w/b "y\n", M /w/b to /w/c "x\n" "x\n" {/w/b /w/c}"#,
        ),
        ("*** Update File: b\n*** Move to: c\n*** Delete File: c", r#"D /w/b "x\n" {/w/b}"#),
        (
            "*** Update File: b\n*** Move to: a\n*** Delete File: a",
            r#"D /w/b "x\n", D /w/a "1\n2\n3\n" {/w/b /w/a}"#,
        ),
        (
            "*** Update File: a\n*** Move to: t\n*** Update File: b\n*** Move to: a\n*** Update File: t\n*** Move to: b",
            r#"M /w/b to /w/a "x\n" "x\n", M /w/a to /w/b "1\n2\n3\n" "1\n2\n3\n" {/w/a /w/b}"#,
        ),
    ] {
        assert_eq!(shown(sections), expected, "{sections}");
    }
}

#[test]
fn what_does_not_fit_is_named_with_its_path() {
    for (sections, expected) in [
        ("*** Delete File: n", "/w/n does not exist"),
        ("*** Update File: n\n-x", "/w/n does not exist"),
        ("*** Update File: n\n*** Move to: m", "/w/n does not exist"),
        ("*** Delete File: a\n*** Delete File: a", "/w/a does not exist"),
        ("*** Delete File: a\n*** Update File: a\n-1", "/w/a does not exist"),
        ("*** Update File: a\n*** Move to: c\n*** Update File: a\n-1", "/w/a does not exist"),
        ("*** Add File: n\n*** Delete File: n\n*** Delete File: n", "/w/n does not exist"),
        ("*** Delete File: d", "/w/d is a folder"),
        ("*** Add File: d\n+x", "/w/d is a folder"),
        ("*** Add File: .\n+x", "/w is a folder"),
        ("*** Update File: d/\n-x", "/w/d is a folder"),
        ("*** Update File: a\n*** Move to: d", "/w/d is a folder"),
        ("*** Update File: binary\n-x", "/w/binary is not text in UTF-8"),
        ("*** Update File: binary\n*** Move to: c", "/w/binary is not text in UTF-8"),
        ("*** Add File: locked\n+x", "cannot read /w/locked"),
        ("*** Update File: a\n-1\n*** Add File: locked\n+x", "cannot read /w/locked"),
        (
            "*** Update File: b\n-x\n*** Update File: ../w/a\n@@\n 1\n-zwei",
            "cannot find the lines of the hunk at line 5 of the patch in /w/a:\n1\nzwei",
        ),
        (
            "*** Update File: a\n@@ 3\n 1\n-2",
            "cannot find the lines of the hunk at line 3 of the patch in /w/a below the hunk or `@@` line before it, \
             only above: hunks must be in the order of the file:\n1\n2",
        ),
    ] {
        assert_eq!(planned(sections).unwrap_err().to_string(), expected, "{sections}");
    }
}

#[test]
fn a_change_is_shown_by_its_content_or_its_hunks() {
    for (sections, expected) in [
        ("*** Add File: n\n+x\n+y", "x\ny\n"),
        ("*** Delete File: d/e", "deep"),
        ("*** Delete File: binary", "Binary file of 2 bytes\n"),
        ("*** Update File: a\n-2\n+two", "@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"),
        ("*** Update File: b\n*** Move to: c\n-x\n+y", "@@ -1 +1 @@\n-x\n+y\n\n\nMoved to: /w/c"),
        ("*** Update File: b\n*** Move to: c", "\n\nMoved to: /w/c"),
    ] {
        let plan = planned(sections).unwrap();
        let diffs: Vec<_> = plan.changes().iter().map(Change::diff).collect();
        assert_eq!(diffs, [expected], "{sections}");
    }
}
