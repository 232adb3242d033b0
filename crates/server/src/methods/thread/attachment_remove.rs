//! `thread/attachment/remove`: a thread has something attached no more.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadAttachmentOperation, ThreadAttachmentRemoveParams as Params,
    ThreadAttachmentRemoveResponse as Response, ThreadAttachmentUpdatedNotification,
};

use crate::{context::Context, error::of_attachment, wire};

/// Removes what a stored thread has of an identity, and tells every client; nothing to remove is nothing to tell.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, attachment_type, identity_key } = params;
    let identity = wire::attachment_identity(attachment_type.clone(), identity_key.clone())?;
    let thread = wire::attachment_thread(&thread_id)?;
    let removed = cx.threads.detach(thread, identity).await.map_err(|error| of_attachment(&error))?;
    if let Some(id) = removed {
        let note = ThreadAttachmentUpdatedNotification {
            thread_id: thread.to_string(),
            attachment_type,
            identity_key,
            attachment_id: id.to_string(),
            operation: ThreadAttachmentOperation::Deleted,
        };
        cx.after_reply_to_all(ServerNotification::ThreadAttachmentUpdated(note));
    }
    Ok(Response {})
}
