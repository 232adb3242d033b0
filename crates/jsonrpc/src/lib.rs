//! JSON-RPC as app-server clients speak it: one JSON object a line, no `jsonrpc` member, requests in both directions.
//!
//! Three types to know: [`Message`] is what came in, [`Frame`] is what goes out, [`Outbox`] is the way out of a
//! connection. The path of one call: [`LineReader`] hands over one bounded line, [`Message::parse`] takes it apart
//! without decoding the params, the server answers with [`Frame::answer`], and [`Outbox::send`] queues that for
//! [`Drain::write_to`], which puts many small messages into one write. Requests of our own to clients take their
//! ids from [`Pending`], which also hands an answer to who waits for it.
//!
//! Invariant: what is no message of this protocol is dropped and harms nothing; the stream goes on behind it.
//! Not here: methods, params and the handshake (crates `protocol` and `server`).

mod error;
mod frame;
mod id;
mod lines;
mod message;
mod outbox;
mod pending;
pub mod stdio;

pub use error::RpcError;
pub use frame::Frame;
pub use id::RequestId;
pub use lines::{Line, LineReader, MAX_LINE};
pub use message::{Message, Outcome};
pub use outbox::{Drain, OUTBOX_BYTES, Outbox, outbox};
pub use pending::{Pending, Reply};
