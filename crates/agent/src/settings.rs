//! How a thread asks the model, and what a client may override.

use std::path::PathBuf;

use config::ApprovalPolicy;
use tools::{Mode, SandboxPolicy};

/// The settings that a thread runs with; overrides of a turn change them for the turns behind it too.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The model to ask.
    pub model: String,
    /// The provider that serves it.
    pub provider: String,
    /// The working folder.
    pub cwd: PathBuf,
    /// When to ask the person.
    pub approval: ApprovalPolicy,
    /// What commands may touch.
    pub sandbox: SandboxPolicy,
    /// How hard to think, where the model can.
    pub effort: Option<String>,
    /// How to summarize thoughts.
    pub summary: Option<String>,
    /// Which tier of service to ask for.
    pub service_tier: Option<String>,
    /// How wordy to be.
    pub verbosity: Option<String>,
    /// Replaces the base prompt.
    pub base_instructions: Option<String>,
    /// Told to the model beside the base prompt.
    pub developer_instructions: Option<String>,
    /// How the model is to work.
    pub mode: Mode,
    /// Told instead of what the mode says by itself.
    pub mode_instructions: Option<String>,
}

/// What a `turn/start` changes, for this turn and the ones behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// The model.
    pub model: Option<String>,
    /// The working folder.
    pub cwd: Option<PathBuf>,
    /// When to ask the person.
    pub approval: Option<ApprovalPolicy>,
    /// What commands may touch.
    pub sandbox: Option<SandboxPolicy>,
    /// How hard to think.
    pub effort: Option<String>,
    /// How to summarize thoughts.
    pub summary: Option<String>,
    /// Which tier of service to ask for.
    pub service_tier: Option<String>,
    /// How the model is to work, and what it is told instead of what that says by itself.
    pub mode: Option<(Mode, Option<String>)>,
}

impl Settings {
    /// Takes over what is overridden.
    pub(crate) fn apply(&mut self, overrides: Overrides) {
        let Overrides { model, cwd, approval, sandbox, effort, summary, service_tier, mode } = overrides;
        if let Some(cwd) = cwd {
            self.cwd = self.cwd.join(cwd);
        }
        self.model = model.unwrap_or_else(|| self.model.clone());
        self.approval = approval.unwrap_or(self.approval);
        self.sandbox = sandbox.unwrap_or_else(|| self.sandbox.clone());
        self.effort = effort.or(self.effort.take());
        self.summary = summary.or(self.summary.take());
        self.service_tier = service_tier.or(self.service_tier.take());
        if let Some((mode, instructions)) = mode {
            (self.mode, self.mode_instructions) = (mode, instructions);
        }
    }
}
