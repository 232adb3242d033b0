//! `configRequirements/read`: what an administrator demands of the config. Nothing does here.

use jsonrpc::RpcError;
use protocol::{ConfigRequirementsReadResponse, NoParams};

use crate::context::Context;

pub(crate) async fn handle(_: Context, _: NoParams) -> Result<ConfigRequirementsReadResponse, RpcError> {
    Ok(ConfigRequirementsReadResponse { requirements: () })
}
