//! `thread/items/list`: the items of a thread, of all its turns or of one, page by page.

use jsonrpc::RpcError;
use protocol::{ThreadItemsListParams as Params, ThreadItemsListResponse as Response};

use crate::{context::Context, error::of_thread, paging::PAGE_BYTES, wire};

/// Reads a page without loading the thread; the oldest item comes first unless asked otherwise.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let snapshot = cx.agents.find(id).map(|thread| thread.snapshot());
    super::require_turns(snapshot.as_ref(), "thread/items/list")?;
    let stored = super::current(&cx, id).await?;
    cx.threads.item_page(stored.path(), params, PAGE_BYTES).await.map_err(|error| of_thread(&error))
}
