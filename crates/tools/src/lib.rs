//! What the model can call, and how it works for a thread.
//!
//! Three types to know: [`ThreadTools`] is what one loaded thread offers, [`TurnTools`] are the tools of one of its
//! turns, [`Host`] is that turn as a tool sees it: whom to tell, where to store, whom to ask.
//!
//! The path of one call: [`TurnTools::answer`] finds the tool → the tool asks where it must, works, stores the record
//! of its item through the host → the answer for the model comes back as an item.
//!
//! Invariant: every call is answered, and an item that began is completed, also when the turn is interrupted.
//! Not here: how records become the items that clients see (crate `history`), and the wire.

mod context;
mod host;
pub mod image;
mod policy;
mod record;
mod thread;
mod tool;
mod toolbox;
mod tools;
mod turn;

pub use host::*;
pub use policy::SandboxPolicy;
pub use thread::{Offer, ThreadTools, WebSearch};
pub use toolbox::{Answer, TurnTools};
pub use tools::ClientTool;
pub use turn::{Forms, Mode, TurnFacts};
