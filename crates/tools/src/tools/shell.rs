//! `shell`, `shell_command` and the provider's own shell call: a command that ends within its time. Understood from
//! models that were taught them, and not offered.

use std::{path::PathBuf, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::Value;

use super::exec_command::{EscalationArguments, interrupted};
use crate::{
    commands::{Escalation, Wanted},
    context::Context,
    exec::{Finished, Input, Output as Streams, Stdio, budget},
    shells,
    tool::{Call, Output, Stopped, Tool},
    tools::apply_patch,
};

/// How long a command may take when the model does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a command may take at most, whatever the model says.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

/// One of the ways to run a command and wait for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    /// `shell`: an argv; answered in JSON.
    Argv,
    /// `shell_command`: a line for the person's shell; answered in words.
    Line,
    /// The provider's own call: an argv with its settings.
    Local,
}

#[derive(Deserialize)]
struct Arguments {
    command: Command,
    #[serde(alias = "working_directory")]
    workdir: Option<PathBuf>,
    #[serde(alias = "timeout")]
    timeout_ms: Option<u64>,
    login: Option<bool>,
    #[serde(flatten)]
    escalation: EscalationArguments,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Command {
    Argv(Vec<String>),
    Line(String),
}

impl Tool for Shell {
    fn spec(&self) -> Option<Value> {
        None
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let arguments: Arguments = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let argv = match arguments.command {
                Command::Argv(argv) => argv,
                Command::Line(line) => shells::argv(None, arguments.login.unwrap_or(true), &line),
            };
            let cwd =
                arguments.workdir.map_or_else(|| cx.turn.cwd.clone(), |folder| cx.turn.cwd.join(folder));
            if let Some(patch) = shell::apply_patch_call(&argv) {
                return apply_patch::from_shell(call, cx, &cwd, patch).await;
            }
            let stdio = Stdio::Pipes { input: Input::Nothing, output: Streams::Joined };
            let escalation: Escalation = arguments.escalation.into();
            let wanted = Wanted { call: call.id.clone(), argv, cwd, stdio, source: "agent", escalation };
            let timeout = arguments.timeout_ms.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
            self.finish(cx, wanted, timeout.min(LONGEST_TIMEOUT)).await
        }
        .boxed()
    }
}

impl Shell {
    async fn finish(self, cx: &Context, wanted: Wanted, timeout: Duration) -> Result<Output, Stopped> {
        let mut started = match cx.start_command(wanted).await {
            Ok(started) => started,
            Err(not) => return not.into(),
        };
        let session = started.session.clone();
        let finished = tokio::select! {
            biased;
            () = cx.cancel.cancelled() => None,
            finished = session.finish(timeout) => Some(finished),
        };
        started.item.without_process();
        let Some(finished) = finished else { return Ok(interrupted(cx, started).await) };
        let status = if finished.exit_code() == 0 { "completed" } else { "failed" };
        started.complete_as(&*cx.host, status, finished.exit_code()).await;
        Ok(self.told(&finished, timeout).into())
    }

    fn told(self, finished: &Finished, timeout: Duration) -> String {
        let mut output = budget::fit(&finished.output, budget::DEFAULT_TOKENS);
        if finished.exit.is_none() {
            output = budget::timed_out(timeout, &output);
        }
        match self {
            Self::Line => budget::shell_text(finished.exit_code(), finished.wall_time, &output),
            Self::Argv | Self::Local => budget::shell_json(finished.exit_code(), finished.wall_time, &output),
        }
    }
}
