//! `thread/rollback`: drops the last turns of a loaded thread.

use agent::Rollback;
use jsonrpc::RpcError;
use protocol::{ThreadRollbackParams as Params, ThreadRollbackResponse as Response};

use crate::{
    context::Context,
    error::{invalid, of_agent, of_thread},
    wire,
};

/// Changes the history only, never files of the project; answers with the turns that remain.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    if params.num_turns == 0 {
        return Err(invalid("numTurns must be >= 1"));
    }
    let thread = cx.agents.require(id).map_err(|error| of_agent(&error))?;
    thread.rollback(Rollback::Turns(params.num_turns)).await.map_err(|error| of_agent(&error))?;
    let stored = super::current(&cx, id).await?;
    let turns = match thread.snapshot().materialized {
        true => cx.threads.turns(stored.path(), None).await.map_err(|error| of_thread(&error))?.turns,
        false => Vec::new(),
    };
    Ok(Response { thread: super::shown(&cx, &stored, turns) })
}
