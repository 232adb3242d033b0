//! `turn/steer`: says something more in the running turn.

use jsonrpc::RpcError;
use protocol::{TurnSteerParams as Params, TurnSteerResponse as Response};

use crate::{
    context::Context,
    error::{invalid, of_agent},
    wire,
};

/// Hands the words to the turn, which must be the one that the client thinks it is.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    if params.input.is_empty() {
        return Err(invalid("input must not be empty"));
    }
    let inputs = wire::inputs(params.input)?;
    let turn_id = thread
        .steer(params.expected_turn_id, inputs, params.client_user_message_id)
        .await
        .map_err(|error| of_agent(&error))?;
    Ok(Response { turn_id })
}
