//! `thread/read`: a thread as it is, with or without its turns; it is not loaded by this.

use jsonrpc::RpcError;
use protocol::{ThreadReadParams as Params, ThreadReadResponse as Response};

use crate::{context::Context, error::of_thread, wire};

/// Reads an active, archived or loaded thread.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let snapshot = cx.agents.find(id).map(|thread| thread.snapshot());
    let with_turns = params.include_turns.unwrap_or(false);
    if with_turns {
        super::require_turns(snapshot.as_ref(), "includeTurns")?;
    }
    let stored = super::current(&cx, id).await?;
    let turns = match with_turns {
        true => {
            let running = snapshot.and_then(|snapshot| snapshot.running);
            cx.threads.turns(stored.path(), running).await.map_err(|error| of_thread(&error))?.turns
        }
        false => Vec::new(),
    };
    Ok(Response { thread: super::shown(&cx, &stored, turns) })
}
