//! What a command does, for people: which file it reads, which folder it lists, what it looks for.

use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::words::{Joint, Plain, base_name, plain_of, script};

/// What one command does, in the words of rollouts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// It reads a file.
    Read {
        /// The command.
        cmd: String,
        /// The file's name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// It lists files.
    ListFiles {
        /// The command.
        cmd: String,
        /// Where, as it was written.
        path: Option<String>,
    },
    /// It looks for something.
    Search {
        /// The command.
        cmd: String,
        /// What for.
        query: Option<String>,
        /// Where, as it was written.
        path: Option<String>,
    },
    /// It does something else.
    Unknown {
        /// The command.
        cmd: String,
    },
}

/// Programs that only shorten or order what others print.
const FORMATTERS: [&str; 12] =
    ["head", "tail", "wc", "sort", "uniq", "nl", "cut", "tr", "awk", "sed", "column", "grep"];

/// Returns what a command does. One part that is not understood makes the whole unknown.
pub fn command_actions(argv: &[String], cwd: &Path) -> Vec<Action> {
    understood(argv, cwd).filter(|actions| !actions.is_empty()).unwrap_or_else(|| {
        let cmd = script(argv).map_or_else(|| joined(argv), str::to_owned);
        vec![Action::Unknown { cmd }]
    })
}

fn understood(argv: &[String], cwd: &Path) -> Option<Vec<Action>> {
    let mut cwd = cwd.to_owned();
    let mut actions = Vec::new();
    for Plain { words, joint } in plain_of(argv)? {
        let (program, arguments) = words.split_first()?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let program = base_name(program);
        match (program, joint) {
            ("cd", Joint::Then | Joint::And) => cwd = normal(&cwd.join(arguments.last()?)),
            (formatter, Joint::Pipe)
                if FORMATTERS.contains(&formatter) && !names_file(formatter, &arguments) => {}
            (_, Joint::Pipe) => return None,
            _ => actions.push(action(program, &arguments, joined(&words), &cwd)?),
        }
    }
    Some(actions)
}

/// Tells whether a formatter reads a file of its own and not what stands before it.
fn names_file(program: &str, arguments: &[&str]) -> bool {
    match program {
        "head" | "tail" | "wc" | "sort" | "uniq" | "nl" => {
            operands(arguments, &["-n", "-c", "-k", "-t"]).next().is_some()
        }
        "grep" | "awk" | "sed" => operands(arguments, &["-e", "-F", "-v", "-n"]).nth(1).is_some(),
        _ => false,
    }
}

fn action(program: &str, arguments: &[&str], cmd: String, cwd: &Path) -> Option<Action> {
    let read = |file: Option<&str>, cmd: String| {
        let path = normal(&cwd.join(file?));
        let name = path.file_name()?.to_string_lossy().into_owned();
        Some(Action::Read { cmd, name, path })
    };
    let all = |options| operands(arguments, options).collect::<Vec<_>>();
    match program {
        "cat" | "bat" | "less" | "more" | "nl" => match all(&[])[..] {
            [file] => read(Some(file), cmd),
            _ => None,
        },
        "head" | "tail" => match all(&["-n", "-c"])[..] {
            [file] => read(Some(file), cmd),
            _ => None,
        },
        // `sed -n 1,5p FILE`: anything else may change what it reads.
        "sed" => match arguments {
            ["-n", range, file] if prints_lines(range) => read(Some(file), cmd),
            _ => None,
        },
        "ls" | "tree" | "eza" | "exa" => Some(Action::ListFiles { cmd, path: first(&all(&["-I", "-L"])) }),
        "fd" => {
            let found = all(&["-e", "-t", "-d", "-E"]);
            Some(match found[..] {
                [] => Action::ListFiles { cmd, path: None },
                [query, ref rest @ ..] => {
                    Action::Search { cmd, query: Some(query.to_owned()), path: first(rest) }
                }
            })
        }
        "find" => find(arguments, cmd),
        "rg" if arguments.contains(&"--files") => {
            Some(Action::ListFiles { cmd, path: first(&all(&["-g", "--glob", "-t", "-d"])) })
        }
        "rg" | "grep" | "ag" | "ack" => {
            let found =
                all(&["-A", "-B", "-C", "-m", "-g", "--glob", "-t", "--max-count", "--include", "--exclude"]);
            let explicit =
                arguments.iter().position(|argument| *argument == "-e").and_then(|at| arguments.get(at + 1));
            Some(match (explicit, &found[..]) {
                (Some(query), rest) => {
                    let rest: Vec<_> = rest.iter().filter(|word| *word != query).copied().collect();
                    Action::Search { cmd, query: Some((*query).to_owned()), path: first(&rest) }
                }
                (None, [query, rest @ ..]) => {
                    Action::Search { cmd, query: Some((*query).to_owned()), path: first(rest) }
                }
                (None, []) => return None,
            })
        }
        "git" => match arguments {
            ["ls-files", rest @ ..] => {
                Some(Action::ListFiles { cmd, path: operands(rest, &[]).next().map(str::to_owned) })
            }
            ["grep", rest @ ..] => {
                let mut found = operands(rest, &[]);
                let query = found.next()?.to_owned();
                Some(Action::Search { cmd, query: Some(query), path: found.next().map(str::to_owned) })
            }
            _ => None,
        },
        _ => None,
    }
}

fn find(arguments: &[&str], cmd: String) -> Option<Action> {
    if !crate::harmless::find_only_reads(arguments) {
        return None;
    }
    let path =
        arguments.first().filter(|word| !word.starts_with(['-', '(', '!'])).map(|path| (*path).to_owned());
    let name = arguments.iter().position(|word| matches!(*word, "-name" | "-iname" | "-path" | "-regex"));
    Some(match name.and_then(|at| arguments.get(at + 1)) {
        Some(query) => Action::Search { cmd, query: Some((*query).to_owned()), path },
        None => Action::ListFiles { cmd, path },
    })
}

/// The words that are no options; `valued` are the options that take the next word along.
fn operands<'a>(arguments: &'a [&'a str], valued: &'static [&'static str]) -> impl Iterator<Item = &'a str> {
    let mut skip = false;
    let mut only = false;
    arguments.iter().copied().filter(move |word| {
        if std::mem::take(&mut skip) {
            return false;
        }
        if only || !word.starts_with('-') || *word == "-" {
            return true;
        }
        only = *word == "--";
        skip = valued.contains(word);
        false
    })
}

fn first(words: &[&str]) -> Option<String> {
    words.first().map(|word| (*word).to_owned())
}

fn prints_lines(range: &str) -> bool {
    let lines = range.strip_suffix('p').unwrap_or_default();
    !lines.is_empty() && lines.chars().all(|letter| letter.is_ascii_digit() || letter == ',' || letter == '$')
}

fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

fn joined(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::*;

    fn actions(script: &str) -> Value {
        let argv = ["/bin/bash", "-lc", script].map(str::to_owned);
        serde_json::to_value(command_actions(&argv, Path::new("/w"))).unwrap()
    }

    #[test]
    fn what_a_command_does_is_told_by_its_words() {
        let read = |cmd: &str, name: &str, path: &str| json!([{"type": "read", "cmd": cmd, "name": name, "path": path}]);
        let list = |cmd: &str, path: Option<&str>| json!([{"type": "list_files", "cmd": cmd, "path": path}]);
        let search = |cmd: &str, query: &str, path: Option<&str>| json!([{"type": "search", "cmd": cmd, "query": query, "path": path}]);
        for (script, expected) in [
            ("cat a.txt", read("cat a.txt", "a.txt", "/w/a.txt")),
            ("cat a.txt | head -3", read("cat a.txt", "a.txt", "/w/a.txt")),
            ("cat a.txt | head -n 3 | sort", read("cat a.txt", "a.txt", "/w/a.txt")),
            ("cd sub && cat ../b", read("cat ../b", "b", "/w/b")),
            ("sed -n 1,20p /etc/x.c", read("sed -n '1,20p' /etc/x.c", "x.c", "/etc/x.c")),
            ("head -n 5 a", read("head -n 5 a", "a", "/w/a")),
            ("ls -la src", list("ls -la src", Some("src"))),
            ("ls", list("ls", None)),
            ("rg --files", list("rg --files", None)),
            ("git ls-files", list("git ls-files", None)),
            ("find . -type f", list("find . -type f", Some("."))),
            ("rg needle src", search("rg needle src", "needle", Some("src"))),
            ("grep -rn -A 3 needle", search("grep -rn -A 3 needle", "needle", None)),
            ("find . -name '*.rs'", search("find . -name '*.rs'", "*.rs", Some("."))),
        ] {
            assert_eq!(actions(script), expected, "{script}");
        }
    }

    #[test]
    fn one_part_that_is_not_understood_makes_the_whole_unknown() {
        for script in [
            "git status",
            "cat a; rm b",
            "cat $(x)",
            "cat a | xargs rm",
            "find . -delete",
            "cat a b",
            "sed -i s/a/b/ f",
            "",
        ] {
            assert_eq!(actions(script), json!([{"type": "unknown", "cmd": script}]), "{script}");
        }
    }
}
