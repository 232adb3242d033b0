//! `turn/*`.

mod chat;
mod context;
mod failure;
mod interrupt;
mod processes;
mod provider;
mod request;
mod start;
mod steer;
mod tools;
