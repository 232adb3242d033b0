//! `fs/*`: files as the server's user may see them.

pub(crate) mod get_metadata;
pub(crate) mod read_file;

use std::{io, path::Path};

use jsonrpc::RpcError;

use crate::error::invalid;

/// Tells what the system said, in its words and with its number.
fn failed(error: &io::Error) -> RpcError {
    match error.kind() {
        io::ErrorKind::InvalidInput => invalid(error.to_string()),
        _ => RpcError::internal(error.to_string()),
    }
}

/// Tells that a path is no file.
fn not_a_file(path: &Path) -> RpcError {
    invalid(format!("path `{}` is not a file", path.display()))
}
