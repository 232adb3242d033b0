//! `review/start`: has the model review a change.

use jsonrpc::RpcError;
use protocol::{
    ReviewDelivery, ReviewStartParams as Params, ReviewStartResponse as Response, ReviewTarget as Target,
    ThreadForkParams, ThreadItem, Turn, TurnStatus, UserInput,
};

use crate::{
    context::Context,
    error::{invalid, of_agent},
    live,
    methods::thread::fork,
    wire,
};

/// Answers at once with the turn, which shows what is reviewed. A detached review runs in a fork of the thread.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let target = target(params.target)?;
    let mut id = wire::thread_id(&params.thread_id)?;
    cx.agents.require(id).map_err(|error| of_agent(&error))?;
    if params.delivery == Some(ReviewDelivery::Detached) {
        let fork =
            ThreadForkParams { thread_id: id.to_string(), exclude_turns: Some(true), ..Default::default() };
        let fork = fork::handle(cx.clone(), fork).await?;
        id = wire::thread_id(&fork.thread.id)?;
    }
    let thread = cx.agents.require(id).map_err(|error| of_agent(&error))?;
    let hint = target.hint();
    let (started, answered) = thread.review(target).await.map_err(|error| of_agent(&error))?;
    cx.begin_after_reply(answered);
    let subject = ThreadItem::UserMessage {
        id: started.turn.clone(),
        client_id: None,
        content: vec![UserInput::Text { text: hint, text_elements: Vec::new() }],
    };
    let turn = Turn { items: vec![subject], ..live::turn(started.turn, TurnStatus::InProgress) };
    Ok(Response { turn, review_thread_id: id.to_string() })
}

fn target(target: Target) -> Result<agent::ReviewTarget, RpcError> {
    let filled = |name: &str, text: String| match text.trim() {
        "" => Err(invalid(format!("{name} must not be empty"))),
        trimmed => Ok(trimmed.to_owned()),
    };
    Ok(match target {
        Target::UncommittedChanges => agent::ReviewTarget::UncommittedChanges,
        Target::BaseBranch { branch } => agent::ReviewTarget::BaseBranch(filled("branch", branch)?),
        Target::Commit { sha, title } => agent::ReviewTarget::Commit {
            sha: filled("sha", sha)?,
            title: title.filter(|title| !title.trim().is_empty()),
        },
        Target::Custom { instructions } => agent::ReviewTarget::Custom(filled("instructions", instructions)?),
    })
}
