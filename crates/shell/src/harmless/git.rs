//! Which calls of git only read.

use super::{has_long, has_short};

/// Options before the subcommand that change nothing but how it is printed or locked.
const PLAIN_OPTIONS: &[&str] = &["--no-pager", "--no-optional-locks"];

/// What makes a subcommand write a file or run a program: the one of a filter, of the pager, of a signature.
const UNSAFE_OPTIONS: &[&str] = &[
    "--output",
    "--ext-diff",
    "--ext-grep",
    "--textconv",
    "--filters",
    "--show-signature",
    "--open-files-in-pager",
    "--exec",
    "--upload-pack",
];

/// Options that list branches, and may be given together.
const BRANCH_LISTS: &[&str] = &[
    "-a",
    "-r",
    "-v",
    "-vv",
    "-av",
    "-avv",
    "-rv",
    "--all",
    "--list",
    "--remotes",
    "--show-current",
    "--verbose",
];

/// Whether a call of git reads the repository, and neither changes it nor runs a program that its options name.
pub(super) fn only_reads(arguments: &[&str]) -> bool {
    let mut rest = arguments;
    while let [option, behind @ ..] = rest
        && PLAIN_OPTIONS.contains(option)
    {
        rest = behind;
    }
    match rest {
        ["--version"] => true,
        [
            "blame" | "describe" | "diff" | "log" | "ls-files" | "ls-tree" | "rev-parse" | "shortlog"
            | "show" | "status",
            options @ ..,
        ] => !has_long(options, UNSAFE_OPTIONS),
        ["grep", options @ ..] => !has_short(options, "O") && !has_long(options, UNSAFE_OPTIONS),
        ["branch", options @ ..] => options.iter().all(|option| BRANCH_LISTS.contains(option)),
        ["remote"] | ["remote", "-v" | "--verbose"] | ["tag"] | ["tag", "-l" | "--list"] => true,
        _ => false,
    }
}
