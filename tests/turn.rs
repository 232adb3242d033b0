//! `turn/*`.

mod context;
mod failure;
mod interrupt;
mod start;
mod steer;
