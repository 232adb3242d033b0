//! A [`Launch`] as bytes, from the server to the process that becomes the command.
//!
//! It travels over a socket, not in arguments: `pkill -f` with a word of the command must not hit its supervisors.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
};

use super::{ExecError, Launch};

/// What the process that becomes the command has to know.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub terminal: Terminal,
    pub cwd: PathBuf,
    pub argv: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
}

/// Whether the input is a terminal that the command shall own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terminal {
    Own,
    None,
}

/// Writes a launch as texts that a NUL ends: kind, folder, how many arguments, these, then names and values.
pub(super) fn encode(launch: &Launch) -> Result<Vec<u8>, ExecError> {
    let kind = match launch.stdio {
        super::Stdio::Terminal(_) => "terminal",
        super::Stdio::Pipes { .. } => "pipes",
    };
    let count = launch.argv.len().to_string();
    let head = [OsStr::new(kind), launch.cwd.as_os_str(), OsStr::new(&count)];
    let arguments = launch.argv.iter().map(OsString::as_os_str);
    let variables = launch.env.iter().flat_map(|(name, value)| [name.as_os_str(), value.as_os_str()]);
    let mut bytes = Vec::new();
    for text in head.into_iter().chain(arguments).chain(variables) {
        if text.as_bytes().contains(&0) {
            return Err(ExecError::Nul(text.to_string_lossy().into_owned()));
        }
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    Ok(bytes)
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub(super) fn decode(bytes: &[u8]) -> Option<Request> {
    let mut texts =
        bytes.strip_suffix(&[0])?.split(|byte| *byte == 0).map(<[u8]>::to_vec).map(OsString::from_vec);
    let terminal = match texts.next()?.to_str()? {
        "terminal" => Terminal::Own,
        "pipes" => Terminal::None,
        _ => return None,
    };
    let cwd = texts.next()?.into();
    let count: usize = texts.next()?.to_str()?.parse().ok()?;
    let argv: Vec<_> = texts.by_ref().take(count).collect();
    let mut env = Vec::new();
    while let Some(name) = texts.next() {
        env.push((name, texts.next()?));
    }
    (argv.len() == count && count > 0).then_some(Request { terminal, cwd, argv, env })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pretty_assertions::assert_eq;
    use proptest::{collection, prelude::*};

    use super::super::{Input, Output, Size, Stdio};
    use super::*;

    fn text() -> impl Strategy<Value = OsString> {
        collection::vec(1..=255_u8, 0..12).prop_map(OsString::from_vec)
    }

    fn stdio() -> impl Strategy<Value = Stdio> {
        let pipes = Stdio::Pipes { input: Input::Open, output: Output::Joined };
        prop_oneof![Just(pipes), Just(Stdio::Terminal(Size::default()))]
    }

    proptest! {
        #[test]
        fn a_launch_arrives_as_it_was_sent(
            argv in collection::vec(text(), 1..5),
            cwd in text(),
            env in collection::btree_map(text(), text(), 0..5),
            stdio in stdio(),
        ) {
            let launch = Launch { argv: argv.clone(), cwd: cwd.clone().into(), env: env.clone(), stdio };
            let terminal = if matches!(stdio, Stdio::Terminal(_)) { Terminal::Own } else { Terminal::None };
            let sent = Request { terminal, cwd: cwd.into(), argv, env: env.into_iter().collect() };
            prop_assert_eq!(decode(&encode(&launch).unwrap()), Some(sent));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in collection::vec(any::<u8>(), 0..60)) {
            if let Some(request) = decode(&bytes) {
                prop_assert!(!request.argv.is_empty());
            }
        }
    }

    #[test]
    fn a_nul_is_refused_and_named() {
        let launch = Launch {
            argv: vec!["echo".into(), "a\0b".into()],
            cwd: "/".into(),
            env: BTreeMap::new(),
            stdio: Stdio::Terminal(Size::default()),
        };
        assert_eq!(encode(&launch).unwrap_err().to_string(), r#"NUL byte in "a\0b""#);
    }
}
