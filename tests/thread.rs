//! `thread/*`.

mod metadata_update;
mod start;
