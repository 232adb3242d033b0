//! `thread/attachment/add`: keeps something of a client's with a thread.

use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadAttachmentAddOutcome as Outcome, ThreadAttachmentAddParams as Params,
    ThreadAttachmentAddResponse as Response, ThreadAttachmentOperation, ThreadAttachmentUpdatedNotification,
};
use threads::{Attached, NewAttachment};

use crate::{context::Context, error::of_attachment, wire};

/// Attaches to a stored thread, archived or not, and tells every client; what is there already stays as it was.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, attachment_type, identity_key, payload } = params;
    let identity = wire::attachment_identity(attachment_type, identity_key)?;
    let new = NewAttachment::checked(identity, payload).map_err(|error| of_attachment(&error))?;
    let thread = wire::attachment_thread(&thread_id)?;
    let attached = cx.threads.attach(thread, new).await.map_err(|error| of_attachment(&error))?;
    let (outcome, attachment) = match attached {
        Attached::Created(attachment) => (Outcome::Created, wire::attachment(attachment)),
        Attached::Existing(attachment) => (Outcome::Existing, wire::attachment(attachment)),
    };
    if outcome == Outcome::Created {
        let note = ThreadAttachmentUpdatedNotification {
            thread_id: thread.to_string(),
            attachment_type: attachment.attachment_type.clone(),
            identity_key: attachment.identity_key.clone(),
            attachment_id: attachment.id.clone(),
            operation: ThreadAttachmentOperation::Created,
        };
        cx.after_reply_to_all(ServerNotification::ThreadAttachmentUpdated(note));
    }
    Ok(Response { outcome, attachment })
}
