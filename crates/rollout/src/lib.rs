//! Rollouts: the JSONL files that threads are kept in, shared with other programs.
//!
//! Three types to know: [`Line`] is one line as it was read, [`Record`] is one that is written, [`Summary`] is what a
//! list shows of a file. The path of one append: [`Writer::append`] takes the file's kernel lock, completes a torn
//! last line, writes whole lines with one write, tells the [`Disk`], which syncs in the background, and lets go. The
//! path of one read: [`segments`] follows what the first line points to, [`forward`] or [`backward`] hands over one
//! bounded line after the other. [`ThreadLock`] is another matter: it says that a turn runs, to release 0.169 too.
//!
//! Invariant: what cannot be read costs its line and nothing else, and no byte of a file is ever rewritten.
//! Not here: what lines mean together (crate `history`), tokio.

mod append;
mod backward;
mod completed;
mod disk;
mod error;
mod event;
mod flaw;
mod fork;
mod form;
mod forward;
mod head;
mod home;
mod id;
mod line;
mod locate;
mod lock;
mod meta;
mod patch;
mod record;
mod scan;
mod segments;
mod summary;
mod unfinished;
mod writer;

pub use append::lock;
pub use backward::{Backward, backward};
pub use disk::Disk;
pub use error::RolloutError;
pub use event::Event;
pub use flaw::{Flaw, Looked, look_through};
pub use fork::fork;
pub use forward::{Forward, MAX_LINE, RawLine, forward};
pub use home::{Home, RolloutName};
pub use id::ThreadId;
pub use line::{Kind, Line};
pub use locate::{Located, Place, day_folders, find, pieces, walk};
pub use lock::ThreadLock;
pub use meta::{BaseInstructions, GitInfo, SessionMeta};
pub use patch::append_meta;
pub use record::{Compacted, Record, TurnContext, timestamp};
pub use scan::{LaterMeta, later_meta};
pub use segments::{Segment, segments};
pub use summary::{Stamp, Summary, summarize};
pub use unfinished::sweep;
pub use writer::{Appended, Writer};

#[cfg(test)]
mod tests;
