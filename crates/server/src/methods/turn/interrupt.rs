//! `turn/interrupt`: stops the running turn; its end follows as `turn/completed`.

use jsonrpc::RpcError;
use protocol::{TurnInterruptParams as Params, TurnInterruptResponse as Response};

use crate::{context::Context, error::of_agent, wire};

/// Answers when the turn has been told to stop.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    thread.interrupt(params.turn_id).await.map_err(|error| of_agent(&error))?;
    Ok(Response {})
}
