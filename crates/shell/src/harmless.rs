//! Whether a command is known to do nothing but read.
//!
//! Invariant: a program is here only with all of its options that write, run or fetch something ruled out; of a doubt,
//! the answer is no. What a command *reads* is not judged, and neither is what the system, the shell's start-up files
//! or a repository's own configuration make of an innocent command. So this spares a question, it is no sandbox.

mod git;

use crate::words::{self, system_name};

/// Programs that do nothing but read and print, whatever their options.
const READERS: &[&str] = &[
    "basename", "cat", "cd", "cmp", "comm", "cut", "df", "dirname", "du", "echo", "egrep", "expr", "false",
    "fgrep", "fold", "grep", "head", "id", "ls", "nl", "paste", "pwd", "readlink", "realpath", "rev", "seq",
    "stat", "tac", "tail", "tr", "true", "uname", "wc", "which", "whoami",
];

/// What makes `find` run, write or remove something; all that begins with `-fprint` does too.
const FIND_ACTIONS: &[&str] = &["-delete", "-exec", "-execdir", "-fls", "-ok", "-okdir"];

/// Whether an argv is known to only read; of a script, whether all of its commands are, and it is plain.
pub fn harmless(argv: &[String]) -> bool {
    let Some(commands) = words::plain_of(argv) else { return false };
    let commands: Vec<_> = commands.into_iter().map(|command| command.words).collect();
    commands.iter().all(|command| part_is_harmless(command, &commands))
}

/// Whether one command is known to only read, given all commands of its script, none of which is empty.
pub(crate) fn part_is_harmless(command: &[String], all: &[Vec<String>]) -> bool {
    let Some((program, arguments)) = command.split_first() else { return false };
    let Some(name) = system_name(program) else { return false };
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let arguments = &arguments[..];
    match name {
        _ if READERS.contains(&name) => true,
        "base64" => !has_short(arguments, "o") && !has_long(arguments, &["--output"]),
        "date" => arguments.iter().all(|argument| prints_date(argument)),
        "file" => arguments.iter().all(|argument| !argument.starts_with('-') || is_file_option(argument)),
        "find" => find_only_reads(arguments),
        "git" => {
            // In another folder may lie a repository whose configuration says what to run.
            let moves = all.iter().any(|command| command[0] == "cd");
            !moves && git::only_reads(arguments)
        }
        "rg" => rg_only_reads(arguments),
        "sed" => sed_only_prints(arguments),
        "sort" => {
            // `T` and its long form name where pieces are written meanwhile.
            !has_short(arguments, "oT")
                && !has_long(arguments, &["--output", "--compress-program", "--temporary-directory"])
        }
        "test" => is_file_test(arguments),
        "uniq" => uniq_only_reads(arguments),
        _ => false,
    }
}

/// Whether a `find` neither runs, nor writes, nor removes anything.
pub(crate) fn find_only_reads(arguments: &[&str]) -> bool {
    !arguments.iter().any(|argument| FIND_ACTIONS.contains(argument) || argument.starts_with("-fprint"))
}

/// Whether an `rg` runs no other program: a filter, one that unpacks, one that names the host.
pub(crate) fn rg_only_reads(arguments: &[&str]) -> bool {
    !has_short(arguments, "z") && !has_long(arguments, &["--pre", "--search-zip", "--hostname-bin"])
}

/// Whether a `sed` prints lines of files; an option behind the script could be the one that writes them.
fn sed_only_prints(arguments: &[&str]) -> bool {
    match arguments {
        ["-n", script, files @ ..] => prints_lines(script) && files.iter().all(|file| !file.starts_with('-')),
        _ => false,
    }
}

/// Whether a script for `sed -n` prints lines by their numbers and does nothing else, as in `1,5p;$p`.
pub(crate) fn prints_lines(script: &str) -> bool {
    let is_place =
        |place: &str| place == "$" || !place.is_empty() && place.bytes().all(|c| c.is_ascii_digit());
    script.split(';').all(|range| {
        range.strip_suffix('p').is_some_and(|range| match range.split_once(',') {
            Some((from, to)) => is_place(from) && is_place(to),
            None => is_place(range),
        })
    })
}

/// Whether a `uniq` has no second file, which it would write.
fn uniq_only_reads(arguments: &[&str]) -> bool {
    let files = arguments.iter().filter(|argument| !argument.starts_with('-') || **argument == "-");
    files.count() <= 1 && !arguments.contains(&"--")
}

/// Whether one of these letters is among the options, alone or with others; what is given to an option may look like it.
fn has_short(arguments: &[&str], letters: &str) -> bool {
    let mut clusters =
        arguments.iter().filter(|argument| argument.starts_with('-') && !argument.starts_with("--"));
    clusters.any(|cluster| cluster.contains(|letter| letters.contains(letter)))
}

/// Whether one of these options is there, cut short, or with something behind it.
fn has_long(arguments: &[&str], options: &[&str]) -> bool {
    let names = arguments.iter().map(|argument| argument.split('=').next().unwrap_or(argument));
    let mut names = names.filter(|name| name.len() > 2 && name.starts_with("--"));
    names.any(|name| options.iter().any(|option| option.starts_with(name) || name.starts_with(option)))
}

/// A format or a way to print; anything else may set the clock.
fn prints_date(argument: &str) -> bool {
    argument.starts_with('+')
        || argument.starts_with("-I")
        || matches!(argument, "-u" | "--utc" | "-R" | "--rfc-email")
}

/// Not `-C`, which writes a compiled list, nor those that unpack.
fn is_file_option(option: &str) -> bool {
    matches!(
        option,
        "-b" | "-i" | "-L" | "-h" | "-k" | "--brief" | "--mime" | "--mime-type" | "--mime-encoding"
    )
}

/// Whether `test` looks at one file or text. With numbers, some shells calculate, and what they calculate may run commands.
fn is_file_test(arguments: &[&str]) -> bool {
    let tests = ["-d", "-e", "-f", "-h", "-L", "-n", "-r", "-s", "-w", "-x", "-z"];
    matches!(arguments, [test, _] | ["!", test, _] if tests.contains(test))
}

#[cfg(test)]
mod tests;
