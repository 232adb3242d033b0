//! Whether a command removes files by force, which is refused where nobody can be asked.
//!
//! Narrow on purpose: `rm -f` in all its spellings, nothing else. `git reset --hard`, `git clean` and the like stay
//! inside the sandbox that every other command stays in; a longer list would refuse honest work and stop no ill will.

use crate::nested;
use crate::words::base_name;

/// Whether an argv runs `rm` with `-f`: itself, in a script, or behind a program that runs others.
///
/// A script with more in it than can be looked through is taken for one that does.
pub fn dangerous(argv: &[String]) -> bool {
    let mut found = false;
    let looked_through = nested::visit(argv, &mut |command| found |= removes_by_force(command));
    found || looked_through.is_err()
}

fn removes_by_force(command: &[String]) -> bool {
    let Some((program, arguments)) = command.split_first() else { return false };
    let mut options = arguments.iter().take_while(|argument| *argument != "--");
    base_name(program) == "rm" && options.any(|option| is_force(option))
}

/// Whether an option is `-f`, also among others as in `-rf`, or `--force`, also cut short.
fn is_force(option: &str) -> bool {
    match option.strip_prefix("--") {
        Some(long) => !long.is_empty() && "force".starts_with(long),
        None => option.strip_prefix('-').is_some_and(|letters| letters.contains('f')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(argv: &[&str]) -> bool {
        dangerous(&argv.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn removal_by_force_is_seen_in_every_dress() {
        for script in [
            "rm -f x",
            "rm -rf x",
            "rm -fr x",
            "rm -r -f x",
            "rm x -rf",
            "rm --force x",
            "rm --fo x",
            "rm -Rfv -- x",
            "/bin/rm -rf x",
            "/tmp/rm -rf x",
            "sudo rm -rf x",
            "sudo -n -u root rm -rf x",
            "env X=1 rm -rf x",
            "command rm -rf x",
            "xargs rm -rf",
            "find . -exec rm -rf {} +",
            "find . -name x | xargs -0 rm -f",
            "bash -lc 'rm -rf x'",
            "sudo sh -c 'cd x && rm -rf y'",
            "ls; rm -rf x",
            "rm -rf \"$HOME\"",
            "rm -rf * 2> /dev/null",
            "(cd x; rm -rf y)",
            "if ls; then rm -rf x; fi",
            "r\\m -rf x",
            "'rm' -\"r\"f x",
            "X=1 rm -rf x",
            "echo $(rm -rf x)",
            "> log rm -rf x",
            "ls $x\\\n#; rm -rf y",
            "timeout 5 nice rm -rf x",
            "busybox rm -rf x",
            "eval \"rm -rf x\"",
        ] {
            assert!(judged(&["/bin/bash", "-lc", script]), "{script:?}");
        }
        for argv in [&["rm", "-rf", "x"][..], &["sudo", "rm", "-f", "x"], &["sh", "-xc", "rm -rf x"]] {
            assert!(judged(argv), "{argv:?}");
        }
    }

    #[test]
    fn everything_else_is_not_refused() {
        for script in [
            "rm x",
            "rm -r x",
            "rm -- -f",
            "rm -i x",
            "rm --recursive x",
            "rmdir -f x",
            "git rm -f x",
            "echo rm -rf x",
            "grep 'rm -rf' x",
            "# rm -rf x",
            "cat <<'EOF' > x\nrm -rf y\nEOF",
            "git reset --hard",
            "git clean -fdx",
            "python3 -c 'rm -rf x'",
            "ls -f",
            "cargo build && rm x",
            "",
        ] {
            assert!(!judged(&["bash", "-lc", script]), "{script:?}");
        }
        assert!(!judged(&[]) && !judged(&["rm"]));
    }

    #[test]
    fn what_cannot_be_looked_through_is_refused() {
        assert!(judged(&["bash", "-lc", &"(".repeat(10_000)]));
    }
}
