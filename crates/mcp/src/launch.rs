//! What a server is started with: its configuration with the variables filled in.
//!
//! Two threads whose entries come to the same launch share the server.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use config::{McpServer, McpTransport};

use crate::Program;

/// What a program gets of the environment unasked: enough to find and run things, nothing that opens doors. The same
/// list as in published releases.
const CORE_VARIABLES: [&str; 11] = [
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "__CF_USER_TEXT_ENCODING",
];

/// How to start a server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Launch {
    /// The name of the entry. Who enters one program twice wants two.
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) timeout: Duration,
}

/// Where the server is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Program(Program),
    Endpoint(Endpoint),
}

/// A URL to talk to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) bearer: Option<String>,
}

impl Launch {
    /// Fills in the variables; the error is for people.
    pub(crate) fn new(name: &str, server: &McpServer, env: &HashMap<String, String>) -> Result<Self, String> {
        let set = |name: &String| Some((name.clone(), env.get(name)?.clone()));
        let target = match server.transport.clone() {
            McpTransport::Stdio { command, args, env: own, env_vars, cwd } => {
                let core = CORE_VARIABLES.map(str::to_owned);
                let mut env: BTreeMap<_, _> = core.iter().chain(&env_vars).filter_map(set).collect();
                env.extend(own);
                Target::Program(Program { command, args, env, cwd })
            }
            McpTransport::Http { url, bearer_token_env_var, http_headers, env_http_headers } => {
                let mut headers = http_headers;
                let of_variables = env_http_headers.into_iter();
                headers.extend(of_variables.filter_map(|(name, var)| Some((name, env.get(&var)?.clone()))));
                let bearer = bearer_token_env_var.map(|var| {
                    let missing = || format!("the environment variable `{var}` is not set");
                    env.get(&var).cloned().ok_or_else(missing)
                });
                Target::Endpoint(Endpoint { url, headers, bearer: bearer.transpose()? })
            }
        };
        Ok(Self { name: name.to_owned(), target, timeout: server.startup_timeout })
    }
}

#[cfg(test)]
mod tests {
    use config::McpApproval;
    use pretty_assertions::assert_eq;

    use super::*;

    fn map<T: FromIterator<(String, String)>>(pairs: &[(&str, &str)]) -> T {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn launched(transport: McpTransport) -> Result<Target, String> {
        let server = McpServer {
            transport,
            enabled: true,
            startup_timeout: Duration::ZERO,
            tool_timeout: Duration::ZERO,
            enabled_tools: None,
            disabled_tools: vec![],
            approval: McpApproval::Auto,
            tool_approvals: BTreeMap::new(),
        };
        let env =
            map(&[("PATH", "/bin"), ("HOME", "/h"), ("OPENAI_API_KEY", "secret"), ("A", "a"), ("B", "b")]);
        Launch::new("s", &server, &env).map(|launch| launch.target)
    }

    #[test]
    fn a_program_gets_the_core_what_is_named_and_its_own_but_no_key() {
        let transport = McpTransport::Stdio {
            command: "c".into(),
            args: vec![],
            env: map(&[("B", "own"), ("HOME", "/other")]),
            env_vars: vec!["A".into(), "B".into(), "UNSET".into()],
            cwd: None,
        };
        let Ok(Target::Program(program)) = launched(transport) else { panic!() };
        assert_eq!(program.env, map(&[("A", "a"), ("B", "own"), ("HOME", "/other"), ("PATH", "/bin")]));
    }

    #[test]
    fn headers_take_values_from_variables_and_a_token_must_be_there() {
        let http = |var: Option<&str>| McpTransport::Http {
            url: "u".into(),
            bearer_token_env_var: var.map(str::to_owned),
            http_headers: map(&[("x", "1")]),
            env_http_headers: map(&[("y", "A"), ("z", "UNSET")]),
        };
        for (var, expected) in [
            (None, Ok(None)),
            (Some("A"), Ok(Some("a".to_owned()))),
            (Some("T"), Err("the environment variable `T` is not set".to_owned())),
        ] {
            let bearer = launched(http(var)).map(|target| {
                let Target::Endpoint(endpoint) = target else { panic!() };
                assert_eq!(endpoint.headers, map(&[("x", "1"), ("y", "a")]));
                endpoint.bearer
            });
            assert_eq!(bearer, expected);
        }
    }
}
