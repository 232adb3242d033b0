//! What is stored about threads: rollouts and index joined behind one manager.
//!
//! - [`ThreadManager`] lists, reads, patches, names, archives, forks and deletes threads.
//! - [`StoredThread`] is a thread as the files tell it, with its name and its journaled git metadata merged in.
//! - [`ThreadError`] says what a caller can act on.
//!
//! The path of one call, `update_git_info`: find the rollout (gated handle → direct handle → file name), append
//! the patched `session_meta` record, note the result in the journal, bring the index row along, answer with the
//! refreshed thread.
//!
//! Invariant: the rollout, or for what belongs to no rollout an append-only log, is written before an answer is
//! given; the index is only brought along, and its failure never fails a call.

mod archive;
mod error;
mod files;
mod fork;
mod journal;
mod list;
mod locate;
mod log;
mod manager;
mod metadata;
mod names;
mod read;
mod scan;
mod stored;

pub use error::ThreadError;
pub use fork::ForkCut;
pub use list::{ListPage, ListRequest};
pub use manager::ThreadManager;
pub use metadata::{GitPatch, Patch};
pub use names::checked_name;
pub use rollout::ThreadId;
pub use state::{Direction, Position, Sort, SourceFilter};
pub use stored::StoredThread;
