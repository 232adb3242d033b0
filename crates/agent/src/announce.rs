//! What the model is told of its surroundings: once, and again only where something changed.
//!
//! Invariant: what was told stays in the history as it was, so the input of a request is a prefix of the next one.

mod project_docs;
mod skills;

use std::path::PathBuf;

use chrono::Local;
use items::{ResponseItem, Role};
use rollout::TurnContext;
use serde_json::Value;
use tools::{Mode, SandboxPolicy};

use crate::settings::Settings;

pub use project_docs::ProjectDocs;

/// What the model is told when it is to plan and not to act.
const PLAN: &str = include_str!("prompts/plan.md");

/// What it is told when that is over.
const PLAN_IS_OVER: &str = "Plan mode is over: from here on, act as the person asks.";

/// What the model was last told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Announced {
    cwd: PathBuf,
    permissions: (Value, Value),
    mode: Mode,
}

impl Announced {
    /// Takes from the last `turn_context` of a rollout what had been told by then.
    pub(crate) fn recorded(turn_context: &TurnContext) -> Option<Self> {
        let mode = &turn_context.extra.get("collaboration_mode").unwrap_or(&Value::Null)["mode"];
        Some(Self {
            cwd: turn_context.cwd.as_deref()?.into(),
            permissions: (turn_context.approval_policy.clone(), turn_context.sandbox_policy.clone()),
            mode: if mode == "plan" { Mode::Plan } else { Mode::Default },
        })
    }

    fn now(settings: &Settings) -> Self {
        let value = |v: serde_json::Result<Value>| v.unwrap_or_default();
        Self {
            cwd: settings.cwd.clone(),
            permissions: (
                value(serde_json::to_value(settings.approval)),
                value(serde_json::to_value(&settings.sandbox)),
            ),
            mode: settings.mode,
        }
    }
}

/// Returns the messages that bring the model from what it was told to what holds now.
///
/// Reads the files of instructions where they are told, so call it where reading may take a while.
pub(crate) fn changes(
    told: &mut Option<Announced>,
    settings: &Settings,
    docs: &ProjectDocs,
) -> Vec<ResponseItem> {
    let now = Announced::now(settings);
    let then = told.replace(now.clone());
    let new = then.is_none();
    let differs =
        |differs: fn(&Announced, &Announced) -> bool| then.as_ref().is_none_or(|then| differs(then, &now));

    let mut orders = Vec::new();
    if differs(|then, now| then.permissions != now.permissions) {
        orders.push(permissions(settings));
    }
    if new {
        orders.extend(settings.developer_instructions.clone());
    }
    if then.as_ref().map_or(Mode::Default, |then| then.mode) != now.mode {
        orders.push(mode(settings));
    }
    if new {
        orders.extend(skills::describe(&docs.home));
    }
    let mut facts = Vec::new();
    if differs(|then, now| then.cwd != now.cwd) {
        facts.extend(docs.read(&settings.cwd).map(|text| {
            let cwd = settings.cwd.display();
            format!("# AGENTS.md instructions for {cwd}\n\n<INSTRUCTIONS>\n{text}\n</INSTRUCTIONS>")
        }));
        facts.push(environment(settings));
    }
    [(Role::Developer, orders), (Role::User, facts)]
        .into_iter()
        .filter(|(_, texts)| !texts.is_empty())
        .map(|(role, texts)| {
            ResponseItem::message_of(role, texts.into_iter().map(|text| ResponseItem::text_part(role, text)))
        })
        .collect()
}

fn mode(settings: &Settings) -> String {
    let text = match (&settings.mode_instructions, settings.mode) {
        (Some(text), _) => text,
        (None, Mode::Plan) => PLAN,
        (None, Mode::Default) => PLAN_IS_OVER,
    };
    format!("<collaboration_mode>\n{}\n</collaboration_mode>", text.trim_end())
}

fn permissions(settings: &Settings) -> String {
    let mode = settings.sandbox.mode();
    let files = match &settings.sandbox {
        SandboxPolicy::ReadOnly { .. } => "files can be read, none can be written".to_owned(),
        SandboxPolicy::WorkspaceWrite { writable_roots, .. } if writable_roots.is_empty() => {
            "files can be read; only those in the working folder can be written".to_owned()
        }
        SandboxPolicy::WorkspaceWrite { writable_roots, .. } => {
            let roots: Vec<_> = writable_roots.iter().map(|root| format!("`{}`", root.display())).collect();
            format!(
                "files can be read; only those in the working folder and in {} can be written",
                roots.join(", ")
            )
        }
        SandboxPolicy::DangerFullAccess => "commands are not confined".to_owned(),
        SandboxPolicy::ExternalSandbox { .. } => {
            "commands are confined by the surroundings of this server".to_owned()
        }
    };
    let network = if settings.sandbox.network() { "can be used" } else { "is closed" };
    let policy = approval_word(settings);
    format!(
        "<permissions instructions>\n\
         The `sandbox_mode` is `{mode}`: {files}. The network {network}.\n\
         The approval policy is `{policy}`.\n\
         </permissions instructions>"
    )
}

fn approval_word(settings: &Settings) -> String {
    match serde_json::to_value(settings.approval) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn environment(settings: &Settings) -> String {
    let now = Local::now();
    format!(
        "<environment_context>\n  <cwd>{}</cwd>\n  <shell>bash</shell>\n  <current_date>{}</current_date>\n  \
         <timezone>{}</timezone>\n</environment_context>",
        settings.cwd.display(),
        now.format("%Y-%m-%d"),
        now.format("%:z"),
    )
}
