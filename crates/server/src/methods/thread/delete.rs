//! `thread/delete`: removes a thread for good.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadDeleteParams as Params, ThreadDeleteResponse as Response,
    ThreadDeletedNotification,
};

use crate::{context::Context, error::of_thread, wire};

/// Interrupts and unloads the thread where it is loaded, then removes its rollout, archived or not.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::session_id(&params.thread_id)?;
    cx.threads.require_stored(id).await.map_err(|error| of_thread(&error))?;
    if let Some(thread) = cx.agents.find(id) {
        drop(thread.unload().await); // one that is gone by now is unloaded too
    }
    cx.threads.delete(id).await.map_err(|error| of_thread(&error))?;
    cx.after_reply_to_all(ServerNotification::ThreadDeleted(ThreadDeletedNotification {
        thread_id: id.to_string(),
    }));
    Ok(Response {})
}
