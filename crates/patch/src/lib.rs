//! The patch language of models: parse it, fit it to the files, write them, and show what changed.
//!
//! Three to know: a [`Patch`] is what the model wrote, a [`Plan`] is what it does to the files that are there, a
//! [`TurnDiff`] is what all patches of a turn did together. The path of one call: [`Patch::parse`] → [`Patch::plan`]
//! against [`on_disk`] → [`Plan::changes`] are shown and [`Plan::touched`] is asked for → [`Plan::apply`] →
//! [`TurnDiff::record`], and [`Patch::summary`] is the answer to the model.
//!
//! Invariant: all or nothing. Whatever does not fit is found before a byte is written, and what fails while writing is
//! taken back. Lines that a patch only names as context stay as they are in the file, to the byte.
//! Not here: who may write where (crate `sandbox`), tasks and threads: everything here may block.

mod apply;
mod disk;
mod error;
mod fit;
mod parse;
mod patch;
mod plan;
#[cfg(test)]
mod testing;
mod turn_diff;
mod unified;

pub use disk::{Content, Found, MAX_FILE, on_disk};
pub use error::PatchError;
pub use patch::Patch;
pub use plan::{Change, ChangeKind, Plan, resolve};
pub use turn_diff::TurnDiff;
pub use unified::unified;

/// The grammar of the language in the notation of Lark, as it is offered with a tool of free form.
///
/// It asks for the tidy form; [`Patch::parse`] takes more.
pub const GRAMMAR: &str = include_str!("grammar.lark");
