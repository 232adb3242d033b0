//! What a thread runs with: words of config and rollouts on one side, wire enums on the other.

use agent::Settings;
use config::{ApprovalPolicy, Config, GranularApproval as Granular, SandboxMode as Mode};
use protocol::{
    ApprovalsReviewer, AskForApproval, GranularApproval, NetworkAccess, ReadOnlyAccess, ReasoningEffort,
    ReasoningSummary, SandboxMode, SandboxPolicy as WireSandbox, ServiceTier, ThreadSettings,
};
use tools::SandboxPolicy;

/// Builds the part of an answer that says what is in force.
pub(crate) fn settings(settings: &Settings) -> ThreadSettings {
    ThreadSettings {
        model: settings.model.clone(),
        model_provider: settings.provider.clone(),
        service_tier: settings.service_tier.as_deref().map(tier),
        cwd: settings.cwd.to_string_lossy().into_owned(),
        instruction_sources: Vec::new(),
        approval_policy: approval(&settings.approval),
        approvals_reviewer: ApprovalsReviewer::User,
        sandbox: sandbox(&settings.sandbox),
        reasoning_effort: settings.effort.as_deref().map(effort),
    }
}

/// Reads an effort; a word that we do not know passes through.
pub(crate) fn effort(word: &str) -> ReasoningEffort {
    serde_json::from_value(word.into()).unwrap_or_else(|_| ReasoningEffort::Other(word.to_owned()))
}

/// Returns the word of an effort.
pub(crate) fn effort_from_wire(effort: &ReasoningEffort) -> String {
    word(effort)
}

/// Returns the word of a way to sum up.
pub(crate) fn summary_word(summary: ReasoningSummary) -> String {
    word(&summary)
}

/// Returns the word of a tier of service.
pub(crate) fn service_tier_from_wire(tier: &ServiceTier) -> String {
    word(tier)
}

fn tier(word: &str) -> ServiceTier {
    serde_json::from_value(word.into()).unwrap_or_else(|_| ServiceTier::Other(word.to_owned()))
}

fn approval(policy: &ApprovalPolicy) -> AskForApproval {
    match policy {
        ApprovalPolicy::Untrusted => AskForApproval::UnlessTrusted,
        ApprovalPolicy::OnFailure => AskForApproval::OnFailure,
        ApprovalPolicy::OnRequest => AskForApproval::OnRequest,
        ApprovalPolicy::Never => AskForApproval::Never,
        ApprovalPolicy::Granular(Granular {
            sandbox_approval,
            rules,
            mcp_elicitations,
            request_permissions,
            skill_approval,
        }) => AskForApproval::Granular(GranularApproval {
            sandbox_approval: *sandbox_approval,
            rules: *rules,
            mcp_elicitations: *mcp_elicitations,
            request_permissions: *request_permissions,
            skill_approval: *skill_approval,
        }),
    }
}

/// Reads when to ask.
pub(crate) fn approval_from_wire(policy: AskForApproval) -> ApprovalPolicy {
    match policy {
        AskForApproval::UnlessTrusted => ApprovalPolicy::Untrusted,
        AskForApproval::OnFailure => ApprovalPolicy::OnFailure,
        AskForApproval::OnRequest => ApprovalPolicy::OnRequest,
        AskForApproval::Never => ApprovalPolicy::Never,
        AskForApproval::Granular(GranularApproval {
            sandbox_approval,
            rules,
            mcp_elicitations,
            request_permissions,
            skill_approval,
        }) => ApprovalPolicy::Granular(Granular {
            sandbox_approval,
            rules,
            mcp_elicitations,
            request_permissions,
            skill_approval,
        }),
    }
}

fn sandbox(policy: &SandboxPolicy) -> WireSandbox {
    match policy {
        SandboxPolicy::ReadOnly { network_access } => {
            WireSandbox::ReadOnly { access: ReadOnlyAccess::FullAccess, network_access: *network_access }
        }
        SandboxPolicy::WorkspaceWrite {
            writable_roots,
            network_access,
            exclude_tmpdir_env_var,
            exclude_slash_tmp,
        } => WireSandbox::WorkspaceWrite {
            writable_roots: writable_roots
                .iter()
                .filter_map(|root| protocol::AbsolutePathBuf::new(root))
                .collect(),
            read_only_access: ReadOnlyAccess::FullAccess,
            network_access: *network_access,
            exclude_tmpdir_env_var: *exclude_tmpdir_env_var,
            exclude_slash_tmp: *exclude_slash_tmp,
        },
        SandboxPolicy::DangerFullAccess => WireSandbox::DangerFullAccess,
        SandboxPolicy::ExternalSandbox { network_access } => WireSandbox::ExternalSandbox {
            network_access: if *network_access { NetworkAccess::Enabled } else { NetworkAccess::Restricted },
        },
    }
}

/// Reads what commands may touch.
pub(crate) fn sandbox_from_wire(policy: WireSandbox) -> SandboxPolicy {
    match policy {
        WireSandbox::DangerFullAccess => SandboxPolicy::DangerFullAccess,
        WireSandbox::ReadOnly { network_access, .. } => SandboxPolicy::ReadOnly { network_access },
        WireSandbox::ExternalSandbox { network_access } => {
            SandboxPolicy::ExternalSandbox { network_access: network_access == NetworkAccess::Enabled }
        }
        WireSandbox::WorkspaceWrite {
            writable_roots,
            network_access,
            exclude_tmpdir_env_var,
            exclude_slash_tmp,
            ..
        } => SandboxPolicy::WorkspaceWrite {
            writable_roots: writable_roots
                .into_iter()
                .map(protocol::AbsolutePathBuf::into_path_buf)
                .collect(),
            network_access,
            exclude_tmpdir_env_var,
            exclude_slash_tmp,
        },
    }
}

/// Works out what commands may touch: the client's word, else the config's, with the config's details.
pub(crate) fn sandbox_policy(mode: Option<SandboxMode>, config: &Config) -> SandboxPolicy {
    let mode = match mode {
        Some(SandboxMode::ReadOnly) => Mode::ReadOnly,
        Some(SandboxMode::WorkspaceWrite) => Mode::WorkspaceWrite,
        Some(SandboxMode::DangerFullAccess) => Mode::DangerFullAccess,
        None => config.sandbox_mode,
    };
    match mode {
        Mode::ReadOnly => SandboxPolicy::ReadOnly { network_access: false },
        Mode::DangerFullAccess => SandboxPolicy::DangerFullAccess,
        Mode::WorkspaceWrite => {
            let details = &config.workspace_write;
            SandboxPolicy::WorkspaceWrite {
                writable_roots: details.writable_roots.clone(),
                network_access: details.network_access,
                exclude_tmpdir_env_var: details.exclude_tmpdir_env_var,
                exclude_slash_tmp: details.exclude_slash_tmp,
            }
        }
    }
}

/// Returns the one word that an enum of the protocol is on the wire.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
