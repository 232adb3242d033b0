//! A client that trusts nothing, for tests of the real program.
//!
//! Three types to know: [`Home`] is a `CODEX_HOME` with stored threads and a scripted model ([`MockModel`]);
//! [`Daemon`] runs the program on it and speaks the protocol with it, by the method types of the crate `protocol`;
//! [`Answer`] is what the model says when it is asked.
//!
//! The path of one call: [`Daemon::call`] → a line on the program's stdin → its answer on stdout → checked against our
//! schema and the published ones → decoded as the method's response. A test waits for messages, never for time, and
//! what it did not expect fails it when the [`Daemon`] drops: an error or a question that nobody looked at, a message
//! that fits no schema, an answer too many or too few, a panic on stderr, an exit other than 0.
//!
//! Not here: anything that knows what the program should do.

// All of this is test code: where it cannot go on, the test has failed.
#![allow(clippy::unwrap_used)]

mod daemon;
mod home;
mod model;
mod note;
mod params;
pub mod processes;
mod schemas;

pub use daemon::{Asked, Daemon, Launch, RpcError, Sent};
pub use home::{Home, Rollout, Stored, json_lines, set_mtime};
pub use model::{Answer, Gate, MockModel, Request, call, events, say};
pub use note::Note;
pub use params::{Of, Patch, ask, of, patch, with_turns};
