//! Commands and what is shown of them.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

/// What is shown of a script that runs in `/w`, for the eye.
fn shown(script: &str) -> String {
    let argv = ["/bin/bash", "-lc", script].map(str::to_owned);
    let actions = command_actions(&argv, Path::new("/w"));
    let shown = actions.into_iter().map(|action| match action {
        Action::Read { cmd, name, path } => format!("read {path} ({name}): {cmd}"),
        Action::ListFiles { cmd, path } => format!("list {}: {cmd}", path.as_deref().unwrap_or("-")),
        Action::Search { cmd, query, path } => {
            format!("search {} in {}: {cmd}", query.as_deref().unwrap_or("-"), path.as_deref().unwrap_or("-"))
        }
        Action::Unknown { cmd } => format!("unknown: {cmd}"),
    });
    shown.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_file_that_is_printed_is_read() {
    for (script, expected) in [
        ("cat a.txt", "read /w/a.txt (a.txt): cat a.txt"),
        ("cat -n src/lib.rs", "read /w/src/lib.rs (lib.rs): cat -n src/lib.rs"),
        ("/bin/cat a", "read /w/a (a): /bin/cat a"),
        ("cat /etc/../etc/./passwd", "read /etc/passwd (passwd): cat /etc/../etc/./passwd"),
        ("cat 'my file'", "read /w/my file (my file): cat 'my file'"),
        ("cat -- -a", "read /w/-a (-a): cat -- -a"),
        ("head -n 5 a", "read /w/a (a): head -n 5 a"),
        ("head -5 a", "read /w/a (a): head -5 a"),
        ("tail -n +5 a", "read /w/a (a): tail -n +5 a"),
        ("nl -ba a", "read /w/a (a): nl -ba a"),
        ("nl -b a x", "read /w/x (x): nl -b a x"),
        ("sed -n 1,5p a", "read /w/a (a): sed -n '1,5p' a"),
        ("bat --paging=never -l rs a", "read /w/a (a): bat '--paging=never' -l rs a"),
        ("less a", "read /w/a (a): less a"),
        ("awk '{print $1}' a", "read /w/a (a): awk '{print $1}' a"),
        ("awk -F : '{print $1}' a", "read /w/a (a): awk -F : '{print $1}' a"),
    ] {
        assert_eq!(shown(script), expected, "{script:?}");
    }
}

#[test]
fn folders_are_listed_and_searched() {
    for (script, expected) in [
        ("ls", "list -: ls"),
        ("ls -la src", "list src: ls -la src"),
        ("ls -I x src", "list src: ls -I x src"),
        ("eza -la", "list -: eza -la"),
        ("tree -L 2 src", "list src: tree -L 2 src"),
        ("du -sh .", "list .: du -sh ."),
        ("find .", "list .: find ."),
        ("find src -type f", "list src: find src -type f"),
        ("find -type f", "list -: find -type f"),
        ("find . -name '*.rs'", "search *.rs in .: find . -name '*.rs'"),
        ("fd", "list -: fd"),
        ("fd -e rs", "list -: fd -e rs"),
        ("fd foo src", "search foo in src: fd foo src"),
        ("rg --files -g '*.rs' src", "list src: rg --files -g '*.rs' src"),
        ("git ls-files src", "list src: git ls-files src"),
        ("rg needle src", "search needle in src: rg needle src"),
        ("rg -n needle src lib", "search needle in src: rg -n needle src lib"),
        ("rg -A 3 -t rust needle", "search needle in -: rg -A 3 -t rust needle"),
        ("grep -rn foo src", "search foo in src: grep -rn foo src"),
        ("grep -E foo a.txt", "search foo in a.txt: grep -E foo a.txt"),
        ("grep -r -e foo src", "search foo in src: grep -r -e foo src"),
        ("ag foo", "search foo in -: ag foo"),
        ("git grep -n foo -- src", "search foo in src: git grep -n foo -- src"),
    ] {
        assert_eq!(shown(script), expected, "{script:?}");
    }
}

#[test]
fn helpers_are_seen_through() {
    for (script, expected) in [
        ("cat a | head -n 5", "read /w/a (a): cat a"),
        ("cat a | wc -l", "read /w/a (a): cat a"),
        ("nl -ba a | sed -n 1,5p", "read /w/a (a): nl -ba a"),
        (
            "cat a | sort -k 2 | uniq -c | cut -d : -f 1 | tr a b | awk '{print $1}' | cat",
            "read /w/a (a): cat a",
        ),
        ("ls src | head -5", "list src: ls src"),
        ("rg foo | head", "search foo in -: rg foo"),
        ("cd src && cat a | head -n 5", "read /w/src/a (a): cat a"),
        ("cd src && cd ../b && cat ../a", "read /w/a (a): cat ../a"),
        ("cd /usr; ls", "list -: ls"),
        ("echo hi && cat a || true", "read /w/a (a): cat a"),
        ("cat a | grep foo", "read /w/a (a): cat a; search foo in -: grep foo"),
        ("ls && cat a\nrg foo # look", "list -: ls; read /w/a (a): cat a; search foo in -: rg foo"),
    ] {
        assert_eq!(shown(script), expected, "{script:?}");
    }
}

#[test]
fn a_script_with_an_unknown_part_is_unknown_as_a_whole() {
    for script in [
        "git status",
        "git status && cat a",
        "cat a && git status",
        "cat a | xargs rm",
        "cat a | tee b",
        "cat a | sh",
        "pwd && ls",
        "cd src",
        "cd - && ls",
        "cd && ls",
        "echo hi",
        "true",
        "",
        "cat",
        "cat a b",
        "cat -",
        "wc -l a",
        "sort a",
        "cat a | sort b",
        "cat a | sort -o b",
        "cat a | uniq - b",
        "head",
        "sed -n 1,5p",
        "sed s/a/b/ a",
        "sed -i s/a/b/ a",
        "sed -n '1w x' a",
        "awk '{print > \"x\"}' a",
        "awk 'BEGIN{system(\"x\")}' a",
        "find . -delete",
        "find . -exec rm {} +",
        "fd foo -x rm",
        "rg --pre ./x foo",
        "tree -o x",
        "rg",
        "cat ~/x",
        "cat $x",
        "cat *.txt",
        "cat a > b",
        "cat a 2>/dev/null",
        "cat a &",
        "(cat a)",
        "cat <<EOF\nx\nEOF",
        "bash -lc 'cat a'",
        "/tmp/cat a",
        "cat /",
        "python3 -c 1",
    ] {
        assert_eq!(shown(script), format!("unknown: {script}"));
    }
    let long = vec!["ls"; MOST_ACTIONS + 1].join(";");
    assert_eq!(shown(&long), format!("unknown: {long}"));
}

#[test]
fn an_argv_without_a_shell_is_explained_too() {
    for (argv, expected) in [
        (&["cat", "a b"][..], r#"[{"type":"read","cmd":"cat 'a b'","name":"a b","path":"/w/a b"}]"#),
        (&["ls"], r#"[{"type":"list_files","cmd":"ls","path":null}]"#),
        (&["rg", "x; rm y"], r#"[{"type":"search","cmd":"rg 'x; rm y'","query":"x; rm y","path":null}]"#),
        (&["bash", "x y"], r#"[{"type":"unknown","cmd":"bash 'x y'"}]"#),
        (&["x\0", "y z"], r#"[{"type":"unknown","cmd":"x\u0000 y z"}]"#),
        (&[], r#"[{"type":"unknown","cmd":""}]"#),
    ] {
        let argv: Vec<_> = argv.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(serde_json::to_string(&command_actions(&argv, Path::new("/w"))).unwrap(), expected);
    }
}

proptest! {
    #[test]
    fn there_is_always_an_answer(script in "((cat|cd|rg|ls|find|sed|awk|head|fd|git grep|-n|-e|a|--|\\||;|&&|'|\"|-) ?){0,12}") {
        prop_assert!(!shown(&script).is_empty());
    }
}
