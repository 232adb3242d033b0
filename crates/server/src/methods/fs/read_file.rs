//! `fs/readFile`: a file, whole, in base64.

use base64::{Engine, prelude::BASE64_STANDARD};
use jsonrpc::RpcError;
use protocol::{FsReadFileParams, FsReadFileResponse};

use super::{failed, not_a_file};
use crate::context::Context;

/// Reads a file, through symlinks.
pub(crate) async fn handle(_: Context, params: FsReadFileParams) -> Result<FsReadFileResponse, RpcError> {
    let path = params.path.as_path();
    if tokio::fs::metadata(path).await.map_err(|error| failed(&error))?.is_dir() {
        return Err(not_a_file(path));
    }
    let bytes = tokio::fs::read(path).await.map_err(|error| failed(&error))?;
    Ok(FsReadFileResponse { data_base64: BASE64_STANDARD.encode(bytes) })
}
