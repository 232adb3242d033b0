//! The environment of a command: what the server has, as far as the configuration lets it through, and what commands of
//! an agent need.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use config::{Inherit, ShellEnvironment};

/// The variables of a process.
type Variables = BTreeMap<OsString, OsString>;

/// What a shell cannot do without.
const CORE: [&str; 9] = ["HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"];

/// The names of variables that may hold something to keep to oneself.
const SECRETS: [&str; 3] = ["*KEY*", "*SECRET*", "*TOKEN*"];

/// What keeps programs from paging, from colours, and from a language that the model did not expect.
const PLAIN: [(&str, &str); 9] = [
    ("NO_COLOR", "1"),
    ("TERM", "dumb"),
    ("COLORTERM", ""),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("LC_CTYPE", "C.UTF-8"),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GH_PAGER", "cat"),
];

/// Whether a command reaches the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It may.
    Open,
    /// Its sandbox blocks it.
    Blocked,
}

/// Where a command runs, as it is told.
#[derive(Clone, Copy, Debug)]
pub struct Whereabouts<'a> {
    /// The thread.
    pub thread_id: &'a str,
    /// The call that it runs for.
    pub call_id: &'a str,
    /// The release that the server speaks like.
    pub release: &'a str,
    /// Whether it reaches the network.
    pub network: Network,
}

/// Returns the environment of a command of a thread.
///
/// What the policy sets outranks what makes programs plain, but not what tells a command where it runs.
pub fn environment(server: &Variables, policy: &ShellEnvironment, whereabouts: Whereabouts<'_>) -> Variables {
    let Whereabouts { thread_id, call_id, release, network } = whereabouts;
    let ShellEnvironment { inherit, hide_secrets, exclude, set, include_only } = policy;
    let inherited = |name: &OsStr| match inherit {
        Inherit::All => true,
        Inherit::Core => CORE.iter().any(|core| name.eq_ignore_ascii_case(core)),
        Inherit::None => false,
    };
    let hidden = |name: &OsStr| *hide_secrets && fits_any(&SECRETS, name) || fits_any(exclude, name);
    let mut variables: Variables = server
        .iter()
        .filter(|(name, _)| inherited(name) && !hidden(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    variables.extend(set.iter().map(|(name, value)| (name.into(), value.into())));
    variables.retain(|name, _| include_only.is_empty() || fits_any(include_only, name));
    let plain = PLAIN.iter().filter(|(name, _)| !set.contains_key(*name));
    let told = [
        ("CODEX_THREAD_ID", thread_id),
        ("CODEX_SESSION_ID", thread_id),
        ("CODEX_TOOL_CALL_ID", call_id),
        ("CODEX_VERSION", release),
        ("CODEX_CI", "1"),
    ];
    let blocked = (network == Network::Blocked).then_some(("CODEX_SANDBOX_NETWORK_DISABLED", "1"));
    let fixed = plain.copied().chain(told).chain(blocked);
    variables.extend(fixed.map(|(name, value)| (name.into(), value.into())));
    variables
}

fn fits_any(patterns: &[impl AsRef<str>], name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    patterns.iter().any(|pattern| fits(pattern.as_ref().to_lowercase().as_bytes(), name.as_bytes()))
}

/// Whether a name fits a pattern, in which `*` stands for any letters and `?` for one.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    // Where the last star was, and how much of the name it stands for: the only place to go back to.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[read] => {
                (at, read) = (at + 1, read + 1);
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                (at, read) = (star_at + 1, taken + 1);
                star = Some((star_at, taken + 1));
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    const SERVER: [(&str, &str); 6] = [
        ("HOME", "/home/me"),
        ("PATH", "/bin"),
        ("LANG", "de_DE"),
        ("API_KEY", "k"),
        ("github_token", "t"),
        ("EDITOR", "vi"),
    ];

    const HERE: Whereabouts<'_> =
        Whereabouts { thread_id: "t-1", call_id: "c-1", release: "1.2.3", network: Network::Open };

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// What a policy lets through of [`SERVER`] and adds, without what every command is given.
    fn passed(policy: &ShellEnvironment) -> Vec<String> {
        let all = environment(&variables(&SERVER), policy, HERE);
        let given = environment(&Variables::new(), &ShellEnvironment::default(), HERE);
        let own = all.into_iter().filter(|(name, value)| given.get(name) != Some(value));
        own.map(|(name, value)| format!("{}={}", name.display(), value.display())).collect()
    }

    #[test]
    fn a_policy_lets_through_what_it_says() {
        let all = ShellEnvironment::default();
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let cases = [
            (all.clone(), "API_KEY=k EDITOR=vi HOME=/home/me PATH=/bin github_token=t"),
            (ShellEnvironment { hide_secrets: true, ..all.clone() }, "EDITOR=vi HOME=/home/me PATH=/bin"),
            (ShellEnvironment { inherit: Inherit::Core, ..all.clone() }, "HOME=/home/me PATH=/bin"),
            (ShellEnvironment { inherit: Inherit::None, ..all.clone() }, ""),
            (
                ShellEnvironment { exclude: texts(&["api_*", "P?TH"]), ..all.clone() },
                "EDITOR=vi HOME=/home/me github_token=t",
            ),
            (
                ShellEnvironment { include_only: texts(&["*o*"]), ..all.clone() },
                "EDITOR=vi HOME=/home/me github_token=t",
            ),
            (
                ShellEnvironment {
                    inherit: Inherit::Core,
                    set: [("PAGER".into(), "less".into()), ("A".into(), "b".into())].into(),
                    ..all
                },
                "A=b HOME=/home/me PAGER=less PATH=/bin",
            ),
        ];
        for (policy, expected) in cases {
            assert_eq!(passed(&policy).join(" "), expected, "{policy:?}");
        }
    }

    #[test]
    fn every_command_is_told_where_it_runs_and_kept_plain() {
        let mut expected = variables(&PLAIN);
        expected.extend(variables(&[
            ("CODEX_CI", "1"),
            ("CODEX_SESSION_ID", "t-1"),
            ("CODEX_THREAD_ID", "t-1"),
            ("CODEX_TOOL_CALL_ID", "c-1"),
            ("CODEX_VERSION", "1.2.3"),
        ]));
        let server = variables(&[("CODEX_THREAD_ID", "another"), ("PAGER", "less")]);
        assert_eq!(environment(&server, &ShellEnvironment::default(), HERE), expected);
        expected.extend(variables(&[("CODEX_SANDBOX_NETWORK_DISABLED", "1")]));
        let blocked = Whereabouts { network: Network::Blocked, ..HERE };
        assert_eq!(environment(&server, &ShellEnvironment::default(), blocked), expected);
    }

    #[test]
    fn patterns_fit_as_people_expect() {
        let cases = [
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "a-b-", false),
            ("??", "ab", true),
            ("??", "a", false),
            ("*key", "monkey_key", true),
            ("", "a", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_fits_what_it_was_made_of(
            parts in proptest::collection::vec("[a-z]{0,4}", 1..5),
            fill in "[a-z]{0,3}",
        ) {
            prop_assert!(fits(parts.join("*").as_bytes(), parts.join(&fill).as_bytes()));
        }
    }
}
