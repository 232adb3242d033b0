//! `exec_command`: runs a command in a shell; one that takes longer goes on as a session.

use std::{path::PathBuf, sync::Arc, time::Duration};

use config::ApprovalPolicy;
use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    commands::{Escalation, NotStarted, Started, Walls, Wanted},
    context::Context,
    exec::{
        Collected, Exit, Input, Output as Streams, Session, Size, Stdio,
        budget::{DEFAULT_TOKENS, SessionText, session_text},
        yield_time,
    },
    host::Began,
    shells,
    tool::{Call, Output, Stopped, Tool, function},
    tools::apply_patch,
};

/// What a call of the model that was interrupted is answered.
pub(crate) const ABORTED: &str = "aborted by user";

pub(crate) struct ExecCommand;

#[derive(Deserialize)]
struct Arguments {
    cmd: String,
    workdir: Option<PathBuf>,
    shell: Option<String>,
    login: Option<bool>,
    tty: Option<bool>,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<usize>,
    #[serde(flatten)]
    escalation: EscalationArguments,
}

/// What every way to run a command may be told beside it.
#[derive(Default, Deserialize)]
pub(crate) struct EscalationArguments {
    sandbox_permissions: Option<String>,
    justification: Option<String>,
    prefix_rule: Option<Vec<String>>,
}

impl From<EscalationArguments> for Escalation {
    fn from(arguments: EscalationArguments) -> Self {
        let EscalationArguments { sandbox_permissions, justification, prefix_rule } = arguments;
        Self {
            wanted: sandbox_permissions.as_deref() == Some("require_escalated"),
            justification,
            prefix_rule,
        }
    }
}

/// Describes what a command may be told beside it.
fn escalation_properties() -> Map<String, Value> {
    let properties = json!({
        "sandbox_permissions": {
            "type": "string",
            "enum": ["use_default", "require_escalated"],
            "description": "`require_escalated` to run outside of the sandbox; the person may be asked first.",
        },
        "justification": {
            "type": "string",
            "description": "With `require_escalated`: one sentence for the person, as a question, saying why.",
        },
        "prefix_rule": {
            "type": "array",
            "items": { "type": "string" },
            "description": "With `require_escalated`: the first words of the command by which the person may allow \
                            its like from now on.",
        },
    });
    properties.as_object().cloned().unwrap_or_default()
}

impl Tool for ExecCommand {
    fn spec(&self) -> Option<Value> {
        let mut properties = escalation_properties();
        let own = json!({
            "cmd": { "type": "string", "description": "The command, for a shell." },
            "workdir": { "type": "string", "description": "Where to run it; the working folder by default." },
            "shell": { "type": "string", "description": "The shell; the person's by default." },
            "login": { "type": "boolean", "description": "Whether it is a login shell; it is by default." },
            "tty": { "type": "boolean", "description": "Gives the command a terminal, which `write_stdin` needs." },
            "yield_time_ms": { "type": "integer", "description": "How long to wait for it before it goes on as a session." },
            "max_output_tokens": { "type": "integer", "description": "How much of the output to return at most." },
        });
        properties.extend(own.as_object().cloned().unwrap_or_default());
        Some(function(
            "exec_command",
            "Runs a command in a shell and returns what it prints, or a session ID when it is still running.",
            properties.into(),
            &["cmd"],
        ))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let arguments: Arguments = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let login = arguments.login.unwrap_or(true);
            let argv = shells::argv(arguments.shell.as_deref(), login, &arguments.cmd);
            let cwd =
                arguments.workdir.map_or_else(|| cx.turn.cwd.clone(), |folder| cx.turn.cwd.join(folder));
            if let Some(patch) = shell::apply_patch_call(&argv) {
                return apply_patch::from_shell(call, cx, &cwd, patch).await;
            }
            let stdio = match arguments.tty.unwrap_or_default() {
                true => Stdio::Terminal(Size::default()),
                false => Stdio::Pipes { input: Input::Nothing, output: Streams::Joined },
            };
            let escalation = arguments.escalation.into();
            let wanted = Wanted {
                call: call.id.clone(),
                argv,
                cwd,
                stdio,
                source: "unified_exec_startup",
                escalation,
            };
            let patience = Patience {
                wait: yield_time(arguments.yield_time_ms),
                tokens: arguments.max_output_tokens.unwrap_or(DEFAULT_TOKENS),
            };
            run(cx, wanted, patience).await
        }
        .boxed()
    }
}

/// How long to wait for a command, and how much of its output to return at most.
#[derive(Clone, Copy)]
struct Patience {
    wait: Duration,
    tokens: usize,
}

async fn run(cx: &Context, wanted: Wanted, patience: Patience) -> Result<Output, Stopped> {
    let started = match cx.start_command(wanted.clone()).await {
        Ok(started) => started,
        Err(not) => return not.into(),
    };
    let Some(collected) = collect(cx, &started.session, patience.wait).await else {
        return Ok(interrupted(cx, started).await);
    };
    match collected.progress.exit() {
        Some(exit) if was_stopped_by_the_sandbox(cx, &wanted, exit, &collected) => {
            match cx.ask_again(&wanted).await {
                Ok(()) => without_the_sandbox(cx, wanted, started.began, patience).await,
                Err(NotStarted::Told(_)) => Ok(settle(cx, started, &collected, patience).await),
                Err(NotStarted::Stopped(stopped)) => {
                    started.complete(&*cx.host, exit).await;
                    Err(stopped)
                }
            }
        }
        _ => Ok(settle(cx, started, &collected, patience).await),
    }
}

/// Runs a command that the sandbox stopped without one, as the same item.
async fn without_the_sandbox(
    cx: &Context,
    wanted: Wanted,
    began: Began,
    patience: Patience,
) -> Result<Output, Stopped> {
    let started = match cx.launch(wanted, Walls::Down, Some(began)).await {
        Ok(started) => started,
        Err(not) => return not.into(),
    };
    match collect(cx, &started.session, patience.wait).await {
        Some(collected) => Ok(settle(cx, started, &collected, patience).await),
        None => Ok(interrupted(cx, started).await),
    }
}

/// Completes the item of a command that has ended, now or when it does; returns what the model is told.
async fn settle(cx: &Context, started: Started, collected: &Collected, patience: Patience) -> Output {
    let told = told(&started.session, collected, patience.tokens);
    match collected.progress.exit() {
        Some(exit) => started.complete(&*cx.host, exit).await,
        None => complete_later(cx, started),
    }
    told
}

/// Waits for a command; `None` when the turn was interrupted meanwhile.
pub(crate) async fn collect(cx: &Context, session: &Session, wait: Duration) -> Option<Collected> {
    tokio::select! {
        biased;
        () = cx.cancel.cancelled() => None,
        collected = session.collect(wait) => Some(collected),
    }
}

/// Ends a command whose turn was interrupted, and completes its item.
pub(crate) async fn interrupted(cx: &Context, started: Started) -> Output {
    let session = started.session.clone();
    session.terminate().await;
    let seconds = session.duration().as_secs_f64();
    let exit_code = session.progress().exit().map_or(-1, Exit::code);
    started.complete_as(&*cx.host, "failed", exit_code).await;
    format!("Wall time: {seconds:.1} seconds\n{ABORTED}").into()
}

/// Has the item of a command that goes on completed when it ends, whatever becomes of its turn.
///
/// An interruption of the turn that started it ends it, like all that the turn did not finish.
fn complete_later(cx: &Context, started: Started) {
    let (host, cancel) = (Arc::clone(&cx.host), cx.cancel.clone());
    cx.thread.tasks.spawn(async move {
        let session = started.session.clone();
        let exit = tokio::select! {
            exit = session.exit() => exit,
            () = cancel.cancelled() => {
                session.terminate().await;
                session.exit().await
            }
        };
        started.complete(&*host, exit).await;
    });
}

/// What a model is told of a command that it waited for.
pub(crate) fn told(session: &Session, collected: &Collected, most_tokens: usize) -> Output {
    let chunk = uuid::Uuid::new_v4().simple().to_string();
    session_text(&SessionText {
        chunk_id: &chunk[..6],
        session_id: session.id(),
        progress: collected.progress,
        wall_time: collected.wall_time,
        output: &collected.output,
        most_tokens,
    })
    .into()
}

/// Words by which programs say that the system did not let them.
const REFUSALS: [&str; 4] =
    ["Read-only file system", "Permission denied", "Operation not permitted", "Network is unreachable"];

/// Tells whether the person is to be asked once more, because the sandbox stopped the command as it seems.
fn was_stopped_by_the_sandbox(cx: &Context, wanted: &Wanted, exit: Exit, collected: &Collected) -> bool {
    cx.turn.approval == ApprovalPolicy::OnFailure
        && !wanted.escalation.wanted
        && exit.code() != 0
        && cx.turn.sandbox.confines()
        && REFUSALS.iter().any(|words| collected.output.text().contains(words))
}
