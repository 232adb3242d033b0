//! Servers that are programs: what is run, and what is held of one that runs. Who starts a program owns it.

use std::{collections::BTreeMap, path::PathBuf, process::ExitStatus};

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// A program to run.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Program {
    /// What to run, looked for in the `PATH` of `env`.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// All of its environment.
    pub env: BTreeMap<String, String>,
    /// The folder it starts in; ours if there is none.
    pub cwd: Option<PathBuf>,
}

/// Starts programs, and sees to it that nothing of them outlives this process, however it ends.
pub trait Starter: Send + Sync + 'static {
    /// Starts a program; the error is for people.
    fn start<'a>(&'a self, program: &'a Program) -> BoxFuture<'a, Result<Started, String>>;
}

/// A program that was started, and its pipes.
pub struct Started {
    /// What the program reads.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// What it says.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// What it says beside the protocol.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// The program itself.
    pub owned: Box<dyn Owned>,
}

/// A program that runs. Dropping it kills the program and all that it started.
pub trait Owned: Send {
    /// Waits until the program has ended by itself, and returns how. May be dropped, and is not called again once it
    /// returned.
    fn ended(&mut self) -> BoxFuture<'_, ExitStatus>;

    /// Ends the program, unless it has ended, and all that it started, within a bounded time.
    fn end(self: Box<Self>) -> BoxFuture<'static, ()>;
}
