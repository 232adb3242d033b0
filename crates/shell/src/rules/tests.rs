//! Rules, what they decide, and what becomes of those that cannot be read.

use std::os::unix::fs::PermissionsExt;

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

fn words(line: &str) -> Vec<String> {
    shlex::split(line).unwrap()
}

/// The argv of a script.
fn sh(script: &str) -> Vec<String> {
    ["/bin/bash", "-lc", script].map(str::to_owned).to_vec()
}

/// The rules of a folder with one file.
fn rules(text: &str) -> Rules {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.rules"), text).unwrap();
    Rules::load(folder.path())
}

/// The errors of a file, without its path.
fn errors(text: &str) -> Vec<String> {
    let rules = rules(text);
    let texts = rules.errors().iter().map(ToString::to_string);
    texts.map(|text| text.split_once("a.rules:").unwrap().1.to_owned()).collect()
}

fn forbidden(why: Option<&str>) -> Verdict {
    Verdict::Forbidden { justification: why.map(str::to_owned) }
}

const RULES: &str = r#"
# What may be done.
prefix_rule(
    pattern = ["git", ["add", "commit"]],   # the harmless half
    decision = "allow",
    justification = "fine",
    match = ["git add x", ["git", "commit"]],
    not_match = ["git status", "git"],
)
prefix_rule(pattern=['mkdir', 'bad'], decision='forbidden', justification="not \"here\"")
prefix_rule(pattern=["mkdir"], decision="allow"); prefix_rule(pattern=["ln"], decision="prompt")
prefix_rule(pattern=["touch"])
prefix_rule(pattern=["curl"], decision="forbidden")
"#;

#[test]
fn the_strictest_rule_decides() {
    let rules = rules(RULES);
    assert_eq!(rules.errors().len(), 0);
    let not_here = || forbidden(Some("not \"here\""));
    for (script, expected) in [
        ("git add x", Verdict::Allow),
        ("git commit", Verdict::Allow),
        ("git push", Verdict::Unknown),
        ("git", Verdict::Unknown),
        ("mkdir ok", Verdict::Allow),
        ("mkdir bad", not_here()),
        ("mkdir bad x", not_here()),
        ("ln x", Verdict::Prompt),
        ("touch x", Verdict::Allow),
        ("rmdir x", Verdict::Unknown),
        ("ls", Verdict::Unknown),
        ("touchy x", Verdict::Unknown),
        ("touch a && mkdir b", Verdict::Allow),
        ("touch a && ls | wc -l", Verdict::Allow),
        ("touch a && rmdir b", Verdict::Unknown),
        ("touch a; ln x", Verdict::Prompt),
        ("touch a; ln x; mkdir bad", not_here()),
        ("curl x", forbidden(None)),
    ] {
        assert_eq!(rules.decide(&sh(script)), expected, "{script:?}");
        if !script.contains([';', '&', '|']) {
            assert_eq!(rules.decide(&words(script)), expected, "{script:?} without a shell");
        }
    }
    assert_eq!(rules.decide(&[]), Verdict::Unknown);
}

#[test]
fn an_unclear_script_is_not_allowed_by_rules_about_its_parts() {
    let rules = rules(RULES);
    for script in [
        "touch a > b",
        "touch $x",
        "touch *",
        "X=1 touch a",
        "(touch a)",
        "touch a &",
        "if touch a; then ls; fi",
        "/tmp/touch a",
        "/usr/bin/touch a",
    ] {
        assert_eq!(rules.decide(&sh(script)), Verdict::Unknown, "{script:?}");
    }
    assert_eq!(rules.decide(&["/tmp/bash", "-lc", "touch a"].map(str::to_owned)), Verdict::Unknown);
}

#[test]
fn what_is_forbidden_is_found_wherever_it_hides() {
    let rules = rules(RULES);
    for script in [
        "curl x > y",
        "ls $(curl x)",
        "(curl x)",
        "X=1 curl x",
        "/usr/bin/curl x",
        "./curl x",
        "sudo curl x",
        "ls | xargs curl",
        "bash -c 'curl x'",
        "c\\url x",
        "if true; then curl x; fi",
        "echo \"`curl x`\"",
        "cat <<EOF\n$(curl x)\nEOF",
    ] {
        assert_eq!(rules.decide(&sh(script)), forbidden(None), "{script:?}");
    }
    assert_eq!(rules.decide(&sh("echo curl x; touch 'curl x'")), Verdict::Allow);
    let unreadable = sh(&"(".repeat(10_000));
    assert_eq!(rules.decide(&unreadable), Verdict::Prompt);
    assert_eq!(self::rules("prefix_rule(pattern=['a'])").decide(&unreadable), Verdict::Unknown);
}

#[test]
fn a_rule_about_a_shell_is_not_about_every_script() {
    let rules = rules("prefix_rule(pattern=['bash'], decision='forbidden')");
    assert_eq!(rules.decide(&sh("ls > x")), Verdict::Unknown);
    assert_eq!(rules.decide(&sh("ls | bash")), forbidden(None));
    assert_eq!(rules.decide(&words("bash x.sh")), forbidden(None));
}

#[test]
fn every_way_to_write_a_text_is_read() {
    for text in [
        r#""to\u0075ch""#,
        r#"'touch'"#,
        r#"r"touch""#,
        r#""""touch""""#,
        r#"'''touch'''"#,
        r#""\x74ouch""#,
        r#"'to\
uch'"#,
        "[\"touch\", 'x']",
        "[ 'touch' , ] # x\n",
        "[\n# x\n'touch'\n]",
    ] {
        let rules = rules(&format!("prefix_rule(pattern=[{text}],decision='allow',)"));
        assert_eq!(rules.errors().len(), 0, "{text}: {:?}", rules.errors());
        assert_eq!(rules.decide(&words("touch a")), Verdict::Allow, "{text}");
    }
    let rules = rules("prefix_rule(pattern=['a', 'b\\n\\t\\\\\\'\\\"', r'\\n', '''x''y\n''', ''])");
    let command = ["a", "b\n\t\\'\"", "\\n", "x''y\n", ""].map(str::to_owned);
    assert_eq!(rules.decide(&command), Verdict::Allow, "{:?}", rules.errors());
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_line() {
    for (text, expected) in [
        ("x = 1", "1: only calls of `prefix_rule(...)` are understood"),
        ("\n\ndef f():\n  pass", "3: only calls of `prefix_rule(...)` are understood"),
        ("prefix_rule = 1", "1: only calls of `prefix_rule(...)` are understood"),
        ("load('a')", "1: only calls of `prefix_rule(...)` are understood"),
        ("prefix_rule()", "1: `pattern` must have at least one word"),
        ("prefix_rule(pattern=[])", "1: `pattern` must have at least one word"),
        ("prefix_rule(pattern='ls')", "1: `pattern` must be a list"),
        ("prefix_rule(pattern=[[]])", "1: a list of words in `pattern` is empty"),
        ("prefix_rule(pattern=[['a', ['b']]])", "1: expected a text in quotes"),
        ("prefix_rule(pattern=['a', 1])", "1: expected a text in quotes"),
        ("prefix_rule(pattern=['a'] + ['b'])", "1: expected `,` or `)`"),
        ("prefix_rule(pattern=('a', 'b'))", "1: expected a text in quotes"),
        ("prefix_rule(['a'])", "1: expected an argument like `pattern=[...]`, or `)`"),
        ("prefix_rule(pattern=['a'], pattern=['b'])", "1: `pattern` is given twice"),
        ("prefix_rule(pattern=['a'], why='b')", "1: `prefix_rule` has no argument `why`"),
        (
            "prefix_rule(\n  pattern=['a'],\n  decision='maybe')",
            "1: `decision` must be `allow`, `prompt` or `forbidden`, not `maybe`",
        ),
        ("prefix_rule(pattern=['a'], decision=['allow'])", "1: `decision` must be a text"),
        ("prefix_rule(\n  pattern=['a',\n  'b\n  ])", "3: a text has no end"),
        ("prefix_rule(pattern=['a'", "1: expected `,` or `]`"),
        ("prefix_rule(pattern=['a']) x", "1: expected the end of the line"),
        ("prefix_rule(pattern=['\\q'])", "1: `\\q` is no escape"),
        ("prefix_rule(pattern=['\\u12'])", "1: `\\u` is no escape"),
        ("'''\nx", "2: a text has no end"),
        (
            "prefix_rule(pattern=['a'], match=['b c'])",
            "1: `b c` is under `match`, but the pattern does not match it",
        ),
        (
            "prefix_rule(pattern=['a'], not_match=['a c'])",
            "1: `a c` is under `not_match`, but the pattern matches it",
        ),
        ("prefix_rule(pattern=['a'], match=['\"'])", "1: `\"` has a quote without an end"),
    ] {
        assert_eq!(errors(text)[..1], [expected.to_owned()], "{text:?}");
    }
}

#[test]
fn what_is_no_rule_about_commands_is_passed_over() {
    let text = "'''\nprefix_rule(pattern=['no'])\n'''\n\"x\"\nnetwork_rule(host='x', protocol=\"https\", decision='deny')\n\
                host_executable(name='git', paths=['/usr/bin/git'])\n;\nprefix_rule(pattern=['yes'])\r\n";
    let rules = rules(text);
    assert_eq!(rules.errors().len(), 0, "{:?}", rules.errors());
    assert_eq!((rules.decide(&words("yes")), rules.decide(&words("no"))), (Verdict::Allow, Verdict::Unknown));
}

#[test]
fn around_what_cannot_be_read_the_rest_forbids_but_does_not_allow() {
    for broken in [
        "x = 1",
        "def f():\n  prefix_rule(pattern=['x'])",
        "prefix_rule(pattern=['git'] + ['push'], decision='forbidden')",
        "prefix_rule(pattern=['git'",
        "'''",
        "prefix_rule(pattern=[\n'git',\nx,\n])",
        "\"",
        ")",
        "prefix_rule(pattern=['git'], decision='forbiden')",
    ] {
        let text = format!(
            "prefix_rule(pattern=['git'])\n{broken}\nprefix_rule(pattern=['rm'], decision='forbidden')\nprefix_rule(pattern=['ln'], decision='prompt')\n"
        );
        let rules = rules(&text);
        assert!(!rules.errors().is_empty(), "{broken:?}");
        assert_eq!(rules.decide(&words("git push")), Verdict::Unknown, "{broken:?}");
        assert_eq!(rules.decide(&words("rm x")), forbidden(None), "{broken:?}");
        assert_eq!(rules.decide(&words("ln x")), Verdict::Prompt, "{broken:?}");
    }
    let against_itself = rules("prefix_rule(pattern=['rm'], decision='forbidden', match=['ls'])");
    assert_eq!(against_itself.decide(&words("rm x")), forbidden(None));
}

#[test]
fn the_rules_of_all_files_hold_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    file("a.rules", b"prefix_rule(pattern=['a'])");
    file("b.rules", b"prefix_rule(pattern=['a', 'b'], decision='prompt')");
    file("c.txt", b"not a rule");
    let decided = |line: &str| Rules::load(folder.path()).decide(&words(line));
    assert_eq!((decided("a"), decided("a b")), (Verdict::Allow, Verdict::Prompt));
    for unreadable in [&b"\xff"[..], &vec![b'#'; LONGEST_FILE as usize + 1]] {
        file("c.rules", unreadable);
        assert_eq!(Rules::load(folder.path()).errors().len(), 1);
        assert_eq!((decided("a"), decided("a b")), (Verdict::Unknown, Verdict::Prompt));
    }
    fs::remove_file(folder.path().join("c.rules")).unwrap();
    fs::create_dir(folder.path().join("c.rules")).unwrap();
    assert_eq!(Rules::load(folder.path()).errors().len(), 1);
}

#[test]
fn without_a_folder_there_are_no_rules() {
    let folder = tempfile::tempdir().unwrap();
    let none = Rules::load(&folder.path().join("rules"));
    assert_eq!((none.errors().len(), none.decide(&words("ls"))), (0, Verdict::Unknown));
    fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(Rules::load(&folder.path().join("file")).errors().len(), 1);
}

#[test]
fn a_rule_is_added_once_and_holds() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("rules");
    let file = folder.join("default.rules");
    let prefix = words("touch made");
    Rules::append(&folder, &prefix).unwrap();
    Rules::append(&folder, &prefix).unwrap();
    let line = "prefix_rule(pattern=[\"touch\", \"made\"], decision=\"allow\")\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), line);
    assert_eq!(Rules::load(&folder).decide(&sh("touch made x")), Verdict::Allow);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));

    // What people wrote stays, also without a newline at its end.
    fs::write(&file, "# mine").unwrap();
    Rules::append(&folder, &prefix).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("# mine\n{line}"));
}

#[test]
fn a_rule_that_cannot_be_is_not_added() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Rules::append(folder.path(), &[]), Err(RulesError::Empty)));
    let long = vec!["x".repeat(LONGEST_FILE as usize)];
    assert!(matches!(Rules::append(folder.path(), &long), Err(RulesError::TooLong { .. })));
    assert!(matches!(Rules::append(&folder.path().join("default.rules"), &long), Err(RulesError::Io { .. })));
    assert_eq!(fs::read_to_string(folder.path().join("default.rules")).unwrap(), "");
}

#[test]
fn of_many_that_add_a_rule_at_once_one_does() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for index in 0..10 {
                    Rules::append(folder.path(), &["x".to_owned(), index.to_string()]).unwrap();
                }
            });
        }
    });
    let text = fs::read_to_string(folder.path().join("default.rules")).unwrap();
    assert_eq!((text.lines().count(), Rules::load(folder.path()).errors().len()), (10, 0));
}

#[test]
fn a_rule_is_offered_that_would_allow_the_command() {
    let rules = rules(RULES);
    let offered = |argv: &[String], wanted: Option<&str>| {
        rules.amendment(argv, wanted.map(words).as_deref()).map(|words| words.join(" "))
    };
    for (script, wanted, expected) in [
        ("rmdir made", None, Some("rmdir made")),
        ("rmdir made", Some("rmdir"), Some("rmdir")),
        ("rmdir made", Some("rmdir made"), Some("rmdir made")),
        ("rmdir made", Some("rmdir other"), Some("rmdir made")),
        ("rmdir made", Some("rmdir made more"), Some("rmdir made")),
        ("rmdir made", Some(""), Some("rmdir made")),
        ("ls", None, Some("ls")),
        ("ls && rmdir a", None, Some("rmdir a")),
        ("touch a && rmdir b && rmdir c", None, Some("rmdir b")),
        ("touch a && rmdir b && rmdir c", Some("rmdir"), Some("rmdir")),
        ("rmdir b && cp c d", Some("rmdir"), Some("rmdir b")),
        ("cargo test x", Some("cargo test"), Some("cargo test")),
        ("git push x", Some("git"), Some("git push x")),
        ("git push x", Some("git push"), Some("git push")),
        ("python3 x.py y", Some("python3"), Some("python3 x.py y")),
        ("python3 x.py y", Some("python3 x.py"), Some("python3 x.py")),
        ("python3.11 -c 1", Some("python3.11 -c"), Some("python3.11 -c 1")),
        ("/usr/bin/env X=1 make", Some("/usr/bin/env X=1"), Some("/usr/bin/env X=1 make")),
        ("timeout 5 make", Some("timeout 5"), Some("timeout 5 make")),
        ("cp a b > c", None, Some("/bin/bash -lc cp a b > c")),
        ("cp a b > c", Some("cp"), Some("/bin/bash -lc cp a b > c")),
        // Nothing is to be offered, or nothing would help.
        ("touch a", None, None),
        ("ln a", None, None),
        ("curl a", None, None),
        ("rmdir b; ln a", None, None),
        ("rm -rf x", None, None),
        ("rm -rf x", Some("rm"), None),
        ("ls && rm -f x > y", None, None),
        ("bash", None, None),
        ("python3", None, None),
        ("python3 -", None, None),
        ("node -i", None, None),
        ("git", None, None),
        ("env", None, None),
        ("env X=1", None, None),
        ("sudo -n bash", None, None),
        ("ls | xargs rm", None, None),
        ("cat x | sh", None, None),
    ] {
        assert_eq!(offered(&sh(script), wanted).as_deref(), expected, "{script:?} {wanted:?}");
    }
    assert_eq!(offered(&words("rmdir x"), None).as_deref(), Some("rmdir x"));
    assert_eq!(offered(&[], None), None);
    assert_eq!(offered(&words(&format!("rmdir {}", "x".repeat(5000))), None), None);
    assert_eq!(self::rules("x = 1").amendment(&words("rmdir x"), None), None);
}

#[test]
fn an_offered_rule_for_an_unclear_script_allows_that_script_alone() {
    let folder = tempfile::tempdir().unwrap();
    let offered = Rules::default().amendment(&sh("cp 'a\n' b > c"), None).unwrap();
    Rules::append(folder.path(), &offered).unwrap();
    let rules = Rules::load(folder.path());
    assert_eq!(rules.decide(&sh("cp 'a\n' b > c")), Verdict::Allow);
    assert_eq!(rules.decide(&sh("cp 'a\n' b > d")), Verdict::Unknown);
}

proptest! {
    #[test]
    fn a_rule_that_was_added_reads_back(prefix in prop::collection::vec("\\PC*|[\"'\\\\\n\r\t\0\u{1}-\u{1f}\u{7f}\u{1f600}]*", 1..4)) {
        let mut rules = Rules::default();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rules");
        fs::write(&path, amendment_line(&prefix)).unwrap();
        rules.add_file(&path);
        prop_assert!(rules.errors().is_empty(), "{:?}", rules.errors());
        let expected = Rule { prefix: prefix.into_iter().map(|word| vec![word]).collect(), decision: Decision::Allow, justification: None };
        prop_assert_eq!(rules.rules, [expected]);
    }

    #[test]
    fn no_file_is_too_odd(text in "(prefix_rule\\(|pattern=|decision=|'forbidden'|\\[|\\]|\\)|,|'|\"|\"\"\"|r|\\\\|#|\n| |;|a|=){0,40}") {
        let statements = statement::statements(&text);
        prop_assert!(statements.iter().all(|(line, _)| (1..=text.lines().count().max(1) + 1).contains(line)));
    }
}
