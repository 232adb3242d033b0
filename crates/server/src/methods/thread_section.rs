//! `threadSection/*`: the sections that threads can be sorted into.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod update;
