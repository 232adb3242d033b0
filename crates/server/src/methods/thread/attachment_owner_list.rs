//! `thread/attachmentOwner/list`: which threads have something attached, page by page.

use jsonrpc::RpcError;
use protocol::{ThreadAttachmentOwnerListParams as Params, ThreadAttachmentOwnerListResponse as Response};

use crate::{context::Context, error::of_attachment, paging, wire};

/// Lists the threads in the order of their ids.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { attachment_type, identity_key, archived, cursor, limit } = params;
    let identity = wire::attachment_identity(attachment_type, identity_key)?;
    let after = cursor
        .map(|cursor| wire::owner_position(&cursor, &identity, archived).ok_or_else(paging::bad_cursor));
    let after = after.transpose()?;
    let page = cx.threads.attachment_owners(identity.clone(), archived, after, paging::limit(limit)).await;
    let page = page.map_err(|error| of_attachment(&error))?.map(wire::attachment_owner);
    let (data, next_cursor) =
        paging::cut(page, |last| wire::owner_cursor(&identity, archived, &last.thread_id));
    Ok(Response { data, next_cursor })
}
