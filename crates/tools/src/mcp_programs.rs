//! The programs of MCP servers: owned as commands are, so that none outlives the server.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use futures::{FutureExt, future::BoxFuture};
use mcp::{Owned, Program, Started, Starter};

use crate::{
    causes::with_causes,
    exec::{Exit, Input, Launch, Output, Owner, Piped, Stdio, Supervisor},
};

/// Starts the programs of MCP servers.
pub(crate) struct Programs(pub(crate) Supervisor);

impl Starter for Programs {
    fn start<'a>(&'a self, program: &'a Program) -> BoxFuture<'a, Result<Started, String>> {
        async move {
            let Program { command, args, env, cwd } = program;
            let launch = Launch {
                argv: [command].into_iter().chain(args).map(Into::into).collect(),
                cwd: cwd.clone().unwrap_or_else(|| ".".into()),
                env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
                stdio: Stdio::Pipes { input: Input::Open, output: Output::Apart },
            };
            let started = Piped::start(&self.0, &launch).await.map_err(|error| with_causes(&error))?;
            let Piped { stdin, stdout, stderr, owner } = started;
            Ok(Started {
                stdin: Box::new(stdin),
                stdout: Box::new(stdout),
                stderr: Box::new(stderr),
                owned: Box::new(owner),
            })
        }
        .boxed()
    }
}

impl Owned for Owner {
    fn ended(&mut self) -> BoxFuture<'_, ExitStatus> {
        // As the system writes it down: the code in the second byte, or the signal in the first.
        let status = |exit| match exit {
            Exit::Code(code) => ExitStatus::from_raw((code & 0xff) << 8),
            Exit::Signal(signal) => ExitStatus::from_raw(signal),
        };
        self.exit().map(status).boxed()
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Self::end(*self).boxed()
    }
}
