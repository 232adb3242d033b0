//! `thread/loaded/list`: the threads in memory.

use jsonrpc::RpcError;
use protocol::{ThreadLoadedListParams as Params, ThreadLoadedListResponse as Response};

use crate::{context::Context, error::invalid};

/// Lists ids in ascending order; the cursor is the last id of a page.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let after = match &params.cursor {
        Some(cursor) => Some(cursor.parse().map_err(|_| invalid(format!("invalid cursor: {cursor}")))?),
        None => None,
    };
    let mut data: Vec<_> =
        cx.agents.ids().into_iter().filter(|id| after.is_none_or(|after| *id > after)).collect();
    let limit = params.limit.map_or(data.len(), |limit| limit.max(1) as usize);
    let more = data.len() > limit;
    data.truncate(limit);
    let data: Vec<_> = data.iter().map(ToString::to_string).collect();
    let next_cursor = data.last().filter(|_| more).cloned();
    Ok(Response { data, next_cursor })
}
