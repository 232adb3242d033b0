//! From the lines of a rollout to what clients see, and to what the model knows.
//!
//! Three to know: [`Projector`] turns lines into turns and items, [`turn_page`] reads a page of them from a thread of
//! any length, [`context()`] reads what the next request to the model is made of. The path of one record: the agent
//! appends it, [`items_of`] gives the items that it completes, the server sends them; a later read feeds the same
//! line to a [`Projector`] and gets the same items.
//!
//! Invariant: live and replay share one projection, and a page shows what a whole read shows. A line that cannot be
//! read costs that line.
//! Not here: text deltas, which are never stored; writing (crate `rollout`); who is told (crate `server`).

mod context;
mod cursor;
mod cut;
mod error;
mod item;
mod mark;
mod newest;
mod numbers;
mod outline;
mod page;
mod pairs;
mod project;
mod shelf;
mod size;
mod slim;
mod source;
mod stored;
#[cfg(test)]
mod testing;
mod turns;

pub use context::{Context, MAX_CONTEXT, context};
pub use cut::{Cut, fork_cut, turns_from};
pub use error::HistoryError;
pub use item::{review::text as review_text, tool::action as command_action};
pub use page::{DEFAULT_PAGE, ItemPageRequest, MAX_PAGE, PageRequest, Turns, item_page, turn_page, turns};
pub use project::{Projector, error_of, items_of};
pub use size::MAX_TEXT;
