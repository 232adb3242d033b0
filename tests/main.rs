//! The real program, end to end: one file a method, a scripted model, no sleeps.
//!
//! A test runs the program on a home of its own through `testkit` and waits for messages, never for time.

// All of this is test code: where it cannot go on, the test has failed.
#![allow(clippy::unwrap_used)]
// An expectation reads best as the value itself, and an answer that only has to come is dropped.
#![allow(clippy::cloned_ref_to_slice_refs, clippy::cmp_owned, clippy::drop_non_drop)]

mod cli;
mod doctor;
#[cfg(target_os = "linux")]
mod faults;
mod index;
mod many;
mod mcp_server;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod processes;
mod review;
mod rpc;
mod schema;
mod steps;
mod thread;
mod tidy;
mod turn;
