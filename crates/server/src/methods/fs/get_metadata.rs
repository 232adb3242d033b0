//! `fs/getMetadata`: what a path is, and since when.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonrpc::RpcError;
use protocol::{FsGetMetadataParams, FsGetMetadataResponse};

use super::failed;
use crate::context::Context;

/// Looks at what a path leads to; only `isSymlink` is about the path itself.
pub(crate) async fn handle(
    _: Context,
    params: FsGetMetadataParams,
) -> Result<FsGetMetadataResponse, RpcError> {
    let path = params.path.as_path();
    let target = tokio::fs::metadata(path).await.map_err(|error| failed(&error))?;
    let itself = tokio::fs::symlink_metadata(path).await.map_err(|error| failed(&error))?;
    Ok(FsGetMetadataResponse {
        is_directory: target.is_dir(),
        is_file: target.is_file(),
        is_symlink: itself.is_symlink(),
        created_at_ms: target.created().map_or(0, unix_ms),
        modified_at_ms: target.modified().map_or(0, unix_ms),
    })
}

fn unix_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
