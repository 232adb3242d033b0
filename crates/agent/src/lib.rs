//! Loaded threads: one actor each, which runs turns against a model and tells an observer what happens.
//!
//! - [`Agents`] holds the loaded threads; [`Thread`] is the handle of one.
//! - [`Event`] is what an [`Observer`] is told; [`Snapshot`] is a thread as it is now.
//!
//! The path of a turn: `Thread::start_turn` → actor → a task that puts the words into the thread's inbox, upon which
//! the client is answered → it asks the [`model::Model`] → each item that is complete is appended to the rollout → the
//! very record is told as [`Event::Stored`].
//!
//! Invariant: the rollout first, the observer second. Only deltas are told that are never stored.
//! Not here: JSON-RPC, wire types, and how a record becomes the item that clients see.

mod actor;
mod announce;
mod client_ids;
mod compact;
mod error;
mod event;
mod failure;
mod git;
mod goal;
mod host;
mod input;
mod link;
mod plan;
mod records;
mod registry;
mod response;
mod review;
mod session;
mod settings;
mod shared;
mod steering;
mod store;
mod thread;
mod turn;
mod words;

pub use actor::{Rollback, Started};
pub use announce::ProjectDocs;
pub use compact::COMPACT_PROMPT;
pub use error::{AgentError, Closed};
pub use event::{
    Delta, Event, Observer, Opened, OpenedKind, Outcome, Status, Stored, TurnEnded, TurnStarted, Usage,
    Waiting, Why,
};
pub use input::{Input, text_chars};
pub use registry::{Agents, Keep, Load, Parts};
pub use review::ReviewTarget;
pub use settings::{Overrides, Settings};
pub use shared::Snapshot;
pub use thread::{Answered, Thread, TurnRequest};
pub use tools::Typed;
