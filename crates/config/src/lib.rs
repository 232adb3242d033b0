//! The configuration: layers of TOML, joined into one typed view that knows where each value comes from.
//!
//! Three types to know: [`Loader`] keeps what was given on the command line, [`Config`] is what it loads, and
//! [`ConfigError`] says what was wrong, where. The path of one call: [`Loader::load`] reads `config.toml` anew, stacks
//! the layers (strongest first: the overrides of one thread, session flags, the profile, the user's file, built-in
//! defaults), merges them key by key and reads the typed values from the result. What a stronger layer hides is not
//! looked at, so it cannot be wrong.
//!
//! Not here: the environment (a [`ProviderConfig`] or an [`McpServer`] only *names* variables), project layers.

pub mod edit;
mod error;
mod features;
mod json;
mod keys;
mod known;
mod layers;
mod loader;
mod location;
mod mcp;
mod overrides;
mod permissions;
mod provider;
mod section;
mod settings;

pub use error::{ConfigError, Position, TextRange};
pub use layers::Layer;
pub use loader::Loader;
pub use mcp::{McpApproval, McpServer, McpTransport};
pub use overrides::{Override, parse_override};
pub use permissions::{
    ApprovalPolicy, GranularApproval, Inherit, SandboxMode, ShellEnvironment, WorkspaceWrite,
};
pub use provider::{OPENAI, ProviderConfig, SCRIPTED, WireApi};
pub use settings::{Config, ReasoningSummary, Verbosity, WebSearch};
