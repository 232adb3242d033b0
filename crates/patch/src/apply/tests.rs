//! What is on the disk afterwards, also when it goes wrong.

use std::process::{Command, Stdio};

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::testing::{FILES, Tree, apply, fill, plan, section, tree};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), files);
    folder
}

fn applied(folder: &TempDir, sections: &str) -> Tree {
    apply(&plan(folder.path(), sections).unwrap()).unwrap();
    tree(folder.path())
}

fn nodes(nodes: &[(&str, &str)]) -> Tree {
    nodes.iter().map(|(path, node)| ((*path).to_owned(), (*node).to_owned())).collect()
}

fn set_mode(folder: &TempDir, name: &str, mode: u32) {
    fs::set_permissions(folder.path().join(name), Permissions::from_mode(mode)).unwrap();
}

/// The mode of a new file, as any program makes it here.
fn new_mode() -> String {
    let folder = folder(&[("x", "")]);
    tree(folder.path())["x"].trim_end().to_owned()
}

#[test]
fn files_are_added_changed_moved_and_deleted_and_nothing_else_is_left() {
    let folder = folder(&[("a", "1\n2\n"), ("b", "x\n"), ("gone", "x"), ("over", "old\n"), ("same", "=\n")]);
    for name in ["a", "b", "gone", "over", "same"] {
        set_mode(&folder, name, 0o640);
    }
    let new = new_mode();
    let after = applied(
        &folder,
        "*** Add File: n/m/new\n+1\n*** Add File: empty\n*** Update File: a\n-2\n*** Delete File: gone\n\
         *** Update File: b\n*** Move to: p/q\n+y\n*** Add File: over\n+new\n*** Update File: same\n-=\n+=",
    );
    assert_eq!(
        after,
        nodes(&[
            ("a", "640 1\n"),
            ("empty", &format!("{new} ")),
            ("n", "folder"),
            ("n/m", "folder"),
            ("n/m/new", &format!("{new} 1\n")),
            ("over", "640 new\n"),
            ("p", "folder"),
            ("p/q", "640 x\ny\n"),
            ("same", "640 =\n"),
        ])
    );
}

#[test]
fn a_file_keeps_its_mode_wherever_it_goes() {
    let folder = folder(&[("run", "1\n"), ("secret", "2\n"), ("over", "3\n")]);
    for (name, mode) in [("run", 0o755), ("secret", 0o600), ("over", 0o444)] {
        set_mode(&folder, name, mode);
    }
    let after = applied(
        &folder,
        "*** Update File: secret\n*** Move to: t\n*** Update File: run\n*** Move to: secret\n*** Update File: t\n\
         *** Move to: run\n*** Update File: over\n*** Move to: d/over\n+4",
    );
    assert_eq!(
        after,
        nodes(&[("run", "600 2\n"), ("secret", "755 1\n"), ("d", "folder"), ("d/over", "444 3\n4\n")])
    );
}

#[test]
fn links_are_written_through_and_deleted_alone() {
    let files = [
        ("d/target", "1\n"),
        ("link", "-> d/target"),
        ("chain", "-> link"),
        ("new", "-> d/new"),
        ("to", "-> d"),
    ];
    let mode = new_mode();
    let d = |nodes_in_d: &[(&str, &str)], others: &[(&str, &str)]| {
        let contents =
            nodes_in_d.iter().map(|(name, content)| (format!("d/{name}"), format!("{mode} {content}")));
        let mut all = nodes(&[("d", "folder"), ("to", "-> d")]);
        all.extend(contents);
        all.extend(nodes(others));
        all
    };
    let links = [("chain", "-> link"), ("link", "-> d/target"), ("new", "-> d/new")];
    for (sections, expected) in [
        ("*** Update File: chain\n+2", d(&[("target", "1\n2\n")], &links)),
        ("*** Add File: link\n+2", d(&[("target", "2\n")], &links)),
        ("*** Add File: new\n+2", d(&[("target", "1\n"), ("new", "2\n")], &links)),
        ("*** Add File: to/new\n+2", d(&[("target", "1\n"), ("new", "2\n")], &links)),
        ("*** Delete File: chain", d(&[("target", "1\n")], &links[1..])),
        ("*** Update File: link\n*** Move to: f\n+2", {
            let rest = [("chain", "-> link"), ("new", "-> d/new"), ("f", &*format!("{mode} 1\n2\n"))];
            d(&[("target", "1\n")], &rest)
        }),
    ] {
        assert_eq!(applied(&folder(&files), sections), expected, "{sections}");
    }
}

#[test]
fn landings_are_where_the_bytes_go() {
    let outside = folder(&[("f", "1\n")]);
    let inside = folder(&[("link", &format!("-> {}/f", outside.path().display())), ("d/x", "")]);
    fill(inside.path(), &[("up", &format!("-> {}", outside.path().display())), ("gone", "-> d/x")]);
    let plan = plan(
        inside.path(),
        "*** Update File: link\n+2\n*** Add File: up/n/m\n*** Delete File: gone\n*** Add File: d/y",
    );
    let real = |folder: &TempDir, name: &str| fs::canonicalize(folder.path()).unwrap().join(name);
    assert_eq!(
        plan.unwrap().landings().unwrap(),
        [real(&outside, "f"), real(&outside, "n/m"), real(&inside, "gone"), real(&inside, "d/y")]
    );
}

#[test]
fn a_file_makes_room_for_a_folder_of_its_name() {
    let mode = new_mode();
    for sections in ["*** Delete File: a\n*** Add File: a/b\n+1", "*** Add File: a/b\n+1\n*** Delete File: a"]
    {
        let after = applied(&folder(&[("a", "x")]), sections);
        assert_eq!(after, nodes(&[("a", "folder"), ("a/b", &format!("{mode} 1\n"))]), "{sections}");
    }
    let moved = applied(&folder(&[("a", "1\n")]), "*** Update File: a\n*** Move to: a/b");
    assert_eq!(moved, nodes(&[("a", "folder"), ("a/b", &format!("{mode} 1\n"))]));
}

#[test]
fn a_file_that_has_changed_since_is_not_overwritten() {
    type Edit = fn(&Path);
    let edits: [(&str, Edit); 5] = [
        ("*** Update File: a\n+2", |path| fs::write(path, "mine\n").unwrap()),
        ("*** Delete File: a", |path| fs::write(path, "mine\n").unwrap()),
        ("*** Update File: a\n+2", |path| fs::remove_file(path).unwrap()),
        ("*** Update File: b\n*** Move to: n", |path| fs::write(path.with_file_name("n"), "mine\n").unwrap()),
        ("*** Add File: n\n+2", |path| fs::create_dir(path.with_file_name("n")).unwrap()),
    ];
    for (sections, edit) in edits {
        let folder = folder(&[("a", "1\n"), ("b", "1\n")]);
        let plan = plan(folder.path(), &format!("*** Add File: first\n+1\n{sections}")).unwrap();
        edit(&folder.path().join("a"));
        let before = tree(folder.path());
        let error = apply(&plan).unwrap_err();
        assert!(matches!(error, PatchError::Changed(_)), "{sections}: {error}");
        assert_eq!(tree(folder.path()), before, "{sections}");
    }
}

#[test]
fn a_step_that_fails_is_named_and_the_others_are_taken_back() {
    let folder =
        folder(&[("file", "1\n"), ("a", "1\n"), ("l", "-> missing/x"), ("t", "1\n"), ("t2", "-> t")]);
    let before = tree(folder.path());
    for (sections, step) in [
        ("*** Add File: file/x", "write file/x; no file was changed"),
        ("*** Add File: file/x/y", "make the folder of file/x/y; no file was changed"),
        ("*** Add File: l", "read l"),
    ] {
        let plan =
            plan(folder.path(), &format!("*** Update File: a\n+2\n*** Add File: n/m\n{sections}")).unwrap();
        let error = apply(&plan).unwrap_err();
        let text = error.to_string().replace(&format!("{}/", folder.path().display()), "");
        assert_eq!(text, format!("cannot {step}"));
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!(tree(folder.path()), before, "{sections}");
    }
}

/// Not even by a rename, which would succeed. Here it is a running program, since root may write what has no such mode.
#[test]
fn a_file_that_must_not_be_written_is_not_replaced() {
    let folder = folder(&[("a", "1\n")]);
    let program = folder.path().join("program");
    fs::copy("/bin/cat", &program).unwrap();
    let mut running = Command::new(&program).stdin(Stdio::piped()).spawn().unwrap();
    let before = tree(folder.path());
    let outcome = apply(&plan(folder.path(), "*** Update File: a\n+2\n*** Add File: program\n+x").unwrap());
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
    let error = outcome.unwrap_err().to_string();
    assert_eq!(error, format!("cannot write {}; no file was changed", program.display()));
    assert_eq!(tree(folder.path()), before);
}

/// As a program does that the sandbox holds, and that would have us write for it where it may not.
#[test]
fn a_folder_that_became_a_link_meanwhile_leads_nowhere() {
    for sections in [
        "*** Add File: d/new\n+x",
        "*** Add File: d/e/new\n+x",
        "*** Update File: d/victim\n+x",
        "*** Delete File: d/victim",
    ] {
        let (folder, outside) = (folder(&[("d/victim", "1\n")]), folder(&[("victim", "1\n")]));
        let plan = plan(folder.path(), sections).unwrap();
        let landings = plan.landings().unwrap();
        fs::rename(folder.path().join("d"), folder.path().join("away")).unwrap();
        symlink(outside.path(), folder.path().join("d")).unwrap();
        let before = (tree(folder.path()), tree(outside.path()));
        let error = plan.apply(&landings).unwrap_err();
        assert!(matches!(error, PatchError::Apply { .. }), "{sections}: {error}");
        assert_eq!((tree(folder.path()), tree(outside.path())), before, "{sections}");
        apply(&plan).unwrap();
    }
}

#[test]
fn what_cannot_be_put_back_is_named() {
    let folder = folder(&[("full/x", ""), ("back", "new\n")]);
    let root = folder.path().canonicalize().unwrap();
    let at = |name: &str| root.join(name);
    let metadata = fs::metadata(at("back")).unwrap();
    let done = vec![
        Done::MadeFolder(at("full")),
        Done::Replaced(at("back"), Before { bytes: b"old\n", metadata }),
        Done::MadeFile(at("missing")),
    ];
    let left = put_back(&["full", "back", "missing"].map(at), done);
    assert_eq!(left, [at("missing"), at("full")]);
    assert_eq!(fs::read(at("back")).unwrap(), b"old\n");
    let error =
        PatchError::Apply { step: "write", path: "/x".into(), source: io::ErrorKind::Other.into(), left };
    let (missing, full) = (at("missing"), at("full"));
    assert_eq!(
        error.to_string(),
        format!("cannot write /x; could not be put back: {}, {}", missing.display(), full.display())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_patch_is_applied_as_it_was_shown_or_not_at_all(
        sections in prop::collection::vec(section(), 1..5),
        failing in prop::option::of(0..5_usize),
    ) {
        let folder = folder(&FILES);
        fill(folder.path(), &[("link", "-> d/e"), ("blocker", "x")]);
        set_mode(&folder, "a", 0o751);
        let mut sections = sections;
        if let Some(at) = failing {
            sections.insert(at.min(sections.len()), "*** Add File: blocker/x\n+1".to_owned());
        }
        let before = tree(folder.path());
        let Ok(plan) = plan(folder.path(), &sections.join("\n")) else { return Ok(()) };
        match apply(&plan) {
            Err(error) => {
                let is_undone = matches!(&error, PatchError::Apply { left, .. } if left.is_empty());
                prop_assert!(is_undone, "{}", error);
                prop_assert_eq!(tree(folder.path()), before);
            }
            Ok(()) => {
                prop_assert_eq!(failing, None);
                for file in &plan.files {
                    let found = on_disk(&file.path).unwrap();
                    match &file.after {
                        After::AsBefore => {}
                        After::Gone => prop_assert!(!matches!(found, Found::File(_))),
                        After::Added(text) | After::Edited { text, .. } => {
                            let is_written = matches!(&found, Found::File(content) if content.bytes == text.as_bytes());
                            prop_assert!(is_written, "{:?}", found);
                        }
                    }
                }
            }
        }
    }
}
