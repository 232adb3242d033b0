//! Servers that run, good and bad ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod http;
mod questions;
mod resources;
mod sharing;
mod support;
mod tools;
mod trouble;
