//! `review/*`.

mod start;
