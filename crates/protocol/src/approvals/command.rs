//! `item/commandExecution/requestApproval`: may this command run?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{AdditionalPermissionProfile, CommandAction};

/// Asks whether a command may run. What it is to do stands in the item, which is told before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct CommandExecutionRequestApprovalParams {
    pub thread_id: String,
    pub turn_id: String,
    pub item_id: String,
    pub started_at_ms: i64,
    /// Tells questions about one item apart, where there are several.
    pub approval_id: Option<String>,
    #[serde(default)]
    pub kind: CommandExecutionApprovalKind,
    /// Where the command is to run, if not on the server's own machine.
    pub environment_id: Option<String>,
    pub reason: Option<String>,
    /// What the command wants to reach, if that is what is asked about.
    pub network_approval_context: Option<NetworkApprovalContext>,
    /// The argv, quoted for a shell.
    pub command: Option<String>,
    pub cwd: Option<String>,
    pub command_actions: Option<Vec<CommandAction>>,
    pub additional_permissions: Option<AdditionalPermissionProfile>,
    /// The words with which the commands begin that need not be asked about after an answer that says so.
    pub proposed_execpolicy_amendment: Option<Vec<String>>,
    pub proposed_network_policy_amendments: Option<Vec<NetworkPolicyAmendment>>,
    /// What the client may offer, in this order; the other decisions are understood all the same.
    pub available_decisions: Option<Vec<CommandExecutionApprovalDecision>>,
}

/// What a command is asked about for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum CommandExecutionApprovalKind {
    /// It is to start.
    #[default]
    Command,
    /// It runs, and is to get input.
    WriteStdin,
    /// A person had it run.
    HumanCommand,
}

/// What a command wants to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct NetworkApprovalContext {
    pub host: String,
    pub protocol: NetworkApprovalProtocol,
}

/// How a command wants to reach a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum NetworkApprovalProtocol {
    Http,
    Https,
    Socks5Tcp,
    Socks5Udp,
}

/// A rule about a host that outlasts the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct NetworkPolicyAmendment {
    pub host: String,
    pub action: NetworkPolicyRuleAction,
}

/// Whether a host may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum NetworkPolicyRuleAction {
    Allow,
    Deny,
}

/// The answer about a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct CommandExecutionRequestApprovalResponse {
    pub decision: CommandExecutionApprovalDecision,
}

/// What is decided about a command. The fields are snake case on the wire, in both releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum CommandExecutionApprovalDecision {
    /// It runs, this once.
    Accept,
    /// It runs, and the same command is not asked about again in this thread.
    AcceptForSession,
    /// It runs, and commands that begin with these words are not asked about again anywhere.
    AcceptWithExecpolicyAmendment { execpolicy_amendment: Vec<String> },
    /// What the rule says, now and later.
    ApplyNetworkPolicyAmendment { network_policy_amendment: NetworkPolicyAmendment },
    /// It does not run; the turn goes on.
    Decline,
    /// It does not run, and the turn ends.
    Cancel,
}
