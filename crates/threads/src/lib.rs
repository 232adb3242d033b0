//! What is stored about threads: rollouts and index joined behind one manager.
//!
//! - [`ThreadManager`] lists, reads, patches, names, sorts, archives, forks and deletes threads, and keeps their goals.
//! - [`StoredThread`] is a thread as the files tell it, with what clients set about it merged in.
//! - [`ThreadError`] says what a caller can act on.
//!
//! The path of one call, `update_git_info`: find the rollout (gated handle → direct handle → file name), append
//! the patched `session_meta` record, note the result in the journal, bring the index row along, answer with the
//! refreshed thread.
//!
//! What was said to a turn lies in the thread's [`Inbox`] until the turn is over.
//!
//! Invariant: the rollout, or for what belongs to no rollout an append-only log, is written before an answer is
//! given; the index is only brought along, and its failure never fails a call.

mod archive;
mod attachments;
mod check;
mod error;
mod fork;
mod goals;
mod inbox;
mod journal;
mod list;
mod locate;
mod log;
mod manager;
mod metadata;
mod names;
mod page;
mod read;
mod scan;
mod sections;
mod stored;

pub use attachments::{
    Attached, Attachment, AttachmentId, AttachmentIdentity, AttachmentOwner, AttachmentPosition,
    NewAttachment,
};
pub use check::{Mention, look_through_journal, look_through_names};
pub use error::ThreadError;
pub use fork::ForkCut;
pub use goals::{Goal, GoalPatch, GoalStatus, Spending, Spent};
pub use history::Turns;
pub use inbox::{Inbox, Unheard};
pub use list::ListPage;
pub use manager::ThreadManager;
pub use metadata::{GitPatch, Patch};
pub use names::checked_name;
pub use page::Page;
pub use rollout::ThreadId;
pub use sections::{Appearance, Placed, Section, SectionId, SectionMove};
pub use state::{Direction, ListQuery, Position, Search, Sort, SourceFilter};
pub use stored::StoredThread;
