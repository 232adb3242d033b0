//! What one command of a script does.

use crate::harmless::{find_only_reads, part_is_harmless, prints_lines, rg_only_reads};
use crate::words::system_name;

/// What a command does.
pub(super) enum Part {
    /// Nothing worth a mention: it says something, or works on what another command prints.
    Helper,
    /// Goes to a folder.
    Enter(String),
    /// Prints a file.
    Read(String),
    /// Lists a folder.
    List(Option<String>),
    /// Looks for something.
    Search { query: Option<String>, path: Option<String> },
}

/// Options of `grep` and its kind that take the next word; where two programs disagree, a path may be missed.
const SEARCH_VALUES: &[&str] = &[
    "-A",
    "-B",
    "-C",
    "-E",
    "-M",
    "-T",
    "-d",
    "-f",
    "-g",
    "-j",
    "-m",
    "-r",
    "-t",
    "--after-context",
    "--before-context",
    "--color",
    "--colors",
    "--context",
    "--encoding",
    "--exclude",
    "--exclude-dir",
    "--file",
    "--glob",
    "--iglob",
    "--include",
    "--max-columns",
    "--max-count",
    "--max-depth",
    "--replace",
    "--sort",
    "--threads",
    "--type",
    "--type-not",
];

/// Options of grep itself that take the next word: its `-r` and `-E`, unlike those of rg, do not.
const GREP_VALUES: &[&str] = &[
    "-A",
    "-B",
    "-C",
    "-D",
    "-d",
    "-f",
    "-m",
    "--after-context",
    "--before-context",
    "--context",
    "--file",
    "--max-count",
];

/// Returns what a command does; `None` where it is not known. One that is fed reads what another prints.
pub(super) fn part(words: &[String], is_fed: bool) -> Option<Part> {
    let (program, arguments) = words.split_first()?;
    let name = system_name(program)?;
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match (name, &arguments[..]) {
        ("cd", arguments) => match operands(arguments, &[])[..] {
            [folder] if folder != "-" => Some(Part::Enter(folder.to_owned())),
            _ => None,
        },
        ("echo" | "true", _) => Some(Part::Helper),
        ("git", ["grep", arguments @ ..]) => search(arguments, GREP_VALUES),
        ("git", ["ls-files", arguments @ ..]) => Some(list(arguments, &["-x", "-X", "--exclude"])),
        ("ls" | "eza" | "exa", arguments) => {
            Some(list(arguments, &["-I", "-T", "-w", "--ignore", "--sort", "--time"]))
        }
        ("du", arguments) => Some(list(arguments, &["-B", "-d", "-t", "--exclude", "--max-depth"])),
        // With `-o` it writes a file.
        ("tree", arguments) if !arguments.contains(&"-o") => {
            Some(list(arguments, &["-I", "-L", "-P", "--charset", "--filelimit"]))
        }
        ("find", arguments) if find_only_reads(arguments) => Some(find(arguments)),
        ("fd" | "fdfind", arguments) => fd(arguments),
        ("rg", arguments) if !rg_only_reads(arguments) => None,
        ("rg", arguments) if arguments.contains(&"--files") => Some(list(arguments, SEARCH_VALUES)),
        ("rg" | "ag" | "ack", arguments) => search(arguments, SEARCH_VALUES),
        ("grep" | "egrep" | "fgrep", arguments) => search(arguments, GREP_VALUES),
        ("cut" | "sort" | "tr" | "uniq" | "wc", arguments) => {
            (is_fed && part_is_harmless(words, &[]) && takes_no_file(name, arguments)).then_some(Part::Helper)
        }
        (name, arguments) => file_or_feed(name, arguments, is_fed),
    }
}

/// What a program does that prints a file, or what it is fed.
fn file_or_feed(name: &str, arguments: &[&str], is_fed: bool) -> Option<Part> {
    let files = match (name, arguments) {
        ("cat" | "more" | "tac", arguments) => operands(arguments, &[]),
        ("bat" | "batcat", arguments) => {
            operands(arguments, &["-H", "-l", "-r", "--language", "--line-range", "--style", "--theme"])
        }
        ("head" | "tail", arguments) => operands(arguments, &["-c", "-n", "--bytes", "--lines"]),
        ("less", arguments) => operands(arguments, &["-p", "-x"]),
        ("nl", arguments) => {
            operands(arguments, &["-b", "-d", "-f", "-h", "-i", "-l", "-n", "-s", "-v", "-w"])
        }
        ("sed", ["-n", ranges, files @ ..]) if prints_lines(ranges) => operands(files, &[]),
        ("awk", arguments) => match operands(arguments, &["-F"])[..] {
            [program, ref files @ ..] if awk_only_prints(program) => files.to_vec(),
            _ => return None,
        },
        _ => return None,
    };
    match files[..] {
        [] | ["-"] if is_fed => Some(Part::Helper),
        // Of several files, none would be the one that was read.
        [file] if !file.is_empty() && file != "-" => Some(Part::Read(file.to_owned())),
        _ => None,
    }
}

/// Whether a program that cuts or counts works on what it is fed.
fn takes_no_file(name: &str, arguments: &[&str]) -> bool {
    match name {
        "cut" => operands(arguments, &["-b", "-c", "-d", "-f"]).is_empty(),
        "sort" => operands(arguments, &["-k", "-t"]).is_empty(),
        // It never takes a file: these are the letters.
        "tr" => true,
        "uniq" => operands(arguments, &["-f", "-s", "-w"]).is_empty(),
        _ => operands(arguments, &[]).is_empty(),
    }
}

/// Whether a program for awk runs nothing and writes nothing; one that compares counts as one that may.
fn awk_only_prints(program: &str) -> bool {
    !["system", "getline", "|", ">", "@"].iter().any(|risk| program.contains(risk))
}

fn list(arguments: &[&str], values: &[&str]) -> Part {
    Part::List(operands(arguments, values).first().map(|&path| path.to_owned()))
}

fn find(arguments: &[&str]) -> Part {
    let path =
        arguments.first().filter(|first| !first.starts_with(['-', '(', '!'])).map(|&path| path.to_owned());
    let names = ["-name", "-iname", "-path", "-ipath", "-wholename", "-regex", "-iregex"];
    let mut pairs = arguments.windows(2);
    match pairs.find(|pair| names.contains(&pair[0])) {
        Some(pair) => Part::Search { query: Some(pair[1].to_owned()), path },
        None => Part::List(path),
    }
}

fn fd(arguments: &[&str]) -> Option<Part> {
    if arguments.iter().any(|argument| matches!(*argument, "-x" | "-X" | "--exec" | "--exec-batch")) {
        return None;
    }
    let values = ["-E", "-d", "-e", "-t", "--exclude", "--extension", "--max-depth", "--type"];
    let operands = operands(arguments, &values);
    let path = operands.get(1).map(|&path| path.to_owned());
    Some(match operands.first() {
        Some(&query) => Part::Search { query: Some(query.to_owned()), path },
        None => Part::List(None),
    })
}

fn search(arguments: &[&str], values: &[&str]) -> Option<Part> {
    let given = arguments.windows(2).find(|pair| matches!(pair[0], "-e" | "--regexp")).map(|pair| pair[1]);
    let values = [values, &["-e", "--regexp"]].concat();
    let operands = operands(arguments, &values);
    let (query, paths) = match (given, &operands[..]) {
        (Some(query), paths) => (query, paths),
        (None, [query, paths @ ..]) => (*query, paths),
        (None, []) => return None,
    };
    let path = paths.first().map(|&path| path.to_owned());
    Some(Part::Search { query: Some(query.to_owned()), path })
}

/// Returns the words that are no options; after one of `values`, the next word belongs to it.
fn operands<'a>(arguments: &[&'a str], values: &[&str]) -> Vec<&'a str> {
    let mut operands = Vec::new();
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        if argument == "--" {
            operands.extend(rest.by_ref());
        } else if values.contains(&argument) {
            rest.next();
        } else if argument == "-" || !argument.starts_with('-') {
            operands.push(argument);
        }
    }
    operands
}
