//! Why a model did not answer, in the kinds that clients are told.

use std::{fmt, time::Duration};

/// A request that failed, or a stream that broke off.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// What went wrong, as far as clients tell cases apart.
    pub kind: ErrorKind,
    /// What went wrong, for people.
    pub message: String,
    /// The provider's own words, where `message` does not repeat them.
    pub details: Option<String>,
    /// Whether to ask again.
    pub retry: Retry,
}

/// The kinds of failure that clients tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The conversation is longer than the model can read.
    ContextWindowExceeded,
    /// The account has used up what it may use.
    UsageLimitExceeded,
    /// The model has no capacity left.
    ServerOverloaded,
    /// The provider failed inside.
    InternalServerError,
    /// The provider wants fewer requests.
    TooManyFailedAttempts {
        /// The HTTP status.
        status: u16,
    },
    /// The provider answered with a status that is no success.
    HttpConnectionFailed {
        /// The HTTP status.
        status: u16,
    },
    /// The stream ended before the response did.
    StreamDisconnected,
    /// Anything else.
    Other,
}

/// Whether a request that failed should be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No: the same request fails again.
    No,
    /// Yes, up to [`stream_retries`](crate::Model::stream_retries) times.
    Stream,
    /// Yes, as often, but no sooner than this: the provider asked for the pause.
    After(Duration),
}

impl ErrorKind {
    /// Returns the HTTP status behind the failure, where one is.
    pub fn http_status(self) -> Option<u16> {
        match self {
            Self::InternalServerError => Some(500),
            Self::TooManyFailedAttempts { status } | Self::HttpConnectionFailed { status } => Some(status),
            Self::ContextWindowExceeded
            | Self::UsageLimitExceeded
            | Self::ServerOverloaded
            | Self::StreamDisconnected
            | Self::Other => None,
        }
    }
}

impl ModelError {
    /// Makes the error of a stream that ended before the response did.
    pub fn cut(cause: impl fmt::Display) -> Self {
        Self {
            retry: Retry::Stream,
            ..Self::last(
                ErrorKind::StreamDisconnected,
                format!("stream disconnected before completion: {cause}"),
            )
        }
    }

    /// Makes an error that asking again does not mend.
    pub(crate) fn last(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: None, retry: Retry::No }
    }

    /// Adds the provider's own words, unless it said nothing.
    pub(crate) fn with_details(mut self, details: &str) -> Self {
        self.details = Some(details.trim()).filter(|details| !details.is_empty()).map(str::to_owned);
        self
    }
}
