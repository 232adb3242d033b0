//! Scripts that are plain, scripts that are not, and whether a shell agrees.

use std::process::Command;

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The commands of a script, for the eye: words in quotes, one command a line; `None` where it is unclear.
fn read(script: &str) -> Option<String> {
    let commands = plain_commands(script)?;
    Some(commands.iter().map(|words| format!("{words:?}")).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_shell_is_known_by_its_name_and_its_options() {
    for (words, expected) in [
        (&["bash", "-lc", "ls"][..], Some("ls")),
        (&["/bin/bash", "-lc", "ls"], Some("ls")),
        (&["/usr/bin/zsh", "-c", "ls"], Some("ls")),
        (&["sh", "-l", "-c", "ls -a"], Some("ls -a")),
        (&["bash", "ls"], None),
        (&["bash", "-c"], None),
        (&["bash", "-c", "ls", "name"], None),
        (&["bash", "--rcfile", "x", "-c", "ls"], None),
        (&["bash", "-ic", "ls"], None),
        (&["/tmp/bash", "-lc", "ls"], None),
        (&["./bash", "-lc", "ls"], None),
        (&["/bin/../tmp/bash", "-lc", "ls"], None),
        (&["python3", "-c", "ls"], None),
        (&[], None),
    ] {
        assert_eq!(script(&argv(words)), expected, "{words:?}");
    }
}

#[test]
fn plain_words_are_read() {
    for (script, expected) in [
        ("ls", r#"["ls"]"#),
        ("  ls\t-la  ", r#"["ls", "-la"]"#),
        (
            "ls && cat 'a b' | head -n 5; pwd\ndate",
            r#"["ls"] ["cat", "a b"] ["head", "-n", "5"] ["pwd"] ["date"]"#,
        ),
        ("ls||pwd|wc;date;", r#"["ls"] ["pwd"] ["wc"] ["date"]"#),
        ("\n\n ls\n\n\n pwd\n", r#"["ls"] ["pwd"]"#),
        ("ls &&\n\n# why\n pwd |\nwc", r#"["ls"] ["pwd"] ["wc"]"#),
        ("# a\nls # b; rm x\n#c", r#"["ls"]"#),
        ("ls \\\n  -a", r#"["ls", "-a"]"#),
        ("echo a\\\nb", r#"["echo", "ab"]"#),
        ("ls \\\n# rm", r#"["ls"]"#),
        ("ls;\\\n# rm", r#"["ls"]"#),
        ("ls # a\\\npwd", r#"["ls"] ["pwd"]"#),
        (r#"echo a"b"'c'd """#, r#"["echo", "abcd", ""]"#),
        (r#"echo "a \" \\ \$ \` \n 'b' !""#, r#"["echo", "a \" \\ $ ` \\n 'b' !"]"#),
        ("echo \"a\\\nb\"", r#"["echo", "ab"]"#),
        (r"echo 'a\b$x`y`*'", r#"["echo", "a\\b$x`y`*"]"#),
        (r"echo a\ b \; \$x \'", r#"["echo", "a b", ";", "$x", "'"]"#),
        (r#"rg "^x$" "a$|b" "#, r#"["rg", "^x$", "a$|b"]"#),
        (
            "git show HEAD~1 HEAD^ a@b x#y k=v a] !",
            r#"["git", "show", "HEAD~1", "HEAD^", "a@b", "x#y", "k=v", "a]", "!"]"#,
        ),
        ("find . -exec wc {} \\;", r#"["find", ".", "-exec", "wc", "{}", ";"]"#),
        ("echo é ｶ", r#"["echo", "é", "ｶ"]"#),
        (r"'ls' l\s", r#"["ls", "ls"]"#),
    ] {
        assert_eq!(read(script).as_deref(), Some(expected), "{script:?}");
    }
}

#[test]
fn whatever_a_shell_may_do_more_with_is_unclear() {
    for script in [
        "",
        " \n",
        "# only a comment",
        "''",
        "'' ls", // nothing to run
        "ls $x",
        "ls ${x}",
        "ls $(pwd)",
        "ls `pwd`",
        r#"ls "$x""#,
        r#"ls "`pwd`""#,
        r#"ls "$(pwd)""#,
        r#"ls "$[1]""#, // expansions
        "ls $'a'",
        r#"ls $"a""#,
        "ls $",
        "ls <(pwd)",
        "ls =(pwd)",
        "echo $((1))",
        r#"echo "$$""#,
        r#"echo "$'a'""#,
        "ls *",
        "ls a?",
        "ls [a]",
        "ls {a,b}",
        "ls {a..b}",
        "ls {{},a}",
        "ls {",
        "ls }",
        "ls ~",
        "ls ~/a",
        "ls a=~/b",
        "ls a:~",
        "ls =ls",
        "ls > a",
        "ls >> a",
        "ls < a",
        "ls 2>&1",
        "ls &> a",
        "ls >| a",
        "ls <<< a",
        "cat <<EOF\nEOF",
        ">a ls", // redirections
        "ls &",
        "ls & pwd",
        "ls |& wc",
        "(ls)",
        "{ ls; }",
        "! ls",
        "time ls",
        "coproc ls", // what is no list of commands
        "if true; then ls; fi",
        "for x in a; do ls; done",
        "while true; do ls; done",
        "case a in a) ls;; esac",
        "f() { ls; }",
        "function f { ls; }",
        "[[ a ]]",
        "[ a ]",
        "((1))",
        "select x in a; do ls; done",
        "X=1 ls",
        "X=1",
        "X+=1 ls",
        "é=1",
        r#""X"=1 ls"#, // assignments
        "ls 'a",
        "ls \"a",
        "ls a\\",
        "ls &&",
        "ls |",
        "ls ||\n",
        "&& ls",
        "| ls",
        "; ls",
        "ls;;",
        "ls; ; pwd",
        "ls && ; pwd",
        "ls &&& pwd",
        "ls ||| pwd", // broken
        "ls\r\npwd",
        "ls\u{a0}a",
        "ls\u{b}a",
        "ls a\0b",
        "ls 'a\0'",
        "ls \"a\0\"",
        "ls \\\0",
        "!ls",
        "! ls",
        "ls\u{2028}", // odd characters
        "&\\\n& ls",
        "ls &\\\n& pwd",
        "echo '{}' \\\n{}{",
    ] {
        assert_eq!(read(script), None, "{script:?}");
    }
}

#[test]
fn a_comment_is_not_seen_where_the_shell_sees_a_word() {
    // The tree of tree-sitter-bash has a command and a comment here.
    assert_eq!(read("echo a\\\n#b; rm x").as_deref(), Some(r#"["echo", "a#b"] ["rm", "x"]"#));
}

#[test]
fn what_no_program_can_be_given_is_not_read() {
    let at_most = format!("ls {}", "a".repeat(LONGEST_SCRIPT - 3));
    assert_eq!(plain_commands(&at_most).map(|commands| commands.len()), Some(1));
    assert_eq!(plain_commands(&(at_most + "a")), None);
}

/// What bash runs, with `p` for the program: the words of each call in order.
fn run_by_bash(script: &str) -> Vec<Vec<String>> {
    let empty = tempfile::tempdir().unwrap();
    let mut bash = Command::new("bash");
    bash.env("BASH_FUNC_p%%", r#"() { printf '%s\0' "$#" "$@"; }"#).env("LC_ALL", "C.UTF-8");
    // Should a text name a program by chance, there is none.
    bash.arg("-c").arg(format!("PATH=\n{script}")).current_dir(empty.path());
    let output = bash.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut words = text.split_terminator('\0').map(str::to_owned);
    let mut calls = Vec::new();
    while let Some(count) = words.next() {
        let arguments = words.by_ref().take(count.parse().unwrap());
        calls.push([vec!["p".to_owned()], arguments.collect()].concat());
    }
    calls
}

proptest! {
    #[test]
    fn no_text_is_too_odd(script in "\\PC*|[a '\"\\\\\n;&|$`#{}~=<>()!*-]*") {
        if let Some(commands) = plain_commands(&script) {
            prop_assert!(commands.iter().all(|words| !words.is_empty()));
        }
    }

    #[test]
    fn what_was_quoted_reads_back(words in prop::collection::vec("[^\0]*", 0..5)) {
        let words = [vec!["p".to_owned()], words].concat();
        let quoted = shlex::try_join(words.iter().map(String::as_str)).unwrap();
        prop_assert_eq!(plain_commands(&quoted), Some(vec![words]), "{}", quoted);
    }

    #[test]
    fn bash_runs_what_was_read(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                " ", "a", "p ", "\np ", ";p ", "&& p ", "'", "\"", "\\", "\n", "#", "\\\n", "{}", "{", "~", "=", "$", ":", ",", "|", "-", "é", "!", "^",
            ]),
            0..14,
        ),
    ) {
        let script = format!("p {}", pieces.concat());
        // Nothing but calls of `p`, and none whose output another one would read.
        if let Some(commands) = plain(&script)
            && commands.iter().all(|c| c.words[0] == "p" && matches!(c.joint, Joint::Then | Joint::And))
        {
            let expected: Vec<_> = commands.into_iter().map(|command| command.words).collect();
            prop_assert_eq!(run_by_bash(&script), expected, "{:?}", script);
        }
    }
}
