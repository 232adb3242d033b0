//! `thread/unsubscribe`: stops listening to a thread.

use jsonrpc::RpcError;
use protocol::{
    ThreadUnsubscribeParams as Params, ThreadUnsubscribeResponse as Response,
    ThreadUnsubscribeStatus as Status,
};

use crate::{context::Context, wire};

/// A running turn goes on; a thread to which nobody listens is unloaded when it has been idle for a while.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let Some(thread) = cx.agents.find(id) else { return Ok(Response { status: Status::NotLoaded }) };
    let status = match cx.live.unsubscribe(id, &cx.connection) {
        true => Status::Unsubscribed,
        false => Status::NotSubscribed,
    };
    thread.set_watched(cx.live.is_watched(id)).await;
    Ok(Response { status })
}
