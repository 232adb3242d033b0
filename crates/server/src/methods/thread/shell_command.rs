//! `thread/shellCommand`: runs a command of the person in a thread.

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
    let id = wire::thread_id(&params.thread_id)?;
    if params.command.trim().is_empty() {
        return Err(invalid("command must not be empty"));
    }
    let thread = cx.agents.require(id).map_err(|error| of_agent(&error))?;
    let (_, answered) = thread.shell(params.command).await.map_err(|error| of_agent(&error))?;
    cx.begin_after_reply(answered);
    Ok(Response {})
}
