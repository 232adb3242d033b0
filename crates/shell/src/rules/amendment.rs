//! Which rule to offer to somebody who is asked about a command.

use super::{Rules, Verdict, commands};
use crate::dangerous::dangerous;
use crate::harmless::part_is_harmless;
use crate::nested::RUNNERS;
use crate::words::{self, base_name};

/// A rule with more in it is not one that somebody reads before agreeing to it.
const LONGEST_AMENDMENT: usize = 4096;

/// Programs that run whatever they are told; some with a version behind their name.
const INTERPRETERS: &[&str] = &[
    "awk",
    "bash",
    "bun",
    "csh",
    "dash",
    "deno",
    "fish",
    "gawk",
    "ipython",
    "irb",
    "ksh",
    "lua",
    "mawk",
    "node",
    "nodejs",
    "osascript",
    "perl",
    "php",
    "pwsh",
    "pypy",
    "python",
    "Rscript",
    "ruby",
    "sh",
    "tclsh",
    "tcsh",
    "zsh",
];

/// Programs of which one word says too little.
const LAUNCHERS: &[&str] = &[
    "bunx", "docker", "git", "kubectl", "npm", "npx", "pipx", "pnpm", "podman", "rm", "ssh", "uv", "uvx",
    "yarn",
];

impl Rules {
    /// Returns the words of a rule that would allow an argv, or the first part of it that is not; `None` where no rule is
    /// to be offered, or none would help.
    ///
    /// `wanted` is what the model asks for. It is offered if it allows all of the command and does not give away more
    /// than anyone would: an interpreter, `sudo`, all of git.
    pub fn amendment(&self, argv: &[String], wanted: Option<&[String]>) -> Option<Vec<String>> {
        if !self.errors.is_empty() || self.decide(argv) != Verdict::Unknown || dangerous(argv) {
            return None;
        }
        let commands = commands(argv);
        let not_allowed = || commands.iter().filter(|command| !self.allow(command));
        let mut open: Vec<_> =
            not_allowed().filter(|command| !part_is_harmless(command, &commands)).collect();
        if open.is_empty() {
            open = not_allowed().collect();
        }
        let is_plain = words::plain_of(argv).is_some();
        let fits = |wanted: &&[String]| {
            is_plain && may_be_wanted(wanted) && open.iter().all(|command| command.starts_with(wanted))
        };
        let amendment = match wanted.filter(fits) {
            Some(wanted) => wanted,
            None => open.first().filter(|command| !gives_all_away(command))?,
        };
        let length: usize = amendment.iter().map(String::len).sum();
        (length <= LONGEST_AMENDMENT).then(|| amendment.to_vec())
    }
}

/// Whether the beginning of a command says enough. What comes behind one that runs others cannot be told from its own words.
fn may_be_wanted(prefix: &[String]) -> bool {
    let is_runner = prefix.first().is_none_or(|program| RUNNERS.contains(&base_name(program)));
    !is_runner && !gives_all_away(prefix)
}

/// Whether commands that begin with these words can do anything at all.
fn gives_all_away(prefix: &[String]) -> bool {
    let Some((program, arguments)) = prefix.split_first() else { return true };
    let is_runner = RUNNERS.contains(&base_name(program));
    is_open(prefix) || is_runner && (0..arguments.len()).any(|start| is_open(&arguments[start..]))
}

/// Whether a program that runs others, or whatever it is told, has nothing but options behind it.
fn is_open(command: &[String]) -> bool {
    let Some((program, arguments)) = command.split_first() else { return true };
    let name = base_name(program);
    let plain_name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let runs_anything =
        INTERPRETERS.contains(&plain_name) || LAUNCHERS.contains(&name) || RUNNERS.contains(&name);
    runs_anything && arguments.iter().all(|argument| argument.starts_with('-') || argument.contains('='))
}
