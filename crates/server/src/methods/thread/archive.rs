//! `thread/archive`: sets a thread aside.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadArchiveParams as Params, ThreadArchiveResponse as Response,
    ThreadArchivedNotification,
};

use crate::{context::Context, error::of_thread, wire};

/// Interrupts and unloads the thread where it is loaded, then moves its rollout.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::session_id(&params.thread_id)?;
    cx.threads.require_active(id).await.map_err(|error| of_thread(&error))?;
    if let Some(thread) = cx.agents.find(id) {
        drop(thread.unload().await); // one that is gone by now is unloaded too
    }
    cx.threads.archive(id).await.map_err(|error| of_thread(&error))?;
    cx.after_reply_to_all(ServerNotification::ThreadArchived(ThreadArchivedNotification {
        thread_id: id.to_string(),
    }));
    Ok(Response {})
}
