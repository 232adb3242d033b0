//! `thread/inject_items`: tells the model of a loaded thread something that the thread does not show.

use items::ResponseItem;
use jsonrpc::RpcError;
use protocol::{ThreadInjectItemsParams as Params, ThreadInjectItemsResponse as Response};

use crate::{
    context::Context,
    error::{invalid, of_agent},
    wire,
};

/// Takes items of any kind, verbatim; no turn is run, and nothing is told.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    if params.items.is_empty() {
        return Err(invalid("items must not be empty"));
    }
    let items = params.items.into_iter().enumerate().map(|(at, value)| {
        ResponseItem::try_from(value)
            .map_err(|cause| invalid(format!("items[{at}] is not a valid response item: {cause}")))
    });
    thread.inject(items.collect::<Result<_, _>>()?).await.map_err(|error| of_agent(&error))?;
    Ok(Response {})
}
