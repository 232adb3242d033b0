//! What commands may touch, as clients and rollouts put it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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

    /// Tells whether commands are confined by this server.
    pub fn confines(&self) -> bool {
        matches!(self, Self::ReadOnly { .. } | Self::WorkspaceWrite { .. })
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
