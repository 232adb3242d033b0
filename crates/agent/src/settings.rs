//! How a thread asks the model, and what a client may override.

use std::path::PathBuf;

use config::ApprovalPolicy;
use serde::{Deserialize, Serialize};

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
}

/// What commands may touch, as rollouts keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum SandboxPolicy {
    /// Read everything, write nothing.
    ReadOnly {
        /// Whether the network may be used.
        #[serde(default, skip_serializing_if = "is_false")]
        network_access: bool,
    },
    /// Read everything, write the working folder and the roots.
    WorkspaceWrite {
        /// Further folders to write.
        #[serde(default)]
        writable_roots: Vec<PathBuf>,
        /// Whether the network may be used.
        #[serde(default)]
        network_access: bool,
        /// Keeps the folder that `TMPDIR` names read-only.
        #[serde(default)]
        exclude_tmpdir_env_var: bool,
        /// Keeps `/tmp` read-only.
        #[serde(default)]
        exclude_slash_tmp: bool,
    },
    /// No sandbox.
    DangerFullAccess,
    /// The client has put the server into a sandbox of its own.
    ExternalSandbox {
        /// Whether the network may be used.
        #[serde(default)]
        network_access: bool,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

impl SandboxPolicy {
    /// Returns the word by which config and model know the policy.
    pub fn mode(&self) -> &'static str {
        match self {
            Self::ReadOnly { .. } => "read-only",
            Self::WorkspaceWrite { .. } => "workspace-write",
            Self::DangerFullAccess => "danger-full-access",
            Self::ExternalSandbox { .. } => "external-sandbox",
        }
    }

    /// Tells whether commands may use the network.
    pub fn network(&self) -> bool {
        match self {
            Self::ReadOnly { network_access }
            | Self::WorkspaceWrite { network_access, .. }
            | Self::ExternalSandbox { network_access } => *network_access,
            Self::DangerFullAccess => true,
        }
    }
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
}

impl Settings {
    /// Takes over what is overridden.
    pub(crate) fn apply(&mut self, overrides: Overrides) {
        let Overrides { model, cwd, approval, sandbox, effort, summary, service_tier } = overrides;
        if let Some(cwd) = cwd {
            self.cwd = self.cwd.join(cwd);
        }
        self.model = model.unwrap_or_else(|| self.model.clone());
        self.approval = approval.unwrap_or(self.approval);
        self.sandbox = sandbox.unwrap_or_else(|| self.sandbox.clone());
        self.effort = effort.or(self.effort.take());
        self.summary = summary.or(self.summary.take());
        self.service_tier = service_tier.or(self.service_tier.take());
    }
}
