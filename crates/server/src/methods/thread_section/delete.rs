//! `threadSection/delete`: a section goes, its threads stay.

use jsonrpc::RpcError;
use protocol::{ThreadSectionDeleteParams as Params, ThreadSectionDeleteResponse as Response};

use crate::{context::Context, error::of_thread};

/// Deletes a section. Nothing is told of its threads, as by the published server: whoever deleted it knows.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    cx.threads.delete_section(params.section_id.into()).await.map_err(|error| of_thread(&error))?;
    Ok(Response {})
}
