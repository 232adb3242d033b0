//! `thread/compact/start`: has the model sum up a loaded thread, to make room.

use jsonrpc::RpcError;
use protocol::{ThreadCompactStartParams as Params, ThreadCompactStartResponse as Response};

use crate::{context::Context, error::of_agent, wire};

/// Answers at once; the compaction is a turn with one item.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    let (_, answered) = thread.compact().await.map_err(|error| of_agent(&error))?;
    cx.begin_after_reply(answered);
    Ok(Response {})
}
