//! `turn/*`.

mod chat;
mod context;
mod failure;
mod interrupt;
mod mcp_resources;
mod processes;
mod provider;
mod request;
mod start;
mod steer;
mod tools;
