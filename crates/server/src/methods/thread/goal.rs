//! What the calls about goals have in common: which threads can have one.

use agent::Thread;
use jsonrpc::RpcError;
use threads::{ThreadError, ThreadId};

use crate::{
    context::Context,
    error::{invalid, of_thread},
};

/// Returns the thread where it is loaded; one that is not must be stored, and not archived.
///
/// An ephemeral thread is refused, since a goal is kept.
pub(super) async fn owner(cx: &Context, id: ThreadId) -> Result<Option<Thread>, RpcError> {
    match cx.agents.find(id) {
        Some(thread) if thread.snapshot().ephemeral => {
            Err(invalid(format!("ephemeral thread does not support goals: {id}")))
        }
        Some(thread) => Ok(Some(thread)),
        None => match cx.threads.require_active(id).await {
            Ok(()) => Ok(None),
            Err(ThreadError::NotFound(id)) => Err(invalid(format!("thread not found: {id}"))),
            Err(error) => Err(of_thread(&error)),
        },
    }
}
