//! Real commands under a real supervisor: who lives, who dies, and what is read of them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod input;
mod output;
mod ownership;
mod processes;
mod server;
mod start;
mod terminal;
mod together;

use std::{env, time::Duration};

use testkit::processes::until;
use tools::exec::{Input, Label, Launch, Live, Output, Session, Sessions, Size, Stdio, Supervisor};

/// Whatever takes longer than this hangs.
const HUNG: Duration = Duration::from_secs(20);

/// Pipes as a command has them that nobody types into.
const PIPES: Stdio = Stdio::Pipes { input: Input::Nothing, output: Output::Joined };

/// Pipes as a command has them that is typed into.
const TYPED: Stdio = Stdio::Pipes { input: Input::Open, output: Output::Joined };

/// A terminal of the usual size.
const TERMINAL: Stdio = Stdio::Terminal(Size { rows: 24, cols: 80 });

fn supervisor() -> Supervisor {
    Supervisor { program: env!("CARGO_BIN_EXE_exec-stand-in").into(), args: vec!["supervise".into()] }
}

fn sessions() -> Sessions {
    Sessions::new(supervisor(), 7)
}

fn sh(stdio: Stdio, script: &str) -> Launch {
    argv(stdio, &["/bin/sh", "-c", script])
}

fn argv(stdio: Stdio, argv: &[&str]) -> Launch {
    let argv = argv.iter().map(Into::into).collect();
    let env = [("PATH".into(), env::var_os("PATH").unwrap()), ("TERM".into(), "dumb".into())].into();
    Launch { argv, cwd: "/".into(), env, stdio }
}

fn label() -> Label {
    Label { item: "item-1".into(), command: "the command".into() }
}

/// Starts a script and returns it with what it writes.
async fn started(sessions: &Sessions, stdio: Stdio, script: &str) -> (Session, Live) {
    sessions.start(sh(stdio, script), label()).await.unwrap()
}

/// Starts a script and waits until it has written this.
async fn started_until(sessions: &Sessions, stdio: Stdio, script: &str, mark: &str) -> Session {
    let (session, mut live) = started(sessions, stdio, script).await;
    until_it_says(&mut live, mark).await;
    session
}

/// Runs a script to its end, and returns it.
async fn ran(sessions: &Sessions, stdio: Stdio, script: &str) -> Session {
    let (session, _) = started(sessions, stdio, script).await;
    tokio::time::timeout(HUNG, session.exit()).await.unwrap();
    session
}

/// Waits until a command has written this, and returns what it wrote.
async fn until_it_says(live: &mut Live, mark: &str) -> String {
    let mut said = String::new();
    while !said.contains(mark) {
        let piece = tokio::time::timeout(HUNG, live.next()).await;
        let piece = piece.unwrap_or_else(|_| panic!("{mark:?} did not come, but {said:?}"));
        said += &piece.unwrap_or_else(|| panic!("{mark:?} did not come before the end, but {said:?}"));
    }
    said
}
