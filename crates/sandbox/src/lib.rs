//! What a command may touch, and the launch that makes the kernel hold it to that.
//!
//! Three to know: a [`Policy`] says what is allowed (for a workspace, [`Workspace::files`] works it out), a
//! [`Sandbox`] knows by trial which [`Mechanism`] works on this machine, and [`confine::main`] is what our own program
//! becomes when it is started again as the helper.
//!
//! The path of one command: [`Sandbox::hold`] puts something in the place of protected names that do not exist, for as
//! long as the command runs → [`Sandbox::plan`] turns argv into `helper __confine <order> -- argv` → the helper closes
//! what it inherited, lets bubblewrap or its own namespaces make everything read-only that the policy does not open,
//! gives up privileges, applies Landlock and the seccomp filter → it becomes the command.
//!
//! Invariants: under a restrictive policy a command is confined or not run at all; a step that fails ends the launch.
//! Where a mechanism cannot express a policy exactly, it allows less, not more; what is missing then stands at
//! [`Mechanism`]. What the sandbox holds is inherited by every child and cannot be taken off again.
//!
//! Not here: who asks for approval, the environment of the command, time limits, and whose duty it is to end it.
#![cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, unused_imports, reason = "elsewhere there is a policy, but nothing that could hold it")
)]

pub mod confine;
mod error;
mod mechanism;
mod order;
mod placeholder;
mod policy;
mod sandbox;

pub use error::SandboxError;
pub use mechanism::Mechanism;
pub use placeholder::{Placeholders, is_placeholder};
pub use policy::{Files, Network, Policy, Workspace};
pub use sandbox::Sandbox;
