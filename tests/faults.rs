//! Nothing that was acknowledged is lost, whatever fails: a session is run again and again under faults of the operating
//! system, a different one each time, and what it left is looked at by a server that has none.
//!
//! Short by default, over a sample of the operations; `SKEIN_LONG_TESTS=1` takes each one in turn, and
//! `SKEIN_FAULT_AT=17` the one alone. The counts are printed.

#![allow(clippy::print_stdout, reason = "the counts are what a long run is for")]

mod check;
mod failing;
mod killing;
mod plan;
mod power;
mod session;
mod told;
