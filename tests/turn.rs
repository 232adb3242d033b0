//! `turn/*`.

mod approvals;
mod chat;
mod context;
mod failure;
mod interrupt;
mod mcp;
mod mcp_resources;
mod processes;
mod provider;
mod questions;
mod request;
mod start;
mod steer;
mod tools;
