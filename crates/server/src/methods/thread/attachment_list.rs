//! `thread/attachment/list`: what is attached to a thread, page by page.

use jsonrpc::RpcError;
use protocol::{ThreadAttachmentListParams as Params, ThreadAttachmentListResponse as Response};

use crate::{context::Context, error::of_attachment, paging, wire};

/// Lists what a thread has, oldest first; a thread that is nowhere has nothing.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, cursor, limit } = params;
    let thread = wire::attachment_thread(&thread_id)?;
    let after =
        cursor.map(|cursor| wire::attachment_position(&cursor, thread).ok_or_else(paging::bad_cursor));
    let page = cx.threads.attachments(thread, after.transpose()?, paging::limit(limit)).await;
    let page = page.map_err(|error| of_attachment(&error))?.map(wire::attachment);
    let (data, next_cursor) = paging::cut(page, |last| wire::attachment_cursor(thread, last));
    Ok(Response { data, next_cursor })
}
