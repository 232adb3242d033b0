//! `thread/metadata/update`: patches what a client stored about a thread.

use jsonrpc::RpcError;
use protocol::{ThreadMetadataUpdateParams as Params, ThreadMetadataUpdateResponse as Response};

use crate::{
    context::Context,
    error::{invalid, of_agent, of_thread},
    wire,
};

/// Applies the patch and returns the thread as it now reads.
///
/// Works on archived and not-yet-indexed threads; an ephemeral thread is refused, since nothing of it is stored.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let patch = wire::git_info_patch(params.git_info).checked().map_err(|error| of_thread(&error))?;
    if let Some(thread) = cx.agents.find(id) {
        if thread.snapshot().ephemeral {
            return Err(invalid(format!("ephemeral thread does not support metadata updates: {id}")));
        }
        thread.materialize().await.map_err(|error| of_agent(&error))?;
    }
    let stored = cx.threads.update_git_info(id, patch).await.map_err(|error| of_thread(&error))?;
    Ok(Response { thread: super::shown(&cx, &stored, Vec::new()) })
}
