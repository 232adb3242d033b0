//! Attachments and who has them. Whatever is wrong with them is a wrong param.

use jsonrpc::RpcError;
use protocol::{ThreadAttachment, ThreadAttachmentOwner};
use serde_json::{Value, json};
use threads::{Attachment, AttachmentIdentity, AttachmentOwner, AttachmentPosition, ThreadId};

use crate::{error::of_attachment, wire};

/// Builds the wire form of an attachment.
pub(crate) fn attachment(attachment: Attachment) -> ThreadAttachment {
    let Attachment { id, identity, payload, created_at } = attachment;
    let AttachmentIdentity { attachment_type, identity_key } = identity;
    ThreadAttachment { id: id.to_string(), attachment_type, identity_key, payload, created_at }
}

/// Builds the wire form of a thread that has an attachment.
pub(crate) fn attachment_owner(owner: AttachmentOwner) -> ThreadAttachmentOwner {
    let AttachmentOwner { thread, archived } = owner;
    ThreadAttachmentOwner { thread_id: thread.to_string(), archived }
}

/// Reads what there is one of.
pub(crate) fn attachment_identity(
    attachment_type: String,
    identity_key: String,
) -> Result<AttachmentIdentity, RpcError> {
    AttachmentIdentity::checked(attachment_type, identity_key).map_err(|error| of_attachment(&error))
}

/// Reads the id of the thread that an attachment is of.
pub(crate) fn attachment_thread(text: &str) -> Result<ThreadId, RpcError> {
    wire::thread_id(text).map_err(|refusal| RpcError::invalid_params(refusal.message))
}

/// A place among the attachments of a thread as text: the thread, the second and the attachment.
pub(crate) fn attachment_cursor(thread: ThreadId, at: &ThreadAttachment) -> String {
    format!("{thread}|{}|{}", at.created_at, at.id)
}

/// A place among the threads that have an attachment as text: what was asked for, and the thread.
pub(crate) fn owner_cursor(identity: &AttachmentIdentity, archived: Option<bool>, at: &str) -> String {
    let AttachmentIdentity { attachment_type, identity_key } = identity;
    json!([attachment_type, identity_key, archived, at]).to_string()
}

/// Reads a place among the threads that have an attachment; one of a list of something else is none.
pub(crate) fn owner_position(
    cursor: &str,
    identity: &AttachmentIdentity,
    archived: Option<bool>,
) -> Option<ThreadId> {
    let parts: Vec<Value> = serde_json::from_str(cursor).ok()?;
    let thread = parts.last()?.as_str()?;
    (owner_cursor(identity, archived, thread) == cursor).then_some(())?;
    thread.parse().ok()
}

/// Reads a place among the attachments of a thread; one of another thread is none.
pub(crate) fn attachment_position(cursor: &str, thread: ThreadId) -> Option<AttachmentPosition> {
    let (of, at) = cursor.split_once('|')?;
    let (created_at, id) = at.split_once('|')?;
    (of.parse() == Ok(thread)).then_some(())?;
    Some(AttachmentPosition { created_at: created_at.parse().ok()?, id: id.parse().ok()? })
}
