//! `thread/goal/get`: the goal of a thread, and what was used for it.

use jsonrpc::RpcError;
use protocol::{ThreadGoalGetParams as Params, ThreadGoalGetResponse as Response};

use super::goal;
use crate::{context::Context, error::of_thread, wire};

/// Reads the goal; null for a thread that has none.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    goal::owner(&cx, id).await?;
    let goal = cx.threads.goal(id).await.map_err(|error| of_thread(&error))?;
    Ok(Response { goal: goal.map(|goal| wire::goal(id, goal)) })
}
