//! The model behind a thread: what it is asked, what it streams back, and the providers that serve it.
//!
//! Three types to know: a [`Request`] holds everything of one question; a [`Model`] turns it into a stream of
//! [`StreamEvent`]s. [`ResponsesModel`] and [`ChatModel`] do so over HTTP, [`ScriptedModel`] without any network.
//!
//! The path of one call: `Model::stream` → the body and headers of the request (`responses/body.rs` or `chat/body.rs`,
//! `http/headers.rs`) → one POST, repeated silently as often as the provider's settings allow → server-sent events, each
//! capped in size and awaited no longer than the idle time-out (`http/sse.rs`) → [`StreamEvent`]s
//! (`responses/event.rs` or `chat/hearing.rs`), the same whichever wire they came over.
//!
//! Invariants: a stream ends with [`StreamEvent::Completed`] or with one [`ModelError`], and nothing follows either.
//! Dropping a stream closes its request at once; no task is left behind.
//!
//! Not here: repeating a stream that broke off (the caller does, since clients are told of it), which provider serves
//! a thread, and where keys come from: a provider's settings arrive as values.

mod catalog;
mod chat;
mod error;
mod event;
mod http;
mod provider;
mod request;
mod responses;
mod scripted;

use futures::stream::BoxStream;

pub use catalog::{Facts, facts};
pub use chat::ChatModel;
pub use error::{ErrorKind, ModelError, Retry};
pub use event::{RateLimitWindow, RateLimits, StreamEvent, TokenUsage};
pub use provider::{Auth, ProviderSettings};
pub use request::{ClientIdentity, Reasoning, Request};
pub use responses::ResponsesModel;
pub use scripted::{Gate, ScriptedModel, Step};

/// What a model streams; ends with [`StreamEvent::Completed`] or with an error.
pub type EventStream = BoxStream<'static, Result<StreamEvent, ModelError>>;

/// Something that answers requests.
pub trait Model: Send + Sync + 'static {
    /// Returns the provider's name, as people read it.
    fn name(&self) -> &str;

    /// Asks the model once; nothing happens until the stream is polled, and dropping it takes the question back.
    fn stream(&self, request: Request) -> EventStream;

    /// Returns how often a stream that broke off may be asked for again.
    fn stream_retries(&self) -> u32;
}
