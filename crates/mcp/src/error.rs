//! Why a request to an MCP server has no answer.

use std::{sync::Arc, time::Duration};

use rmcp::{model::ErrorData, service::ServiceError};
use serde_json::Value;

use crate::failure;

/// A request without an answer.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// The lease has no such server.
    #[error("unknown MCP server '{0}'")]
    UnknownServer(String),
    /// The server did not start, or died and cannot be started again.
    #[error("MCP server `{server}` is not running: {error}")]
    NotRunning {
        /// The server's name.
        server: String,
        /// Why it does not run.
        error: Arc<str>,
    },
    /// The configuration does not allow the tool.
    #[error("tool `{tool}` of MCP server `{server}` is disabled")]
    Disabled {
        /// The server's name.
        server: String,
        /// The tool's own name.
        tool: String,
    },
    /// The server answered with an error; the text is its own.
    #[error("{message}")]
    Refused {
        /// Its JSON-RPC code.
        code: i32,
        /// Its words.
        message: String,
        /// What it sent along.
        data: Option<Value>,
    },
    /// The answer did not come in time.
    #[error("MCP server `{server}` did not answer within {} s", after.as_secs_f64())]
    TimedOut {
        /// The server's name.
        server: String,
        /// How long it had, without the time in which it waited for answers itself.
        after: Duration,
    },
    /// The caller does not want the answer any more.
    #[error("the request was cancelled")]
    Cancelled,
    /// The answer is longer than this crate takes in.
    #[error("MCP server `{server}` sent more than {limit} bytes")]
    TooLong {
        /// The server's name.
        server: String,
        /// What it may send.
        limit: usize,
    },
    /// The server went away before it answered.
    #[error("MCP server `{server}` closed the connection")]
    Closed {
        /// The server's name.
        server: String,
    },
    /// The request did not get through.
    #[error("MCP server `{server}` cannot be reached: {cause}")]
    Unreachable {
        /// The server's name.
        server: String,
        /// Why.
        cause: String,
    },
    /// A page was asked for, but not whose.
    #[error("a cursor needs the server that it is from")]
    CursorWithoutServer,
}

impl McpError {
    /// Says whose error of the protocol crate it was.
    pub(crate) fn of_service(server: &str, error: ServiceError) -> Self {
        let server = server.to_owned();
        match error {
            ServiceError::McpError(ErrorData { code, message, data }) => {
                Self::Refused { code: code.0, message: message.into_owned(), data }
            }
            ServiceError::TransportSend(error) => {
                Self::Unreachable { server, cause: failure::of_transport(error) }
            }
            // No other is made for requests without options.
            _ => Self::Closed { server },
        }
    }
}
