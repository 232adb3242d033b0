//! Makes the operating system fail under a server: a library that a test preloads (`LD_PRELOAD`) into the real program.
//!
//! It stands in for libc's functions that write, sync, rename, open and lock, so it reaches SQLite, the standard library
//! and every other library, and the program's code knows nothing of it. What is not about a path strictly beneath one
//! folder, or happens in a child of the process that it was loaded into, goes through untouched.
//!
//! The path of one operation: a function of `hooks` finds out what it is about and asks [`plan`] for a verdict; that
//! counts it and tells whether it is to be done, done by half, to fail, or to be the last thing that the process does.
//! What is done and bears on names or on what is on the disk is noted in [`shadow`].
//!
//! The variables, all read and taken out of the environment when the library is loaded, `LD_PRELOAD` with them:
//!
//! | variable | what it says |
//! | --- | --- |
//! | `SKEIN_FAULTS_HOME` | the folder, absolute and without links; nothing is done without it |
//! | `SKEIN_FAULTS_SEEN` | a file of two 64-bit numbers: how many operations counted, how many failed |
//! | `SKEIN_FAULTS_KINDS` | which operations count: `write`, `sync`, `name`, `open`, `lock`, `index`, `any`, by commas |
//! | `SKEIN_FAULTS_AT` | which of those it hits, from 1; none without it |
//! | `SKEIN_FAULTS_ACT` | `once:ERRNO`, `always:ERRNO`, `short:ERRNO`, `full:ERRNO`, `kill` or `torn` |
//! | `SKEIN_FAULTS_SHADOW` | the folder that is told what a power cut would leave |
//!
//! `index` is every operation on the database, and the other kinds are those on anything else. `short` and `full` let
//! half of a write through before the next two operations fail, or all that follow; `torn` does so before a kill.

#[cfg(target_os = "linux")]
pub mod hooks;
#[cfg(target_os = "linux")]
mod plan;
#[cfg(target_os = "linux")]
mod shadow;
