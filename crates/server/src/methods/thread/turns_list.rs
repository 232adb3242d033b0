//! `thread/turns/list`: the turns of a thread, loaded or stored, page by page.

use jsonrpc::RpcError;
use protocol::{ThreadTurnsListParams as Params, ThreadTurnsListResponse as Response};

use crate::{context::Context, error::of_thread, paging::PAGE_BYTES, wire};

/// Reads a page without loading the thread; the newest turn comes first unless asked otherwise.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let id = wire::thread_id(&params.thread_id)?;
    let snapshot = cx.agents.find(id).map(|thread| thread.snapshot());
    super::require_turns(snapshot.as_ref(), "thread/turns/list")?;
    let stored = super::current(&cx, id).await?;
    let running = snapshot.and_then(|snapshot| snapshot.running);
    let page = cx.threads.turn_page(stored.path(), params, PAGE_BYTES, running).await;
    Ok(Response { page: page.map_err(|error| of_thread(&error))? })
}
