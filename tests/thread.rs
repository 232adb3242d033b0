//! `thread/*`.

mod start;
