//! What the model can call, and how it works for a thread.
//!
//! Three types to know: [`ThreadTools`] is what one loaded thread offers, [`TurnTools`] are the tools of one of its
//! turns, [`Host`] is that turn as a tool sees it: whom to tell, where to store, whom to ask. [`Workshop`] is what all
//! threads of a server share.
//!
//! The path of one call: [`TurnTools::answer`] finds the tool → the tool asks where it must, works, stores the record
//! of its item through the host → the answer for the model comes back as an item.
//!
//! Invariant: every call is answered, and an item that began is completed, also when the turn is interrupted. No
//! process outlives the server (module [`exec`]).
//! Not here: how records become the items that clients see (crate `history`), and the wire.

mod approval;
mod causes;
mod commands;
mod context;
pub mod exec;
mod goal;
mod host;
pub mod image;
mod mcp_call;
mod mcp_link;
mod mcp_programs;
mod policy;
mod record;
mod repository;
mod shells;
mod thread;
mod tool;
mod toolbox;
mod tools;
mod turn;
mod user_shell;
mod whole_file;
mod workshop;

pub use causes::with_causes;
pub use goal::{Goal, GoalEnd, GoalStep, is_about_the_goal};
pub use host::*;
pub use mcp::{
    Call as McpCallOf, CallResult as McpCallResult, Entries as McpEntries, Lease as McpLease, McpError,
    ServerState as McpServerState, Status as McpStatus,
};
pub use mcp_link::ThreadLink;
pub use policy::SandboxPolicy;
pub use repository::repository_root;
pub use sandbox::confine::{ARGUMENT as CONFINE, main as confine};
pub use shell::Rules;
pub use thread::{BackgroundCommand, Offer, ThreadTools, WebSearch};
pub use toolbox::{Answer, TurnTools};
pub use tools::ClientTool;
pub use turn::{Forms, Mode, TurnFacts};
pub use user_shell::{Typed, UserShell};
pub use whole_file::whole_file;
pub use workshop::{SUPERVISE, Setup, Workshop};
