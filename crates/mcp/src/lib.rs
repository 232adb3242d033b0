//! MCP servers as a set of tools.
//!
//! Three types to know: [`Servers`] holds all servers that run, a [`Lease`] is what one thread has of them, and an
//! [`Observer`] is told how they are and answers what they ask.
//!
//! The path of one call: [`Servers::acquire`] starts what does not run yet and returns at once → [`Lease::tools`] names
//! the tools that are known → [`Lease::call`] waits for a server that is still starting, starts one again that died,
//! asks it and returns the answer, cut to a size that can be kept.
//!
//! Invariants: one process for each distinct entry, however many leases have it. A server ends with its last lease, and
//! all that it started ends with it, since who starts programs for us owns them ([`Starter`]). Every request ends: with an answer, with the time-out of its entry, or cancelled,
//! and then the server is told. Nothing a server sends is kept beyond a bound.
//!
//! Not here: who may call what (approvals), logins, and what a tool looks like to a model beside its name.

mod calls;
mod error;
mod failure;
mod handler;
mod http;
mod launch;
mod lease;
mod observer;
mod pages;
mod program;
mod progress;
mod report;
mod request;
mod resources;
mod result;
mod server;
mod servers;
mod stderr;
mod stdio;
mod tools;

pub use error::McpError;
pub use lease::{Call, Lease, ServerState};
pub use observer::{Answer, Observer, Question, Status};
pub use program::{Owned, Program, Started, Starter};
pub use result::CallResult;
pub use servers::{Entries, Servers};
pub use tools::{Hints, Tool, Tools};

/// The longest message that is taken from a server. Pictures come in one; whole videos do not have to.
pub(crate) const MAX_MESSAGE: usize = 16 << 20;
