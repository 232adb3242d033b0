//! What a tool needs to know of the turn that it works in.

use std::path::PathBuf;

use config::ApprovalPolicy;

use crate::policy::SandboxPolicy;

/// One turn, as it was when it began.
#[derive(Clone, Debug)]
pub struct TurnFacts {
    /// The turn.
    pub id: String,
    /// The working folder.
    pub cwd: PathBuf,
    /// When to ask the person.
    pub approval: ApprovalPolicy,
    /// What commands may touch.
    pub sandbox: SandboxPolicy,
    /// How the model is to work.
    pub mode: Mode,
    /// In which form the model takes tools.
    pub forms: Forms,
    /// Whether the thread works on a goal where it has one.
    pub goals: bool,
}

/// How the model is to work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As it sees fit.
    #[default]
    Default,
    /// Towards a plan, without changing anything.
    Plan,
}

/// In which form the model takes tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forms {
    /// Functions only.
    #[default]
    Functions,
    /// Functions, and tools whose input is a text of a grammar.
    Custom,
}
