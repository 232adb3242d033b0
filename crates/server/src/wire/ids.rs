//! Thread ids: a UUID, or an error that says what is wrong with it.

use jsonrpc::RpcError;
use threads::ThreadId;

use crate::error::invalid;

/// Reads a thread id.
pub(crate) fn thread_id(text: &str) -> Result<ThreadId, RpcError> {
    text.parse().map_err(|cause| invalid(format!("invalid thread id: {cause}")))
}

/// Reads a thread id where the published server calls it the id of a session.
pub(crate) fn session_id(text: &str) -> Result<ThreadId, RpcError> {
    text.parse().map_err(|cause| invalid(format!("invalid session id: {cause}")))
}

/// Reads a thread id that may be left out.
pub(crate) fn optional_thread_id(text: Option<&str>) -> Result<Option<ThreadId>, RpcError> {
    text.map(thread_id).transpose()
}
