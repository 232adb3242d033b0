//! What the tools of all threads of a server share: how commands are confined and owned, and where rules lie.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use mcp::{Entries, Lease, Observer, Servers};
use sandbox::{Files, Network, Placeholders, Policy, Sandbox};
use shell::Rules;

use crate::{
    causes::with_causes, exec::Supervisor, mcp_link::Unattended, mcp_programs::Programs,
    policy::SandboxPolicy,
};

/// The first argument of our own program when it is to own a command.
pub const SUPERVISE: &str = "__supervise";

/// How a server runs commands.
pub struct Workshop {
    program: PathBuf,
    home: PathBuf,
    env: BTreeMap<OsString, OsString>,
    sandbox: OnceLock<Sandbox>,
    servers: Servers,
}

/// What a server runs commands with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Our own program, which owns and confines commands when it is started anew; absolute.
    pub program: PathBuf,
    /// The `CODEX_HOME`, which no confined command may change.
    pub home: PathBuf,
    /// The server's own environment.
    pub env: BTreeMap<OsString, OsString>,
}

/// What is added to what a policy allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) write: Vec<PathBuf>,
    pub(crate) network: bool,
}

impl Workshop {
    /// Makes the workshop of a server; nothing is tried or started before the first command.
    pub fn new(setup: Setup) -> Arc<Self> {
        let Setup { program, home, env } = setup;
        let servers = Servers::new(Arc::new(Programs(supervisor(&program))));
        Arc::new(Self { program, home, env, sandbox: OnceLock::new(), servers })
    }

    /// Takes a share in MCP servers, whose observer is told how they are and asked what they ask.
    pub(crate) fn acquire(&self, entries: &Entries, observer: Arc<dyn Observer>) -> Lease {
        let text = |text: &OsString| text.to_str().map(str::to_owned);
        let env = self.env.iter().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
        self.servers.acquire(entries, &env.collect(), observer)
    }

    /// Takes a share in MCP servers for somebody who only asks; what they ask is declined. Called within a runtime.
    pub fn lease(&self, entries: &Entries) -> Lease {
        self.acquire(entries, Arc::new(Unattended))
    }

    /// Has every MCP server that is asked for from now on started anew.
    pub fn renew_servers(&self) {
        self.servers.renew();
    }

    /// Ends all MCP servers.
    pub async fn shut_down(&self) {
        self.servers.shut_down().await;
    }

    pub(crate) fn env(&self) -> &BTreeMap<OsString, OsString> {
        &self.env
    }

    /// The folder of the rules about commands.
    pub(crate) fn rules(&self) -> PathBuf {
        self.home.join("rules")
    }

    /// Reads the rules about commands. Blocks.
    pub fn load_rules(&self) -> Rules {
        Rules::load(&self.rules())
    }

    /// Has no thread that is loaded from now on ask about a tool of an MCP server any more.
    pub(crate) async fn always_allow(&self, (server, tool): &(String, String)) {
        let (file, server, tool) = (self.home.join("config.toml"), server.clone(), tool.clone());
        let set = move || {
            let keys = ["mcp_servers", &server, "tools", &tool, "approval_mode"];
            config::edit::set(&file, &keys, "approve")
        };
        // It is allowed for as long as the thread is loaded, whether this works or not.
        if let Ok(Err(error)) = tokio::task::spawn_blocking(set).await {
            tracing::warn!("the approval could not be kept: {}", with_causes(&error));
        }
    }

    pub(crate) fn supervisor(&self) -> Supervisor {
        supervisor(&self.program)
    }

    /// Returns what is started so that a command can touch no more than it may, and what has to be kept until nothing
    /// is left of it. Blocks: the first call finds out what
    /// the system offers, and each one looks at the folders.
    pub(crate) fn confine(
        &self,
        policy: &Policy,
        argv: Vec<OsString>,
        cwd: &Path,
    ) -> Result<(Vec<OsString>, Placeholders), String> {
        if policy.is_unrestricted() {
            return Ok((argv, Placeholders::default()));
        }
        let sandbox = self.sandbox.get_or_init(|| {
            let sandbox = Sandbox::probe(self.program.clone());
            tracing::info!("{}", sandbox.describe());
            sandbox
        });
        let placeholders = sandbox.hold(policy);
        let argv = sandbox.plan(policy, &argv, cwd).map_err(|error| error.report())?;
        Ok((argv, placeholders))
    }

    /// Works out which files may be changed, and whether the network may be used. Blocks: it looks at the folders.
    pub(crate) fn limits(&self, policy: &SandboxPolicy, cwd: &Path, granted: &Granted) -> Policy {
        let network = match policy.network() || granted.network {
            true => Network::Granted,
            false => Network::Denied,
        };
        let workspace = |cwd: &Path, roots: &[PathBuf], exclude_tmpdir, exclude_slash_tmp| {
            let tmpdir = self.env.get(OsStr::new("TMPDIR")).map(Path::new);
            let protected = std::slice::from_ref(&self.home);
            let writable_roots = &[roots, &granted.write].concat();
            sandbox::Workspace { cwd, writable_roots, tmpdir, exclude_tmpdir, exclude_slash_tmp, protected }
                .files()
        };
        let files = match policy {
            SandboxPolicy::DangerFullAccess => {
                return Policy { files: Files::Full, network: Network::Granted };
            }
            // Who put the server into a sandbox of their own decides what can be reached.
            SandboxPolicy::ExternalSandbox { .. } => {
                return Policy { files: Files::Full, network: Network::Granted };
            }
            SandboxPolicy::ReadOnly { .. } => match granted.write.split_first() {
                None => Files::ReadOnly,
                Some((first, _)) => workspace(first, &[], true, true),
            },
            SandboxPolicy::WorkspaceWrite {
                writable_roots,
                exclude_tmpdir_env_var,
                exclude_slash_tmp,
                ..
            } => workspace(cwd, writable_roots, *exclude_tmpdir_env_var, *exclude_slash_tmp),
        };
        Policy { files, network }
    }
}

fn supervisor(program: &Path) -> Supervisor {
    Supervisor { program: program.to_owned(), args: vec![SUPERVISE.into()] }
}

/// Tells whether a path, with all links followed, may be changed.
pub(crate) fn is_writable(files: &Files, path: &Path) -> bool {
    match files {
        Files::Full => true,
        Files::ReadOnly => false,
        Files::Workspace { writable, protected, absent } => {
            let longest = |paths: &[PathBuf]| {
                paths.iter().filter(|root| path.starts_with(root)).map(|root| root.components().count()).max()
            };
            // None is less than any.
            longest(writable) > longest(protected).max(longest(absent))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_path_decides_what_may_be_changed() {
        let files = Files::Workspace {
            writable: vec!["/w".into(), "/w/.git/in".into()],
            protected: vec!["/w/.git".into(), "/w/same".into()],
            absent: vec!["/w/.codex".into()],
        };
        for (path, writable) in [
            ("/w/a", true),
            ("/w", true),
            ("/wx", false),
            ("/w/.git/HEAD", false),
            ("/w/.git/in/x", true),
            ("/w/same", false),
            ("/w/.codex/config.toml", false),
            ("/other", false),
        ] {
            assert_eq!(is_writable(&files, Path::new(path)), writable, "{path}");
        }
        assert!(
            is_writable(&Files::Full, Path::new("/x")) && !is_writable(&Files::ReadOnly, Path::new("/x"))
        );
    }
}
