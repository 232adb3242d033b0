//! The SQLite index of a home: what lists and lookups need to know of each rollout, derived from the rollouts alone.
//!
//! Three types to know: [`Index`] looks after the database of one home, [`StateRuntime`] is that database while it is
//! open, [`ListQuery`] is a question to it. The path of one list: [`Index::gated`] takes in what the kernel tells of
//! changed files, brings their rows along, and gives out the runtime if that is healthy and filled;
//! [`StateRuntime::list`] walks an index. Where it gives out nothing, [`ListQuery::admits`] and its siblings let a scan
//! of the files answer the same.
//!
//! Invariants: every row can be derived again, so that a database in any bad state is set aside and built anew; no
//! request waits for the index, and none fails because of it; any number of servers share one database.
//! Not here: names and journaled metadata, which no rollout holds (crate `threads`).

mod backfill;
mod digest;
mod error;
mod fresh;
mod index;
mod inspect;
mod keep;
mod list;
mod open;
mod query;
mod rebuild;
mod reconcile;
mod row;
mod runtime;
mod source;
#[cfg(test)]
mod testing;
mod trust;
mod watch;
mod write;

pub use error::{StateError, chain};
pub use index::{Index, Progress};
pub use inspect::{IndexCopy, IndexedFile, IndexedFolder, holder};
pub use query::{Direction, ListQuery, Position, Search, Sort};
pub use rebuild::rebuild;
pub use row::ThreadRow;
pub use runtime::StateRuntime;
pub use source::SourceFilter;
