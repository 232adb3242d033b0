//! `thread/goal/clear`: takes the goal of a thread away.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadGoalClearParams as Params, ThreadGoalClearResponse as Response,
    ThreadGoalClearedNotification,
};

use super::goal;
use crate::{context::Context, error::of_thread, wire};

/// Clears the goal and tells every client; nothing to clear is nothing to tell. A turn that works on it goes on.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    goal::owner(&cx, id).await?;
    let cleared = cx.threads.clear_goal(id).await.map_err(|error| of_thread(&error))?;
    if cleared {
        let note = ThreadGoalClearedNotification { thread_id: id.to_string() };
        cx.after_reply_to_all(ServerNotification::ThreadGoalCleared(note));
    }
    Ok(Response { cleared })
}
