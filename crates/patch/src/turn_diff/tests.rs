//! Diffs of turns, held against those of the git program.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::on_disk;
use crate::testing::{FILES, apply, fill, plan, section, tree};

/// A folder under git, and a turn in it.
struct Turn {
    folder: TempDir,
    before: String,
    diff: TurnDiff,
}

impl Turn {
    fn begin(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), files);
        let diff = TurnDiff::new(folder.path().to_owned());
        let mut turn = Self { folder, before: String::new(), diff };
        turn.git(&["init", "--quiet"], "");
        // Without headings, which depend on the language.
        fs::write(turn.folder.path().join(".git/info/attributes"), "* diff=plain\n").unwrap();
        turn.git(&["config", "diff.plain.xfuncname", "^no line is this one$"], "");
        turn.before = turn.stored();
        turn
    }

    /// Applies one patch; one that does not fit changes nothing.
    fn patch(&mut self, sections: &str) {
        let Ok(plan) = plan(self.folder.path(), sections) else { return };
        if apply(&plan).is_ok() {
            self.diff.record(&plan);
        }
    }

    fn print(&self) -> String {
        self.diff.print(on_disk)
    }

    /// What git says that has changed.
    fn printed_by_git(&self) -> String {
        let after = self.stored();
        self.git(&["-c", "core.quotePath=false", "diff", "--full-index", &self.before, &after], "")
    }

    /// Puts all files into git, and returns the id of the whole.
    fn stored(&self) -> String {
        self.git(&["add", "--all"], "");
        self.git(&["write-tree"], "").trim().to_owned()
    }

    fn git(&self, args: &[&str], input: &str) -> String {
        run_git(self.folder.path(), args, input)
    }
}

fn run_git(folder: &Path, args: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut git = Command::new("git");
    git.current_dir(folder).args(args).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = git.spawn().unwrap();
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}\n{input}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn numbers(count: u32) -> String {
    (1..=count).map(|n| format!("{n}\n")).collect()
}

#[test]
fn the_diff_is_the_one_of_git() {
    let (long, tall) = (numbers(60), format!("{}\r\n{}", "x".repeat(300), numbers(9).replace('\n', "\r\n")));
    let files = [
        ("a", long.as_str()),
        ("b c", "1\n2\n3"),
        ("d/tall", tall.as_str()),
        ("empty", ""),
        ("gone", "x\ny\n"),
        ("nul", "a\0b\n"),
        ("quo\"te\\d", "1\n"),
        ("é", "1\n"),
    ];
    for patches in [
        &["*** Add File: n/new\n+1\n+2"][..],
        &["*** Add File: blank"],
        &["*** Add File: with blank\n+x"],
        &["*** Delete File: gone"],
        &["*** Delete File: empty"],
        &["*** Delete File: nul"],
        &["*** Update File: a\n@@\n 9\n-10\n+ten\n@@\n-50\n@@\n+61"],
        &[
            "*** Update File: a\n@@\n 9\n-10\n+ten",
            "*** Update File: a\n@@\n 16\n+more",
            "*** Update File: a\n@@\n+end",
        ],
        &["*** Update File: b c\n@@\n-2", "*** Update File: é\n@@\n+2"],
        &["*** Update File: b c\n@@\n-3\n+3"],
        &["*** Update File: quo\"te\\d\n@@\n+2", "*** Add File: tab\there \"\n+x"],
        &["*** Add File: gone\n+z", "*** Add File: nul\n+text"],
        &["*** Update File: empty\n@@\n+x"],
        // renames
        &["*** Update File: a\n*** Move to: z/moved"],
        &["*** Update File: a\n*** Move to: z/moved\n@@\n-30\n+thirty"],
        &["*** Update File: d/tall\n*** Move to: d/t l\n@@\n-4\n-5\n+x\n+y"],
        &[
            "*** Update File: d/tall\n*** Move to: short\n@@\n-1\n+one",
            "*** Update File: short\n*** Move to: 0\n@@\n-8",
        ],
        &["*** Update File: gone\n*** Move to: there\n@@\n-x\n+1"],
        &["*** Update File: gone\n*** Move to: there\n@@\n-x\n-y\n+1\n+2"],
        &["*** Update File: empty\n*** Move to: void"],
        &["*** Update File: a\n*** Move to: gone"],
        &["*** Update File: a\n*** Move to: z", "*** Add File: a\n+new"],
        &["*** Update File: a\n*** Move to: z", "*** Delete File: z"],
        // back again
        &["*** Update File: a\n*** Move to: z", "*** Update File: z\n*** Move to: a"],
        &["*** Delete File: gone", "*** Add File: gone\n+x\n+y"],
        &["*** Add File: n\n+1", "*** Delete File: n"],
        &["*** Update File: é\n@@\n-1\n+2", "*** Delete File: gone", "*** Update File: é\n@@\n-2\n+1"],
    ] {
        let mut turn = Turn::begin(&files);
        for sections in patches {
            turn.patch(sections);
        }
        assert!(!turn.diff.before.is_empty(), "{patches:?} did not fit");
        assert_eq!(turn.print(), turn.printed_by_git(), "{patches:?}");
    }
}

#[test]
fn modes_and_what_commands_did_to_touched_files_are_shown_as_by_git() {
    let edit: [fn(&Path); 6] = [
        |file| fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap(),
        |file| fs::write(file, "1\n").unwrap(),
        |file| fs::write(file, "1\0").unwrap(),
        |file| fs::remove_file(file).unwrap(),
        |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        },
        |file| {
            fs::write(file, "1\n").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
        },
    ];
    for (at, edit) in edit.iter().enumerate() {
        for name in ["old", "new", "moved"] {
            let mut turn = Turn::begin(&[("old", "1\n"), ("from", &numbers(9))]);
            turn.patch("*** Update File: old\n@@\n+2\n*** Add File: new\n+n\n*** Update File: from\n*** Move to: moved");
            edit(&turn.folder.path().join(name));
            assert_eq!(turn.print(), turn.printed_by_git(), "edit {at} of {name}");
        }
    }
    let mut turn = Turn::begin(&[("run", "1\n")]);
    fs::set_permissions(turn.folder.path().join("run"), Permissions::from_mode(0o755)).unwrap();
    turn.before = turn.stored();
    turn.patch("*** Update File: run\n*** Move to: ran");
    turn.patch("*** Update File: ran\n@@\n+2");
    assert_eq!(turn.print(), turn.printed_by_git());
}

#[test]
fn a_file_outside_of_the_root_is_named_by_its_absolute_path() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut diff = TurnDiff::new(inside.path().to_owned());
    let path = outside.path().join("x");
    let plan =
        plan(inside.path(), &format!("*** Add File: {}\n+1\n*** Add File: y", path.display())).unwrap();
    apply(&plan).unwrap();
    diff.record(&plan);
    let path = path.display();
    assert_eq!(
        diff.print(on_disk),
        format!(
            "diff --git a{path} b{path}\nnew file mode 100644\n\
             index {NONE}..d00491fd7e5bb6fa28c517a0bb32b8b506539d4d\n\
             --- /dev/null\n+++ b{path}\n@@ -0,0 +1 @@\n+1\n\
             diff --git a/y b/y\nnew file mode 100644\n\
             index {NONE}..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n"
        )
    );
}

const NONE: &str = "0000000000000000000000000000000000000000";

#[test]
fn a_file_that_cannot_be_compared_is_said_to_differ() {
    let turn = || {
        let mut turn = Turn::begin(&[("a", "1\n")]);
        turn.patch("*** Update File: a\n@@\n+2");
        turn
    };
    let ids = "index d00491fd7e5bb6fa28c517a0bb32b8b506539d4d..";
    let head = "diff --git a/a b/a\n";
    let differ = "Binary files a/a and b/a differ\n";

    let unreadable = turn().diff.print(|_| Err(io::ErrorKind::PermissionDenied.into()));
    assert_eq!(unreadable, format!("{head}{differ}"));

    let latin = turn();
    fs::write(latin.folder.path().join("a"), b"\xe9\n").unwrap();
    let id = latin.git(&["hash-object", "a"], "");
    assert_eq!(latin.print(), format!("{head}{ids}{} 100644\n{differ}", id.trim()));

    let large = turn();
    for (len, is_shown) in [(blob::MAX_COMPARED, true), (blob::MAX_COMPARED + 1, false)] {
        fs::write(large.folder.path().join("a"), "x".repeat(len)).unwrap();
        assert_eq!(large.print().ends_with(differ), !is_shown, "{len}");
    }
    fs::write(large.folder.path().join("a"), "1\n").unwrap();
    assert_eq!(large.print(), "");
}

#[test]
fn what_is_kept_of_a_turn_is_bounded() {
    let text = "x".repeat(blob::MAX_COMPARED - 1) + "\n";
    let names: Vec<_> = (0..=MAX_KEPT / blob::MAX_COMPARED).map(|n| format!("{n:03}")).collect();
    let mut diff = TurnDiff::new("/".into());
    let content = |text: &str| Found::File(crate::Content { bytes: text.into(), executable: false });
    for name in &names {
        let patch =
            crate::Patch::parse(&format!("*** Begin Patch\n*** Update File: {name}\n+y\n*** End Patch"));
        diff.record(&patch.unwrap().plan(Path::new("/"), |_| Ok(content(&text))).unwrap());
    }
    assert_eq!(diff.kept, MAX_KEPT);
    let printed = diff.print(|path| {
        Ok(content(if path.ends_with("000") || path.ends_with("064") { "y\n" } else { &text }))
    });
    let last: Vec<_> = printed.lines().rev().take(2).collect();
    assert!(last[0] == "Binary files a/064 and b/064 differ" && last[1].starts_with("index "), "{last:?}");
    assert_eq!(printed.matches("diff --git").count(), 2);
    assert!(printed.contains("\n+y\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn git_makes_of_the_files_before_what_they_are_now(
        patches in prop::collection::vec(prop::collection::vec(section(), 1..3), 1..6),
    ) {
        let mut turn = Turn::begin(&FILES);
        for sections in patches {
            turn.patch(&sections.join("\n"));
        }
        let before = tempfile::tempdir().unwrap();
        fill(before.path(), &FILES);
        run_git(before.path(), &["apply", "--allow-empty", "--whitespace=nowarn"], &turn.print());
        // Git makes no file that is empty and no folder for none, so only files count.
        let files = |root: &Path| {
            let mut tree = tree(root);
            tree.retain(|path, node| node != "folder" && !path.starts_with(".git/"));
            tree
        };
        prop_assert_eq!(files(before.path()), files(turn.folder.path()), "{}", turn.print());
    }
}
