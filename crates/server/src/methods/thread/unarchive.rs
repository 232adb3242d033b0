//! `thread/unarchive`: takes a thread out of the archive.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadUnarchiveParams as Params, ThreadUnarchiveResponse as Response,
    ThreadUnarchivedNotification,
};

use crate::{context::Context, error::of_thread, wire};

/// Moves the rollout back to where its name says, and returns the thread.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::session_id(&params.thread_id)?;
    let stored = cx.threads.unarchive(id).await.map_err(|error| of_thread(&error))?;
    let note = ThreadUnarchivedNotification { thread_id: id.to_string() };
    cx.after_reply_to_all(ServerNotification::ThreadUnarchived(note));
    Ok(Response { thread: super::shown(&cx, &stored, Vec::new()) })
}
