//! A command that the person runs in a thread: unconfined, unasked, and told to the model.

use std::{path::Path, time::Duration};

use crate::{
    commands::{Escalation, NotStarted, Walls, Wanted},
    context::Context,
    exec::{Exit, Input, Output as Streams, Stdio, budget},
    shells,
    tool::Output,
    toolbox::TurnTools,
};

/// How long a command may take of which the person did not say: who has forgotten it wants it to end some day.
const LONGEST: Duration = Duration::from_secs(3600);

/// What a person typed.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The line.
    pub command: String,
    /// How long it may take; an hour, where that is not said.
    pub limit: Option<Duration>,
}

/// A command of the person, and where it belongs.
pub struct UserShell<'a> {
    /// What was typed.
    pub typed: &'a Typed,
    /// The id of its item.
    pub item: String,
    /// Where it runs.
    pub cwd: &'a Path,
}

impl TurnTools {
    /// Runs a command of the person, and returns what the model is told of it.
    pub async fn user_shell(&self, wanted: UserShell<'_>) -> String {
        let UserShell { typed: Typed { command, limit }, item, cwd } = wanted;
        let cx = self.context();
        let wanted = Wanted {
            call: item,
            argv: shells::argv(None, /*login*/ true, command),
            cwd: cwd.to_owned(),
            stdio: Stdio::Pipes { input: Input::Nothing, output: Streams::Joined },
            source: "user_shell",
            escalation: Escalation::default(),
        };
        let result = run(cx, wanted, limit.unwrap_or(LONGEST)).await;
        format!(
            "<user_shell_command>\n<command>\n{command}\n</command>\n<result>\n{result}\n</result>\n</user_shell_command>"
        )
    }
}

async fn run(cx: &Context, wanted: Wanted, limit: Duration) -> String {
    let started = match cx.launch(wanted, Walls::Down, None).await {
        Ok(started) => started,
        Err(NotStarted::Told(Output::Text(text))) => return text,
        Err(NotStarted::Told(Output::Parts(_)) | NotStarted::Stopped(_)) => return String::new(),
    };
    let session = started.session.clone();
    let finished = tokio::select! {
        biased;
        () = cx.cancel.cancelled() => None,
        finished = session.finish(limit) => Some(finished),
    };
    if finished.is_none() {
        session.terminate().await;
    }
    let took = session.duration();
    // One that was interrupted ended as its signals had it; one whose time was up, as `timeout` tells it.
    let ended = || session.progress().exit().map_or(-1, Exit::code);
    let exit_code = finished.map_or_else(ended, |finished| finished.exit_code());
    let status = if exit_code == 0 { "completed" } else { "failed" };
    started.complete_as(&*cx.host, status, exit_code).await;
    let output = budget::fit(&session.output(), budget::DEFAULT_TOKENS);
    format!("Exit code: {exit_code}\nDuration: {:.4} seconds\nOutput:\n{output}", took.as_secs_f64())
}
