//! `turn/*`: what a client says to a loaded thread, and how it stops it.

pub(crate) mod interrupt;
pub(crate) mod start;
pub(crate) mod steer;
