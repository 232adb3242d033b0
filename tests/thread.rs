//! `thread/*`.

mod archive;
mod attachments;
mod compact_start;
mod delete;
mod fork;
#[cfg(target_os = "linux")]
mod giant;
mod goal_clear;
mod goal_set;
mod goal_turns;
mod goals;
mod inject_items;
mod items_list;
mod list;
mod loaded_list;
mod metadata_update;
mod name_set;
mod read;
mod resume;
mod revert;
mod rollback;
mod sections;
mod start;
mod turns_list;
mod unarchive;
mod unsubscribe;
