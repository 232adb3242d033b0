//! Whether a command runs, is asked about, or is refused: what the policies, the rules and the person said so far.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use config::ApprovalPolicy;
use shell::Verdict;

use crate::policy::SandboxPolicy;

/// What is known of a command before it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) approval: &'a ApprovalPolicy,
    pub(crate) sandbox: &'a SandboxPolicy,
    /// What the rules say of it.
    pub(crate) verdict: &'a Verdict,
    /// Whether it is known to only look.
    pub(crate) harmless: bool,
    /// Whether it throws away what cannot be had again.
    pub(crate) dangerous: bool,
    /// Whether the model wants it to run outside of the sandbox.
    pub(crate) escalated: bool,
}

/// What is done with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It runs, inside of the sandbox that the policy asks for.
    Confined,
    /// It runs without one.
    Bare,
    /// The person is asked; it runs without a sandbox then.
    Ask,
    /// It does not run, and the model is told why.
    Refuse(String),
}

/// Decides. The strictest word counts: a rule that forbids, then one that demands to ask, then the policies.
pub(crate) fn decide(facts: Facts<'_>) -> Plan {
    let Facts { approval, sandbox, verdict, harmless, dangerous, escalated } = facts;
    let open = matches!(sandbox, SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. });
    match verdict {
        Verdict::Forbidden { justification } => {
            let why = justification.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            return Plan::Refuse(format!("rejected: a rule forbids this command{why}"));
        }
        Verdict::Allow => return Plan::Bare,
        Verdict::Prompt => return ask(approval, Kind::Rule),
        Verdict::Unknown => {}
    }
    if dangerous {
        return ask(approval, Kind::Danger);
    }
    match approval {
        ApprovalPolicy::Untrusted if harmless && !escalated => Plan::Confined,
        ApprovalPolicy::Untrusted => Plan::Ask,
        _ if open || !escalated => Plan::Confined,
        _ => ask(approval, Kind::Sandbox),
    }
}

/// Why the person is asked.
#[derive(Clone, Copy)]
enum Kind {
    Rule,
    Danger,
    Sandbox,
}

/// Asks, or refuses where the policy leaves no question.
fn ask(approval: &ApprovalPolicy, kind: Kind) -> Plan {
    let asks = match (approval, kind) {
        (ApprovalPolicy::Never, _) => false,
        (ApprovalPolicy::Granular(granular), Kind::Rule) => granular.rules,
        (ApprovalPolicy::Granular(granular), Kind::Danger | Kind::Sandbox) => granular.sandbox_approval,
        (ApprovalPolicy::Untrusted | ApprovalPolicy::OnFailure | ApprovalPolicy::OnRequest, _) => true,
    };
    if asks {
        return Plan::Ask;
    }
    Plan::Refuse(match kind {
        Kind::Rule => {
            "rejected: a rule wants this command to be asked about, and the approval policy forbids to ask"
                .to_owned()
        }
        Kind::Danger => {
            "rejected: commands that remove files by force are not permitted unless the person can be \
                         asked, which the approval policy forbids"
                .to_owned()
        }
        Kind::Sandbox => {
            "rejected: the approval policy forbids to ask for more than the sandbox allows; do it \
                          without `require_escalated`"
                .to_owned()
        }
    })
}

/// What the person allowed for as long as the thread is loaded.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    commands: HashSet<(Vec<String>, PathBuf)>,
    files: HashSet<PathBuf>,
    /// Tools of MCP servers: the server and the tool.
    mcp_tools: HashSet<(String, String)>,
}

impl Allowed {
    pub(crate) fn allow_command(&mut self, argv: &[String], cwd: &Path) {
        self.commands.insert((argv.to_vec(), cwd.to_owned()));
    }

    pub(crate) fn allows_command(&self, argv: &[String], cwd: &Path) -> bool {
        self.commands.contains(&(argv.to_vec(), cwd.to_owned()))
    }

    pub(crate) fn allow_files<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) {
        self.files.extend(files.into_iter().map(Path::to_owned));
    }

    pub(crate) fn allows_file(&self, file: &Path) -> bool {
        self.files.contains(file)
    }

    pub(crate) fn allow_mcp_tool(&mut self, server_and_tool: (String, String)) {
        self.mcp_tools.insert(server_and_tool);
    }

    pub(crate) fn allows_mcp_tool(&self, server_and_tool: &(String, String)) -> bool {
        self.mcp_tools.contains(server_and_tool)
    }
}

#[cfg(test)]
mod tests {
    use config::GranularApproval;
    use pretty_assertions::assert_eq;

    use super::*;

    const READ_ONLY: SandboxPolicy = SandboxPolicy::ReadOnly { network_access: false };

    fn granular(sandbox_approval: bool, rules: bool) -> ApprovalPolicy {
        ApprovalPolicy::Granular(GranularApproval {
            sandbox_approval,
            rules,
            skill_approval: false,
            request_permissions: false,
            mcp_elicitations: false,
        })
    }

    /// The words for what is decided.
    fn decided(
        approval: ApprovalPolicy,
        sandbox: &SandboxPolicy,
        verdict: &Verdict,
        what: &str,
    ) -> &'static str {
        let has = |word: &str| what.contains(word);
        let (harmless, dangerous, escalated) = (has("harmless"), has("dangerous"), has("escalated"));
        let approval = &approval;
        match decide(Facts { approval, sandbox, verdict, harmless, dangerous, escalated }) {
            Plan::Confined => "confined",
            Plan::Bare => "bare",
            Plan::Ask => "ask",
            Plan::Refuse(_) => "refuse",
        }
    }

    #[test]
    fn the_policies_decide_what_no_rule_speaks_of() {
        use ApprovalPolicy::{Never, OnFailure, OnRequest, Untrusted};
        let full = SandboxPolicy::DangerFullAccess;
        for (approval, sandbox, what, expected) in [
            (Untrusted, &READ_ONLY, "harmless", "confined"),
            (Untrusted, &READ_ONLY, "", "ask"),
            (Untrusted, &full, "", "ask"),
            (Untrusted, &READ_ONLY, "harmless escalated", "ask"),
            (OnRequest, &READ_ONLY, "", "confined"),
            (OnRequest, &READ_ONLY, "escalated", "ask"),
            (OnRequest, &READ_ONLY, "harmless escalated", "ask"),
            (OnRequest, &full, "escalated", "confined"),
            (OnRequest, &full, "dangerous", "ask"),
            (OnFailure, &READ_ONLY, "", "confined"),
            (Never, &READ_ONLY, "", "confined"),
            (Never, &READ_ONLY, "escalated", "refuse"),
            (Never, &full, "escalated", "confined"),
            (Never, &READ_ONLY, "dangerous", "refuse"),
            (granular(true, false), &READ_ONLY, "escalated", "ask"),
            (granular(false, true), &READ_ONLY, "escalated", "refuse"),
        ] {
            assert_eq!(decided(approval, sandbox, &Verdict::Unknown, what), expected, "{approval:?} {what}");
        }
    }

    #[test]
    fn a_rule_outranks_the_policies() {
        use ApprovalPolicy::{Never, OnRequest};
        let forbidden = Verdict::Forbidden { justification: Some("no".to_owned()) };
        for (approval, verdict, expected) in [
            (Never, Verdict::Allow, "bare"),
            (OnRequest, Verdict::Allow, "bare"),
            (OnRequest, Verdict::Prompt, "ask"),
            (Never, Verdict::Prompt, "refuse"),
            (granular(true, false), Verdict::Prompt, "refuse"),
            (granular(false, true), Verdict::Prompt, "ask"),
            (OnRequest, forbidden, "refuse"),
        ] {
            assert_eq!(decided(approval, &READ_ONLY, &verdict, "escalated"), expected, "{verdict:?}");
        }
    }
}
