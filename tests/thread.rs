//! `thread/*`.

mod list;
mod metadata_update;
mod start;
