//! `threadSection/list`: the sections, page by page.

use jsonrpc::RpcError;
use protocol::{ThreadSectionListParams as Params, ThreadSectionListResponse as Response};

use crate::{context::Context, error::of_thread, paging, wire};

/// Lists the built-in section, then the others as they were made.
///
/// A cursor is the id of a section, there or not: what is behind it follows.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let page = cx.threads.sections(params.cursor.map(Into::into), paging::limit(params.limit)).await;
    let page = page.map_err(|error| of_thread(&error))?.map(wire::section);
    let (data, next_cursor) = paging::cut(page, |last| last.id.clone());
    Ok(Response { data, next_cursor })
}
