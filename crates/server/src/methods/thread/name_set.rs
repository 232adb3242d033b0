//! `thread/name/set`: gives a thread a name.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadNameUpdatedNotification, ThreadSetNameParams as Params,
    ThreadSetNameResponse as Response,
};

use crate::{context::Context, error::of_thread, wire};

/// Names a loaded or an active stored thread, and tells every client.
///
/// The name of an ephemeral thread is kept in memory, like the rest of it.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let loaded = cx.agents.find(id).filter(|thread| !thread.snapshot().materialized);
    let name = match loaded {
        Some(thread) => {
            let name = threads::checked_name(&params.name).map_err(|error| of_thread(&error))?;
            if !thread.snapshot().ephemeral {
                cx.threads.store_name(id, name.clone()).await.map_err(|error| of_thread(&error))?;
            }
            thread.update(|seen| seen.thread.name = Some(name.clone()));
            name
        }
        None => cx.threads.set_name(id, &params.name).await.map_err(|error| of_thread(&error))?,
    };
    cx.after_reply_to_all(ServerNotification::ThreadNameUpdated(ThreadNameUpdatedNotification {
        thread_id: id.to_string(),
        thread_name: Some(name),
    }));
    Ok(Response {})
}
