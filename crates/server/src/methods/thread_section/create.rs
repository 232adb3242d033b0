//! `threadSection/create`: a new section.

use jsonrpc::RpcError;
use protocol::{ThreadSectionCreateParams as Params, ThreadSectionCreateResponse as Response};

use crate::{context::Context, error::of_thread, wire};

/// Makes a section behind those that there are.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { name, appearance } = params;
    let section = cx.threads.create_section(&name, appearance.map(wire::appearance)).await;
    Ok(Response { section: wire::section(section.map_err(|error| of_thread(&error))?) })
}
