//! `threadSection/update`: another name for a section, and another look.

use jsonrpc::RpcError;
use protocol::{ThreadSectionUpdateParams as Params, ThreadSectionUpdateResponse as Response};

use crate::{context::Context, error::of_thread, wire};

/// Renames a section, and patches how it looks.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { section_id, name, appearance } = params;
    let patch = wire::appearance_patch(appearance);
    let section = cx.threads.update_section(section_id.into(), &name, patch).await;
    Ok(Response { section: wire::section(section.map_err(|error| of_thread(&error))?) })
}
