//! Rules about commands: which may run, which are to be asked about, which never run.
//!
//! They stand in the `*.rules` files of a folder, as calls of `prefix_rule(pattern = [...], decision = "...")`.
//! Invariant: what cannot be read never allows anything, and never hides another rule.

mod parse;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::{harmless::part_is_harmless, words::plain_of};

/// Where what the person allows is added.
const DEFAULT_FILE: &str = "default.rules";

/// A larger file is no list of rules that somebody wrote.
const LARGEST_FILE: u64 = 1 << 20;

/// What of a command the person is offered as a rule has to say more than a program by which everything can be run.
const TOO_BROAD: [&str; 24] = [
    "bash", "sh", "zsh", "dash", "ksh", "fish", "env", "sudo", "doas", "xargs", "python", "python3", "node",
    "deno", "bun", "ruby", "perl", "php", "git", "npx", "rm", "curl", "ssh", "docker",
];

/// The rules of a folder.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

/// What the rules say of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may run.
    Allow,
    /// It is to be asked about.
    Prompt,
    /// It may not run.
    Forbidden {
        /// Why, where the rule says so.
        justification: Option<String>,
    },
    /// No rule speaks of it, or not of all of it.
    Unknown,
}

/// Something in a rules file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The file cannot be read, or not written.
    #[error("cannot access the rules in {}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A statement is no rule.
    #[error("{}:{line}: {reason}", path.display())]
    Statement {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// The first words of a command; each one of several.
    pattern: Vec<Vec<String>>,
    decision: Decision,
    justification: Option<String>,
}

/// What a rule says; the later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Decision {
    Allow,
    Prompt,
    Forbidden,
}

impl Rules {
    /// Reads the rules of a folder, and returns what of them cannot be read. A folder that is not there has none.
    pub fn load(folder: &Path) -> (Self, Vec<RuleError>) {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
            Err(source) => {
                return (Self::default(), vec![RuleError::File { path: folder.to_owned(), source }]);
            }
        };
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "rules"));
        files.sort();
        for path in files {
            match read(&path) {
                Ok(text) => {
                    let (read, wrong) = parse::rules(&text);
                    rules.extend(read);
                    problems.extend(wrong.into_iter().map(|(line, reason)| RuleError::Statement {
                        path: path.clone(),
                        line,
                        reason,
                    }));
                }
                Err(source) => problems.push(RuleError::File { path, source }),
            }
        }
        (Self(rules), problems)
    }

    /// Returns what the rules say of a command: the strictest word about any part of it. It is allowed when each part
    /// is, or is known to only read.
    pub fn decide(&self, argv: &[String]) -> Verdict {
        let parts: Vec<_> = match plain_of(argv) {
            Some(parts) => parts.into_iter().map(|part| part.words).collect(),
            // What it does is unclear; a rule may still speak of the program that is to find out.
            None => vec![argv.to_vec()],
        };
        let mut verdict = None;
        for part in &parts {
            let of_part = match self.strictest(part) {
                Some(rule) => match rule.decision {
                    Decision::Forbidden => {
                        return Verdict::Forbidden { justification: rule.justification.clone() };
                    }
                    Decision::Prompt => Verdict::Prompt,
                    Decision::Allow => Verdict::Allow,
                },
                None if parts.len() > 1 && part_is_harmless(part, &parts) => continue,
                None => Verdict::Unknown,
            };
            verdict = Some(match (verdict, of_part) {
                (Some(Verdict::Prompt), _) | (_, Verdict::Prompt) => Verdict::Prompt,
                (Some(Verdict::Unknown), _) | (_, Verdict::Unknown) => Verdict::Unknown,
                (_, of_part) => of_part,
            });
        }
        verdict.unwrap_or(Verdict::Unknown)
    }

    fn strictest(&self, words: &[String]) -> Option<&Rule> {
        self.0.iter().filter(|rule| rule.fits(words)).max_by_key(|rule| rule.decision)
    }
}

impl Rule {
    fn fits(&self, words: &[String]) -> bool {
        words.len() >= self.pattern.len()
            && self.pattern.iter().zip(words).all(|(any, word)| any.contains(word))
    }
}

/// Returns the rule that the person may make of a command: the words that the model proposes, where they are its
/// beginning, else its own; of several commands the first that is not known to only read. `None` where a rule would
/// allow far more than what was asked for, or what the command does is unclear.
pub fn proposed_amendment(argv: &[String], proposed: Option<&[String]>) -> Option<Vec<String>> {
    let parts: Vec<_> = plain_of(argv)?.into_iter().map(|part| part.words).collect();
    let part = match &parts[..] {
        [only] => only,
        _ => parts.iter().find(|part| !part_is_harmless(part, &parts))?,
    };
    let fits = |words: &&[String]| !words.is_empty() && part.starts_with(words) && !is_too_broad(words);
    let words = proposed.filter(fits).unwrap_or(part);
    (!is_too_broad(words)).then(|| words.to_vec())
}

fn is_too_broad(words: &[String]) -> bool {
    matches!(words, [only] if TOO_BROAD.contains(&crate::words::base_name(only)))
}

/// Adds a rule that allows commands which begin with these words, unless it is there.
///
/// One write to the end of the file: another server that adds one at the same time is not in the way.
pub fn append(folder: &Path, words: &[String]) -> Result<(), RuleError> {
    let path = folder.join(DEFAULT_FILE);
    let failed = |source| RuleError::File { path: path.clone(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    let text = read(&path).map_err(failed)?;
    let line = rule_line(words);
    if text.lines().any(|there| there == line) {
        return Ok(());
    }
    let start = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{start}{line}\n").as_bytes()).map_err(failed)
}

fn rule_line(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("prefix_rule(pattern=[{}], decision=\"allow\")", words.join(", "))
}

fn read(path: &Path) -> io::Result<String> {
    if path.metadata()?.len() > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too large for a list of rules"));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn shell(script: &str) -> Vec<String> {
        ["bash", "-lc", script].map(str::to_owned).into()
    }

    fn rules(text: &str) -> Rules {
        let (rules, wrong) = parse::rules(text);
        assert_eq!(wrong, []);
        Rules(rules)
    }

    #[test]
    fn the_strictest_rule_about_any_part_decides() {
        let rules = rules(
            "prefix_rule(pattern=[\"touch\"], decision=\"allow\")\n\
             prefix_rule(pattern=[\"git\", [\"add\", \"push\"]], decision=\"prompt\")\n\
             prefix_rule(pattern=[\"git\", \"push\", \"--force\"], decision=\"forbidden\", justification=\"no\")\n",
        );
        let forbidden = || Verdict::Forbidden { justification: Some("no".into()) };
        for (script, verdict) in [
            ("touch a", Verdict::Allow),
            ("touch a && touch b", Verdict::Allow),
            ("ls && touch a", Verdict::Allow),
            ("touch a; make", Verdict::Unknown),
            ("touch a && git add b", Verdict::Prompt),
            ("make; git add b", Verdict::Prompt),
            ("git push origin", Verdict::Prompt),
            ("touch a; git push --force", forbidden()),
            ("git commit", Verdict::Unknown),
            ("ls", Verdict::Unknown),
            ("touch $(make)", Verdict::Unknown),
            ("touch a > b", Verdict::Unknown),
        ] {
            assert_eq!(rules.decide(&shell(script)), verdict, "{script}");
        }
        assert_eq!(rules.decide(&words("touch a")), Verdict::Allow);
    }

    #[test]
    fn a_rule_that_is_offered_allows_no_more_than_its_like() {
        for (script, proposed, expected) in [
            ("touch made", None, Some("touch made")),
            ("touch made", Some("touch"), Some("touch")),
            ("touch made", Some("rm"), Some("touch made")),
            ("touch made && echo yes", None, Some("touch made")),
            ("python3 -c x", Some("python3"), Some("python3 -c x")),
            ("bash", None, None),
            ("touch $x", None, None),
        ] {
            let proposed = proposed.map(words);
            let offered = proposed_amendment(&shell(script), proposed.as_deref());
            assert_eq!(offered, expected.map(words), "{script}");
        }
    }

    #[test]
    fn what_is_added_is_read_again_and_stands_once() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("rules");
        assert_eq!(Rules::load(&folder).0.0, []);
        for _ in 0..2 {
            append(&folder, &words("touch made")).unwrap();
        }
        append(&folder, &["a \"b\"\\".to_owned()]).unwrap();
        let text = fs::read_to_string(folder.join(DEFAULT_FILE)).unwrap();
        assert!(
            text.starts_with("prefix_rule(pattern=[\"touch\", \"made\"], decision=\"allow\")\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
        let (rules, problems) = Rules::load(&folder);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(rules.decide(&words("touch made x")), Verdict::Allow);
        assert_eq!(rules.decide(&["a \"b\"\\".to_owned()]), Verdict::Allow);
    }

    #[test]
    fn a_file_that_is_broken_keeps_its_other_rules_and_says_where_it_is() {
        let home = tempfile::tempdir().unwrap();
        let text =
            "load(\"x\")\nprefix_rule(pattern=[\"rm\"], decision=\"forbidden\")\nprefix_rule(pattern=[])\n";
        fs::write(home.path().join("a.rules"), text).unwrap();
        fs::write(home.path().join("ignored.txt"), "nonsense").unwrap();
        let (rules, problems) = Rules::load(home.path());
        assert_eq!(rules.decide(&words("rm x")), Verdict::Forbidden { justification: None });
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("a.rules:1: ") && told[1].contains("a.rules:3: "), "{told:?}");
    }
}
