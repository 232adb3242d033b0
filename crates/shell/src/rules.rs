//! The rules that people write about commands: `rules/*.rules` in the home folder.
//!
//! Invariant: what cannot be read allows nothing. A statement that is not understood may be one that forbids, so while
//! there is any, the rules that allow are not in force; those that forbid or ask are, and every other error is told
//! as well. Of all rules that match, the strictest decides.
//!
//! A rule that allows speaks of plain commands only, by the exact words. One that forbids or asks is looked for in every
//! corner of a script, and whatever folder the program is in.

mod amendment;
mod append;
mod read;
mod statement;

pub use append::amendment_line;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::RulesError;
use crate::harmless::part_is_harmless;
use crate::nested;
use crate::words::{self, base_name};

/// A file of rules that people wrote has a hundred lines; one that a program filled, a few thousand.
const LONGEST_FILE: u64 = 1024 * 1024;

/// All rules of a home.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    errors: Vec<RulesError>,
}

/// What the rules say of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may run without a question, and outside of the sandbox.
    Allow,
    /// Somebody has to be asked.
    Prompt,
    /// It must not run.
    Forbidden {
        /// Why, in the words of who wrote the rule.
        justification: Option<String>,
    },
    /// The rules say nothing of it.
    Unknown,
}

/// A statement about the commands that begin with some words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// For each word what it may be; never empty.
    prefix: Vec<Vec<String>>,
    decision: Decision,
    justification: Option<String>,
}

/// In the order of strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Decision {
    Allow,
    Prompt,
    Forbidden,
}

impl Rule {
    fn matches(&self, command: &[String]) -> bool {
        self.prefix.len() <= command.len()
            && self.prefix.iter().zip(command).enumerate().all(|(index, (words, word))| {
                // Whoever allows `git` does not mean the `git` that lies in some folder; whoever forbids it does.
                let is_elsewhere = index == 0 && self.decision > Decision::Allow;
                words.contains(word) || is_elsewhere && words.iter().any(|name| name == base_name(word))
            })
    }
}

impl Rules {
    /// Reads the rules of a folder; where there is none, there are no rules. Blocks.
    pub fn load(folder: &Path) -> Self {
        let mut rules = Self::default();
        match files(folder) {
            Ok(files) => files.iter().for_each(|path| rules.add_file(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => rules.errors.push(RulesError::io("read", folder)(error)),
        }
        rules
    }

    /// Returns what could not be read. While there is anything, no rule that allows is in force.
    pub fn errors(&self) -> &[RulesError] {
        &self.errors
    }

    /// Decides about an argv; of a shell's script, about all that it runs.
    ///
    /// `Allow` needs a rule: a script is allowed if one part is and all others are too, or are harmless.
    pub fn decide(&self, argv: &[String]) -> Verdict {
        let mut strictest: Option<&Rule> = None;
        let looked_through = nested::visit(argv, &mut |command| {
            let strict = self.strict().filter(|rule| rule.matches(command));
            strictest = strict.chain(strictest).max_by_key(|rule| rule.decision);
        });
        match strictest {
            Some(Rule { decision: Decision::Forbidden, justification, .. }) => {
                Verdict::Forbidden { justification: justification.clone() }
            }
            Some(_) => Verdict::Prompt,
            // It may run anything, also what a rule is about.
            None if looked_through.is_err() && self.strict().next().is_some() => Verdict::Prompt,
            None if self.allow_all(&commands(argv)) => Verdict::Allow,
            None => Verdict::Unknown,
        }
    }

    fn strict(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.decision > Decision::Allow)
    }

    fn allow_all(&self, commands: &[Vec<String>]) -> bool {
        let (allowed, others): (Vec<_>, Vec<_>) = commands.iter().partition(|command| self.allow(command));
        !allowed.is_empty() && others.into_iter().all(|command| part_is_harmless(command, commands))
    }

    /// Whether a rule allows one plain command.
    fn allow(&self, command: &[String]) -> bool {
        let mut allowing = self.rules.iter().filter(|rule| rule.decision == Decision::Allow);
        self.errors.is_empty() && allowing.any(|rule| rule.matches(command))
    }

    fn add_file(&mut self, path: &Path) {
        let text = match text(path) {
            Ok(text) => text,
            Err(error) => return self.errors.push(error),
        };
        for (line, statement) in statement::statements(&text) {
            match statement.and_then(|statement| statement.map(read::rule).transpose()) {
                Ok(None) => {}
                Ok(Some(read::Read { rule, error })) => {
                    // One whose examples contradict it is not what its author meant: to allow by it would be a guess.
                    if error.is_none() || rule.decision > Decision::Allow {
                        self.rules.push(rule);
                    }
                    self.errors.extend(error.map(|message| RulesError::Statement {
                        path: path.to_owned(),
                        line,
                        message,
                    }));
                }
                Err(message) => {
                    self.errors.push(RulesError::Statement { path: path.to_owned(), line, message })
                }
            }
        }
    }
}

/// Returns the commands that a rule which allows may speak of: those of a plain script, else the argv as a whole.
fn commands(argv: &[String]) -> Vec<Vec<String>> {
    match words::plain_of(argv) {
        Some(commands) => commands.into_iter().map(|command| command.words).collect(),
        None => vec![argv.to_vec()],
    }
}

/// Returns the files of rules in a folder, in the order of their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "rules")).collect();
    files.sort();
    Ok(files)
}

fn text(path: &Path) -> Result<String, RulesError> {
    let meta = fs::metadata(path).map_err(RulesError::io("read", path))?;
    // A pipe would be waited for.
    if !meta.is_file() {
        return Err(RulesError::io("read", path)(io::ErrorKind::InvalidInput.into()));
    }
    if meta.len() > LONGEST_FILE {
        return Err(RulesError::TooLong { path: path.to_owned(), most: LONGEST_FILE });
    }
    fs::read_to_string(path).map_err(RulesError::io("read", path))
}

#[cfg(test)]
mod tests;
