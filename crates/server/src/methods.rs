//! One file a method.

pub(crate) mod config_requirements;
pub(crate) mod fs;
pub(crate) mod mcp_server;
pub(crate) mod review;
pub(crate) mod thread;
pub(crate) mod thread_section;
pub(crate) mod turn;
