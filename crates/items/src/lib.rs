//! Conversation items as the model API and the rollout know them.
//!
//! A [`ResponseItem`] is kept verbatim: a kind or a field that this release does not know survives a read, a
//! rewrite and the next request to the model unchanged. Typed views are methods, not a second representation.
//!
//! Not here: the items that clients see (crate `protocol`) and how one becomes the other (crate `history`).

mod item;

pub use item::{NotAnObject, ResponseItem, Role, is_injected_context};
