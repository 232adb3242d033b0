//! `thread/revert`: drops a turn of a loaded thread, and all behind it.

use agent::Rollback;
use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadRevertParams as Params, ThreadRevertResponse as Response,
    ThreadRevertedNotification,
};

use crate::{context::Context, error::of_agent, wire};

/// Interrupts a running turn first; answers without turns, since what remains may be long.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let thread = cx.agents.require(id).map_err(|error| of_agent(&error))?;
    thread.rollback(Rollback::From(params.before_turn_id)).await.map_err(|error| of_agent(&error))?;
    let stored = super::current(&cx, id).await?;
    cx.after_reply_to_all(ServerNotification::ThreadReverted(ThreadRevertedNotification {
        thread_id: id.to_string(),
    }));
    Ok(Response {
        thread: super::shown(&cx, &stored, Vec::new()),
        turns_backwards_cursor: None,
        items_backwards_cursor: None,
    })
}
