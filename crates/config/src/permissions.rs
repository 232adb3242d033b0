//! What the agent may do, and when it asks.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::section::{Invalid, Section};

/// When the agent asks before it acts. Rollouts keep it in the same words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalPolicy {
    /// For everything but commands known to be harmless.
    Untrusted,
    /// For what the sandbox has refused.
    OnFailure,
    /// For what the model asks to be allowed.
    #[default]
    OnRequest,
    /// For some kinds of questions; the others are refused unasked.
    Granular(GranularApproval),
    /// For nothing: what would be asked is refused.
    Never,
}

/// Which kinds of questions are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GranularApproval {
    /// To leave the sandbox.
    pub sandbox_approval: bool,
    /// What a rule about commands demands.
    pub rules: bool,
    /// To run the scripts of a skill.
    #[serde(default)]
    pub skill_approval: bool,
    /// To have more permissions from now on.
    #[serde(default)]
    pub request_permissions: bool,
    /// What an MCP server wants to know.
    pub mcp_elicitations: bool,
}

/// What commands may touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// Read everything, write nothing.
    #[default]
    ReadOnly,
    /// Read everything, write the working folder and what [`WorkspaceWrite`] adds.
    WorkspaceWrite,
    /// No sandbox.
    DangerFullAccess,
}

/// The table `sandbox_workspace_write`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceWrite {
    /// Further folders to write; relative ones are below the configuration's folder.
    pub writable_roots: Vec<PathBuf>,
    /// Whether commands may use the network.
    pub network_access: bool,
    /// Keeps the folder that `TMPDIR` names read-only.
    pub exclude_tmpdir_env_var: bool,
    /// Keeps `/tmp` read-only.
    pub exclude_slash_tmp: bool,
}

/// The table `shell_environment_policy`: which variables commands see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellEnvironment {
    /// What to begin with.
    pub inherit: Inherit,
    /// Leaves out variables whose names say that they may hold secrets: `ignore_default_excludes = false`.
    pub hide_secrets: bool,
    /// Patterns of names that are left out.
    pub exclude: Vec<String>,
    /// Variables that are added.
    pub set: BTreeMap<String, String>,
    /// Patterns of names of which one must fit; none means that all do.
    pub include_only: Vec<String>,
}

/// What of the server's own variables commands begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inherit {
    /// Everything.
    #[default]
    All,
    /// What a shell cannot do without.
    Core,
    /// Nothing.
    None,
}

impl ShellEnvironment {
    pub(crate) fn read(section: &mut Section<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            inherit: section.get("inherit")?.unwrap_or_default(),
            hide_secrets: section.get("ignore_default_excludes")? == Some(false),
            exclude: section.get("exclude")?.unwrap_or_default(),
            set: section.map("set")?,
            include_only: section.get("include_only")?.unwrap_or_default(),
        })
    }
}

impl WorkspaceWrite {
    pub(crate) fn read(section: &mut Section<'_>, home: &Path) -> Result<Self, Invalid> {
        let roots = section.get::<Vec<PathBuf>>("writable_roots")?.unwrap_or_default();
        Ok(Self {
            writable_roots: roots.into_iter().map(|root| home.join(root)).collect(),
            network_access: section.get("network_access")?.unwrap_or_default(),
            exclude_tmpdir_env_var: section.get("exclude_tmpdir_env_var")?.unwrap_or_default(),
            exclude_slash_tmp: section.get("exclude_slash_tmp")?.unwrap_or_default(),
        })
    }
}
