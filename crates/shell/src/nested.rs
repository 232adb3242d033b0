//! Every command that an argv runs as far as the eye can see: in scripts that are not plain, in scripts within scripts,
//! behind `sudo`, `xargs` and their like.
//!
//! For finding what must not run, never for allowing anything: a script that hides what it does is not seen through.

mod scan;

use crate::words::{self, SHELLS, base_name};

/// Scripts within scripts are looked into so deep. Nobody writes three levels by hand.
const DEEPEST: usize = 8;

/// So many commands are looked at. A script of the longest kind has 60,000 at most; one that people read, a hundred.
const MOST_COMMANDS: usize = 5_000;

/// Programs that run the command in their arguments.
pub(crate) const RUNNERS: &[&str] = &[
    "builtin", "busybox", "chroot", "command", "doas", "env", "eval", "exec", "fd", "find", "flock",
    "ionice", "ltrace", "nice", "nohup", "nsenter", "parallel", "runuser", "script", "setsid", "stdbuf",
    "strace", "su", "sudo", "time", "timeout", "toybox", "trap", "unbuffer", "unshare", "watch", "xargs",
];

/// Those of them that take it as one text, too.
const TEXT_RUNNERS: &[&str] =
    &["env", "eval", "flock", "parallel", "runuser", "script", "su", "trap", "watch"];

/// The options of `find` and `fd` that a command stands behind.
const STARTERS: &[&str] = &["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"];

/// There was more than is looked at, so that nothing can be said of the rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Shows every command that an argv runs; the argv itself too, unless it is but a shell for a script.
pub(crate) fn visit(argv: &[String], seen: &mut dyn FnMut(&[String])) -> Result<(), Unreadable> {
    let mut visitor = Visitor { seen, left: MOST_COMMANDS };
    match words::script(argv) {
        Some(script) => visitor.script(script, 0),
        None => visitor.command(argv, 0),
    }
}

struct Visitor<'a> {
    seen: &'a mut dyn FnMut(&[String]),
    left: usize,
}

impl Visitor<'_> {
    fn command(&mut self, argv: &[String], depth: usize) -> Result<(), Unreadable> {
        self.itself(argv, depth)?;
        let Some(name) = argv.first().map(|program| base_name(program)) else { return Ok(()) };
        if !RUNNERS.contains(&name) {
            return Ok(());
        }
        for start in 1..argv.len() {
            // Which of the words are the runner's own is not told apart, but for those that only name files.
            if matches!(name, "find" | "fd") && !STARTERS.contains(&argv[start - 1].as_str()) {
                continue;
            }
            self.itself(&argv[start..], depth)?;
            if TEXT_RUNNERS.contains(&name) && argv[start].contains(char::is_whitespace) {
                self.script(&argv[start], depth)?;
            }
        }
        Ok(())
    }

    /// Shows one command, and what its script runs if it is a shell with one.
    fn itself(&mut self, argv: &[String], depth: usize) -> Result<(), Unreadable> {
        self.left = self.left.checked_sub(1).ok_or(Unreadable)?;
        (self.seen)(argv);
        any_script(argv).map_or(Ok(()), |script| self.script(script, depth))
    }

    fn script(&mut self, script: &str, depth: usize) -> Result<(), Unreadable> {
        if depth == DEEPEST {
            return Err(Unreadable);
        }
        let commands = scan::commands(script)?;
        commands.iter().try_for_each(|argv| self.command(argv, depth + 1))
    }
}

/// Returns the script of any shell anywhere, whatever its other options.
fn any_script(argv: &[String]) -> Option<&str> {
    let (shell, arguments) = argv.split_first()?;
    if !SHELLS.contains(&base_name(shell)) {
        return None;
    }
    let mut arguments = arguments.iter().map(String::as_str);
    let mut has_script = false;
    while let Some(argument) = arguments.next() {
        match argument {
            "--rcfile" | "--init-file" => drop(arguments.next()),
            "--" => return arguments.next().filter(|_| has_script),
            _ if argument.starts_with("--") => {}
            _ if argument.starts_with(['-', '+']) => {
                has_script |= argument.contains('c');
                // `-o pipefail`, also as the end of `-euo pipefail`.
                if argument.ends_with(['o', 'O']) {
                    arguments.next();
                }
            }
            _ => return has_script.then_some(argument),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::words::LONGEST_SCRIPT;

    fn seen(argv: &[&str]) -> Result<Vec<String>, Unreadable> {
        let argv: Vec<_> = argv.iter().map(|&word| word.to_owned()).collect();
        let mut seen = Vec::new();
        visit(&argv, &mut |command| seen.push(command.join(" "))).map(|()| seen)
    }

    /// Whether `bad thing` is among what a script runs.
    fn finds(script: &str) -> bool {
        seen(&["bash", "-lc", script]).unwrap().iter().any(|command| command == "bad thing")
    }

    #[test]
    fn a_command_is_found_wherever_a_script_runs_it() {
        for script in [
            "bad thing",
            "ls; bad thing",
            "ls | bad thing",
            "ls\nbad thing &",
            "(bad thing)",
            "{ bad thing; }",
            "! bad thing",
            "bad thing > x",
            "bad thing 2>&1 | tee y",
            "> x bad thing",
            "bad > x thing",
            "bad thing < x > y",
            "X=1 bad thing",
            "X=$y bad thing",
            "if bad thing; then ls; fi",
            "if ls; then bad thing; fi",
            "for x in *; do bad thing; done",
            "while bad thing; do :; done",
            "case $x in a) bad thing;; esac",
            "f() { bad thing; }; f",
            "echo $(bad thing)",
            "echo `bad thing`",
            "echo \"a $(bad thing)\"",
            "x=$(bad thing)",
            "export X=$(bad thing)",
            "cat <(bad thing)",
            "cat <<EOF\n$(bad thing)\nEOF",
            "cat <<EOF | bad thing\nx\nEOF",
            "cat <<'EOF' > f\nit's\nEOF\nbad thing",
            "[ -f x ] && bad thing",
            "[[ -f x ]] || bad thing",
            "ls $x # it's\nbad thing",
            "b\\ad 'thing'$()",
            "bad &> log thing",
            "x=$((1 << 2))\nbad thing\n2",
            "((1<<y))\nbad thing\ny",
            "cat <<x\nbad thing",
            "echo $'it\\'s'; bad thing",
            "`ls # it's`; bad thing",
            "trap 'bad thing' EXIT",
            "'bad' \"thing\" > x",
            "ls $x\nbad \\\n  thing",
            "echo $x a\\\n#b; bad thing",
            "ls * ; ba\"d\" thing",
        ] {
            // An expansion that is empty is not worked out.
            let script = script.replace("$()", " > x");
            assert!(finds(&script), "{script:?}");
        }
    }

    #[test]
    fn a_command_is_found_behind_those_that_run_others() {
        for script in [
            "sudo bad thing",
            "sudo -u me bad thing",
            "/usr/bin/env X=1 bad thing",
            "env -i bad thing",
            "xargs -n 1 bad thing",
            "ls | xargs bad thing",
            "nohup nice -n 5 timeout 5 bad thing",
            "find . -name x -exec bad thing",
            "fd y -x bad thing",
            "command bad thing",
            "bash -c 'bad thing'",
            "sudo bash -c 'bad thing'",
            "sh -ec 'bad thing'",
            "bash -euo pipefail -c 'bad thing'",
            "/opt/zsh -o err_exit -c 'bad thing'",
            "bash -c -- 'bad thing'",
            "bash -c \"bash -c 'bad thing'\"",
            "eval 'bad thing'",
            "eval bad thing",
            "env -S 'bad thing'",
            "su -c 'bad thing' me",
            "watch 'ls; bad thing'",
            "echo $(sudo sh -c 'ls && bad thing')",
        ] {
            assert!(finds(script), "{script:?}");
        }
    }

    #[test]
    fn a_text_that_only_speaks_of_a_command_is_none() {
        for script in [
            "echo 'bad thing'",
            "echo bad thing",
            "grep 'bad thing' x",
            "# bad thing",
            "ls $x # bad thing",
            "cat <<EOF\nbad thing\nEOF",
            "git commit -m 'bad thing' > x",
            "bash 'bad thing'",
            "bash x -c 'bad thing'",
            "bash +x x 'bad thing'",
            "python3 -c 'bad thing'",
            "find bad thing",
        ] {
            assert!(!finds(script), "{script:?}");
        }
    }

    #[test]
    fn words_that_are_not_known_stand_as_they_are_written() {
        assert_eq!(
            seen(&["sh", "-c", r#"rm -rf "$HOME"/* ~ > /dev/null"#]),
            Ok(vec!["rm -rf $HOME/* ~".to_owned()])
        );
        assert_eq!(seen(&["ls", "a b"]), Ok(vec!["ls a b".to_owned()]));
        assert_eq!(seen(&[]), Ok(vec![String::new()]));
    }

    #[test]
    fn what_cannot_be_looked_through_is_said_to_be_so() {
        let nested =
            (0..10).fold("ls".to_owned(), |script, _| shlex::try_join(["sh", "-c", &script]).unwrap());
        let many = ["sudo"; MOST_COMMANDS + 1];
        for argv in [
            &["sh", "-c", &nested][..],
            &["sh", "-c", &"ls;".repeat(MOST_COMMANDS + 1)],
            &["sh", "-c", &"a".repeat(LONGEST_SCRIPT + 1)],
            &["sh", "-c", &"(".repeat(LONGEST_SCRIPT)],
            &["sh", "-c", &"$(cat <<A\n".repeat(200)],
            &many,
        ] {
            let argv: Vec<_> = argv.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(visit(&argv, &mut |_| {}), Err(Unreadable));
        }
    }

    #[test]
    fn nesting_without_end_breaks_nothing() {
        for piece in [
            "$(",
            "(",
            "`",
            "{ ",
            "if ",
            "\"$(",
            "${x:-",
            "<(",
            "case x in ",
            "f() { ",
            "a && (",
            "cat <<A\n$(",
        ] {
            let script = piece.repeat(20_000 / piece.len());
            // Whatever the answer is: there is one, and the stack is still there.
            assert!(matches!(seen(&["sh", "-c", &script]), Ok(_) | Err(Unreadable)));
        }
    }

    proptest! {
        #[test]
        fn no_script_is_too_odd(script in "\\PC{0,60}|([a '\"\\\\\n;&|$`#{}~=<>()!*-]|<<A|\\$\\(|if |for ){0,60}") {
            prop_assert!(seen(&["sh", "-c", &script]).is_ok());
        }

        #[test]
        fn what_is_plain_is_seen_as_it_is(script in "([a '\"\\\\\n;#]|a|&& |\\| |\\\\\n){0,20}") {
            if let Some(commands) = words::plain_commands(&script) {
                let mut seen = Vec::new();
                visit(&["sh".to_owned(), "-c".to_owned(), script], &mut |command| seen.push(command.to_vec())).unwrap();
                prop_assert_eq!(seen, commands);
            }
        }
    }
}
