//! `thread/shellCommand`: runs a command of the person in a thread.

use std::time::Duration;

use agent::Typed;
use jsonrpc::RpcError;
use protocol::{ThreadShellCommandParams as Params, ThreadShellCommandResponse as Response};

use crate::{
    context::Context,
    error::{invalid, of_agent},
    wire,
};

/// Answers at once; the command is a turn of its own, or an item of the one that runs. It is neither confined nor asked
/// about: the person typed it.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, command, timeout_ms } = params;
    let id = wire::thread_id(&thread_id)?;
    if command.trim().is_empty() {
        return Err(invalid("command must not be empty"));
    }
    let limit = timeout_ms.map(limit).transpose()?;
    let thread = cx.agents.require(id).map_err(|error| of_agent(&error))?;
    let (_, answered) = thread.shell(Typed { command, limit }).await.map_err(|error| of_agent(&error))?;
    cx.begin_after_reply(answered);
    Ok(Response {})
}

fn limit(millis: i64) -> Result<Duration, RpcError> {
    let limit = u64::try_from(millis).map(Duration::from_millis);
    limit.map_err(|_| {
        RpcError::invalid_params(format!("thread/shellCommand timeoutMs must be non-negative, got {millis}"))
    })
}
