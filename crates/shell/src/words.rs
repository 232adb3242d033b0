//! The words of a shell script, where they are plain enough that nobody can mistake them.
//!
//! Invariant: what is read here is what every shell of the list runs, word for word. Whatever may be expanded,
//! redirected, put into the background or read in two ways makes the whole script unclear: better one question too many.

mod reader;

use reader::Reader;

/// No script is longer, because Linux passes no longer argument to a program (`MAX_ARG_STRLEN`).
pub(crate) const LONGEST_SCRIPT: usize = 128 * 1024;

/// The shells that take a script behind `-c`.
pub(crate) const SHELLS: &[&str] = &["bash", "sh", "zsh", "dash", "ksh"];

/// Where the system keeps its programs. Elsewhere, a program may have the name of one and be another.
const SYSTEM_FOLDERS: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/run/current-system/sw/bin",
];

/// A command of a plain script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    /// The program and its arguments; never empty.
    pub words: Vec<String>,
    /// What stands between it and the command before it.
    pub joint: Joint,
}

/// How a command follows another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joint {
    /// It is the first one, or stands behind `;` or in a line of its own.
    Then,
    /// Behind `&&`.
    And,
    /// Behind `||`.
    Or,
    /// Behind `|`: it reads what the other one prints.
    Pipe,
}

/// Returns the script that an argv gives to a shell, as in `bash -lc SCRIPT`.
///
/// Only a shell of the system counts, with no other options and no arguments for the script.
pub fn script(argv: &[String]) -> Option<&str> {
    let (script, before) = argv.split_last()?;
    let (shell, options) = before.split_first()?;
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let known = SHELLS.contains(&system_name(shell)?) && matches!(options[..], ["-c" | "-lc"] | ["-l", "-c"]);
    known.then_some(script)
}

/// Reads the commands of a script that consists of nothing but plain words joined by `&&`, `||`, `|`, `;` or newlines.
///
/// Quotes and comments are understood. `None` for anything else, and for what has no command in it: it is unclear what
/// such a script does.
pub fn plain_commands(script: &str) -> Option<Vec<Vec<String>>> {
    Some(plain(script)?.into_iter().map(|command| command.words).collect())
}

/// Reads the commands of a plain script with what joins them.
pub(crate) fn plain(script: &str) -> Option<Vec<Plain>> {
    if script.len() > LONGEST_SCRIPT {
        return None;
    }
    Reader::new(script).commands()
}

/// Reads a text that is one plain word and nothing else.
pub(crate) fn plain_word(text: &str) -> Option<String> {
    Reader::new(text).only_word()
}

/// Returns the plain commands that an argv stands for: those of its script, or the argv itself where it gives a shell none.
pub(crate) fn plain_of(argv: &[String]) -> Option<Vec<Plain>> {
    match script(argv) {
        Some(script) => plain(script),
        None if argv.is_empty() => None,
        None => Some(vec![Plain { words: argv.to_vec(), joint: Joint::Then }]),
    }
}

/// Returns the name of a program that is the system's own, as far as its spelling tells.
pub(crate) fn system_name(program: &str) -> Option<&str> {
    match program.rsplit_once('/') {
        None => Some(program),
        Some((folder, name)) => SYSTEM_FOLDERS.contains(&folder).then_some(name),
    }
}

/// Returns the name of a program, wherever it lies.
pub(crate) fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests;
