//! Thread ids: a UUID, or an error that says what is wrong with it. Ids of requests, as notifications tell them.

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

/// Tells the id of a request.
pub(crate) fn request_id(id: &jsonrpc::RequestId) -> protocol::RequestId {
    match id {
        jsonrpc::RequestId::Integer(id) => protocol::RequestId::Integer(*id),
        jsonrpc::RequestId::String(id) => protocol::RequestId::String(id.clone()),
    }
}
