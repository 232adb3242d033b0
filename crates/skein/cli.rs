//! The command line, as clients of the protocol use it and as a person reads it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use config::{Loader, Override, parse_override};
use server::Options;
use tokio_util::sync::CancellationToken;

use crate::{
    doctor::{self, Doctor},
    logging, try_out,
};

/// A daemon that keeps conversations with a coding agent, for editors, SDKs and bots to talk to over stdio.
///
/// Start it as a subprocess with `skein app-server`, and speak JSON-RPC with it: one JSON object a line. To see what
/// it does first, without network or login: `skein try "hello"`.
#[derive(Debug, Parser)]
#[command(name = "skein", version = version(), propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a client over standard input and output.
    AppServer(AppServer),
    /// Show what the server does: a conversation with the bundled scripted model, on a scratch home.
    Try {
        /// What to say.
        #[arg(default_value = "hello")]
        message: String,
    },
    /// Look a CODEX_HOME over: damaged lines, an index that differs, what takes room, what other servers choke on.
    ///
    /// Nothing is written unless --repair says so. Ends with 0 for a home in order, 1 for one with faults, 2 where
    /// nothing could be checked.
    Doctor(Doctor),
}

#[derive(Debug, Args)]
struct AppServer {
    #[command(flatten)]
    settings: Settings,
    /// Where to listen; standard input and output are the only place so far.
    #[arg(long, value_name = "URL", default_value = "stdio://")]
    listen: String,
    /// The same as --listen stdio://.
    #[arg(long)]
    stdio: bool,
    /// Accepted for clients that say it; nothing is ever reported to anyone.
    #[arg(long)]
    analytics_default_enabled: bool,
    #[command(subcommand)]
    print: Option<Print>,
}

#[derive(Debug, Subcommand)]
enum Print {
    /// Write the JSON Schema of the protocol.
    GenerateJsonSchema(Target),
    /// Write TypeScript declarations of the protocol.
    GenerateTs(Target),
}

#[derive(Debug, Args)]
struct Target {
    /// The folder to write into; made when it is missing.
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// With the methods and fields that a client has to ask for in its handshake.
    #[arg(long)]
    experimental: bool,
}

/// What stands in front of `app-server` or behind it, with the same meaning.
#[derive(Clone, Debug, Default, Args)]
struct Settings {
    /// Set a value of the config, such as -c model="gpt-5"; the value is TOML, or else text. May be repeated.
    #[arg(short, long = "config", value_name = "KEY=VALUE", action = clap::ArgAction::Append)]
    config: Vec<String>,
    /// Turn a feature on; the same as -c features.NAME=true. May be repeated.
    #[arg(long, value_name = "NAME", action = clap::ArgAction::Append)]
    enable: Vec<String>,
    /// Turn a feature off; the same as -c features.NAME=false. May be repeated.
    #[arg(long, value_name = "NAME", action = clap::ArgAction::Append)]
    disable: Vec<String>,
    /// Use this profile of the config.
    #[arg(long, short, value_name = "NAME")]
    profile: Option<String>,
}

/// Clients read the release of the protocol from this.
fn version() -> &'static str {
    const { concat!(env!("CARGO_PKG_VERSION"), " (codex-cli 0.169.0)") }
}

impl Cli {
    /// Does what the command line says.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start(env::var("RUST_LOG").ok().as_deref(), env::var("LOG_FORMAT").ok().as_deref());
        match self.command {
            Command::AppServer(AppServer { print: Some(print), .. }) => print.run()?,
            Command::AppServer(AppServer { settings, listen, stdio, .. }) => {
                if listen != "stdio://" && !stdio {
                    bail!("--listen {listen}: only stdio:// is supported so far");
                }
                serve(self.settings.and(settings))?;
            }
            Command::Try { message } => try_out::run(&message)?,
            Command::Doctor(options) => return Ok(doctor::run(&options, &home_path()?)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Print {
    fn run(self) -> anyhow::Result<()> {
        let Target { out, experimental } = match &self {
            Self::GenerateJsonSchema(target) | Self::GenerateTs(target) => target,
        };
        let written = match &self {
            Self::GenerateJsonSchema(_) => protocol::write_json_schema(out, *experimental),
            Self::GenerateTs(_) => protocol::write_typescript(out, *experimental),
        };
        written.with_context(|| format!("cannot write into {}", out.display()))
    }
}

impl Settings {
    /// Joins what stands in front of the command and what stands behind it, which is stronger.
    fn and(mut self, behind: Self) -> Self {
        self.config.extend(behind.config);
        self.enable.extend(behind.enable);
        self.disable.extend(behind.disable);
        self.profile = behind.profile.or(self.profile);
        self
    }

    fn overrides(&self) -> anyhow::Result<Vec<Override>> {
        let config = self.config.iter().map(|text| parse_override(text));
        let on = self.enable.iter().map(|name| Override::feature(name, true));
        let off = self.disable.iter().map(|name| Override::feature(name, false));
        Ok(config.chain(on).chain(off).collect::<Result<_, _>>()?)
    }
}

fn serve(settings: Settings) -> anyhow::Result<()> {
    let home = home()?;
    let options = Options {
        config: Loader::new(home.clone(), settings.overrides()?, settings.profile.clone())?,
        home,
        cwd: env::current_dir().context("cannot tell the working folder")?,
        env: env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        program: env::current_exe().context("cannot tell where this program lies")?,
        originator: env::var("CODEX_INTERNAL_ORIGINATOR_OVERRIDE").ok().filter(|name| !name.is_empty()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let (input, output) = (jsonrpc::stdio::stdin()?, jsonrpc::stdio::stdout()?);
        let told = stop_when_told(stop.clone())?;
        server::serve(options, input, output, stop).await;
        told.abort();
        anyhow::Ok(())
    })?;
    runtime.shutdown_background();
    Ok(())
}

/// Ends the service in order when the system, or a person at a terminal, says so.
fn stop_when_told(stop: CancellationToken) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        stop.cancel();
    }))
}

/// Returns `CODEX_HOME`, made when it is missing.
fn home() -> anyhow::Result<PathBuf> {
    let home = home_path()?;
    make_home(&home).with_context(|| format!("cannot make CODEX_HOME {}", home.display()))?;
    home.canonicalize().with_context(|| format!("cannot use CODEX_HOME {}", home.display()))
}

/// Returns `CODEX_HOME`, there or not; `~/.codex` where nothing is set.
fn home_path() -> anyhow::Result<PathBuf> {
    match env::var_os("CODEX_HOME").filter(|home| !home.is_empty()) {
        Some(home) => Ok(home.into()),
        None => Ok(env::home_dir().context("cannot find the home folder; set CODEX_HOME")?.join(".codex")),
    }
}

fn make_home(home: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_clients_are_told() {
        assert!(version().ends_with(&format!("(codex-cli {})", server::PROTOCOL_RELEASE)));
    }
}
