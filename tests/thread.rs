//! `thread/*`.

mod attachments;
mod list;
mod metadata_update;
mod sections;
mod start;
