//! What the model is told of its surroundings: once, and again only where something changed.
//!
//! Invariant: what was told stays in the history as it was, so the input of a request is a prefix of the next one.

use std::path::PathBuf;

use chrono::Local;
use items::{ResponseItem, Role};
use rollout::TurnContext;
use serde_json::Value;

use crate::settings::{SandboxPolicy, Settings};

/// What the model was last told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Announced {
    cwd: PathBuf,
    permissions: (Value, Value),
}

impl Announced {
    /// Takes from the last `turn_context` of a rollout what had been told by then.
    pub(crate) fn recorded(turn_context: &TurnContext) -> Option<Self> {
        Some(Self {
            cwd: turn_context.cwd.as_deref()?.into(),
            permissions: (turn_context.approval_policy.clone(), turn_context.sandbox_policy.clone()),
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
        }
    }
}

/// Returns the messages that bring the model from what it was told to what holds now.
pub(crate) fn changes(told: &mut Option<Announced>, settings: &Settings) -> Vec<ResponseItem> {
    let now = Announced::now(settings);
    let mut messages = Vec::new();
    if told.as_ref().is_none_or(|then| then.permissions != now.permissions) {
        let mut parts = vec![ResponseItem::text_part(Role::Developer, permissions(settings))];
        if told.is_none()
            && let Some(text) = &settings.developer_instructions
        {
            parts.push(ResponseItem::text_part(Role::Developer, text));
        }
        messages.push(ResponseItem::message_of(Role::Developer, parts));
    }
    if told.as_ref().is_none_or(|then| then.cwd != now.cwd) {
        messages.push(ResponseItem::message(Role::User, environment(settings)));
    }
    *told = Some(now);
    messages
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
