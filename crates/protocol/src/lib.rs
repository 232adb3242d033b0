//! The wire types of the app-server protocol.
//!
//! Three to know: [`ThreadItem`] is what a thread shows, [`Turn`] a run of them, [`UserInput`] what a person puts in.

// The published schema says what each wire field means, and the fields' names say the rest; only those that surprise
// have a line here. Types are documented without exception.
#[allow(missing_docs)]
mod item;
#[allow(missing_docs)]
mod model;
#[allow(missing_docs)]
mod turn;

pub use item::*;
pub use model::*;
pub use turn::*;
