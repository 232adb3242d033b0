//! `thread/section/move`: puts a thread into a section, elsewhere in its own, or out of it.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadSectionChangedNotification, ThreadSectionMoveParams as Params,
    ThreadSectionMoveResponse as Response,
};
use threads::ThreadError;

use crate::{
    context::Context,
    error::{invalid, of_agent, of_thread},
    wire,
};

/// Moves a loaded or a stored thread, archived or not, and tells every client.
///
/// A thread that has no rollout yet gets one, since its place is to last; an ephemeral one is refused.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let to = wire::section_move(params.section_id.as_deref(), params.before_thread_id.as_deref())?;
    if let Some(thread) = cx.agents.find(id) {
        if thread.snapshot().ephemeral {
            return Err(invalid(format!("ephemeral thread does not support section moves: {id}")));
        }
        // First, so that a move that is refused makes no file.
        cx.threads.check_move(id, to.clone()).await.map_err(|error| of_thread(&error))?;
        thread.materialize().await.map_err(|error| of_agent(&error))?;
    }
    cx.threads.move_to_section(id, to).await.map_err(|error| match error {
        ThreadError::NotFound(id) => invalid(format!("thread not found: {id}")),
        error => of_thread(&error),
    })?;
    cx.after_reply_to_all(ServerNotification::ThreadSectionChanged(ThreadSectionChangedNotification {
        thread_id: id.to_string(),
        section_id: params.section_id,
    }));
    Ok(Response {})
}
