//! Commands that try to get out, under every mechanism that works on this machine; and commands that only work.
//!
//! Each attempt is made without a sandbox first, to show that it is one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod calls;
mod files;
mod ground;
mod launch;
mod network;
mod processes;
mod protected;
mod terminal;
mod work;
