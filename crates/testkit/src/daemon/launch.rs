//! How a server is started.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use protocol::{ClientInfo, InitializeCapabilities, InitializeParams};

use super::Daemon;
use super::process::Process;
use super::questions::Handlers;
use crate::Home;

/// How a server is to be started; by default `app-server` on a home, with everything experimental allowed.
#[derive(Clone, Debug)]
pub struct Launch {
    home: PathBuf,
    cwd: PathBuf,
    args: Vec<OsString>,
    env: Vec<(String, OsString)>,
    handshake: Option<InitializeParams>,
}

impl Launch {
    /// Begins with the defaults.
    pub fn on(home: &Home) -> Self {
        let client_info = ClientInfo { name: "testkit".into(), title: None, version: "0.1.0".into() };
        let capabilities =
            InitializeCapabilities { experimental_api: Some(true), opt_out_notification_methods: None };
        Self {
            home: home.root(),
            cwd: home.work(),
            args: vec!["app-server".into()],
            env: Vec::new(),
            handshake: Some(InitializeParams { client_info, capabilities: Some(capabilities) }),
        }
    }

    /// Replaces the arguments, `app-server` among them.
    pub fn args<'a>(self, args: impl IntoIterator<Item = &'a str>) -> Self {
        Self { args: args.into_iter().map(OsString::from).collect(), ..self }
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the folder that the server works in.
    pub fn cwd(self, cwd: &Path) -> Self {
        Self { cwd: cwd.to_owned(), ..self }
    }

    /// Replaces what the client says it can.
    pub fn capabilities(mut self, capabilities: Option<InitializeCapabilities>) -> Self {
        if let Some(handshake) = &mut self.handshake {
            handshake.capabilities = capabilities;
        }
        self
    }

    /// Leaves the handshake to the test.
    pub fn without_handshake(self) -> Self {
        Self { handshake: None, ..self }
    }

    /// Starts the server and shakes hands with it.
    pub async fn start(self) -> Daemon {
        Daemon::launched(self).await
    }

    /// Makes the command, for tests of what is no server.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        command
            .args(&self.args)
            .current_dir(&self.cwd)
            .env_clear()
            .env("CODEX_HOME", &self.home)
            .env("HOME", &self.cwd)
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .env("RUST_BACKTRACE", "1")
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(super) fn handshake(&self) -> Option<InitializeParams> {
        self.handshake.clone()
    }

    pub(super) fn spawn(&self, handlers: &Arc<Handlers>) -> Process {
        let mut command = self.command();
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Process::spawn(command, handlers)
    }
}

/// The program under test; cargo and nextest tell integration tests of its package where it is.
fn program() -> OsString {
    env::var_os("CARGO_BIN_EXE_skein")
        .expect("run by `cargo nextest run` or `cargo test` of the package skein")
}
