//! Where a thread comes from: a word or an object in a rollout, another one on the wire.

use protocol::{SessionSource, SubAgentSource, ThreadSourceKind};
use serde_json::Value;
use threads::SourceFilter;

/// Reads the source as a rollout has it; a rollout without one comes from an IDE.
pub(crate) fn session_source(stored: &Value) -> SessionSource {
    match stored {
        Value::Null => SessionSource::Vscode,
        Value::String(word) => match word.as_str() {
            "cli" => SessionSource::Cli,
            "vscode" => SessionSource::Vscode,
            "exec" => SessionSource::Exec,
            "mcp" => SessionSource::AppServer,
            _ => SessionSource::Unknown,
        },
        Value::Object(object) => match (object.get("subagent"), object.get("custom").and_then(Value::as_str))
        {
            (Some(agent), _) => sub_agent(agent).map_or(SessionSource::Unknown, SessionSource::SubAgent),
            (None, Some(name)) => SessionSource::Custom(name.to_owned()),
            (None, None) => SessionSource::Unknown,
        },
        _ => SessionSource::Unknown,
    }
}

/// The stored form of a sub-agent's source is the wire form; a kind that we do not know keeps its word.
fn sub_agent(stored: &Value) -> Option<SubAgentSource> {
    serde_json::from_value(stored.clone())
        .ok()
        .or_else(|| stored.as_str().map(|w| SubAgentSource::Other(w.to_owned())))
}

/// Reads which sources a list is narrowed to; what is left out means those that a person works with.
pub(crate) fn source_filters(kinds: Option<Vec<ThreadSourceKind>>) -> Vec<SourceFilter> {
    let kinds = kinds.unwrap_or_default();
    if kinds.is_empty() {
        return vec![SourceFilter::Cli, SourceFilter::VsCode];
    }
    kinds.into_iter().map(filter).collect()
}

fn filter(kind: ThreadSourceKind) -> SourceFilter {
    match kind {
        ThreadSourceKind::Cli => SourceFilter::Cli,
        ThreadSourceKind::Vscode => SourceFilter::VsCode,
        ThreadSourceKind::Exec => SourceFilter::Exec,
        ThreadSourceKind::AppServer => SourceFilter::AppServer,
        ThreadSourceKind::SubAgent => SourceFilter::SubAgent,
        ThreadSourceKind::SubAgentReview => SourceFilter::SubAgentReview,
        ThreadSourceKind::SubAgentCompact => SourceFilter::SubAgentCompact,
        ThreadSourceKind::SubAgentThreadSpawn => SourceFilter::SubAgentThreadSpawn,
        ThreadSourceKind::SubAgentOther => SourceFilter::SubAgentOther,
        ThreadSourceKind::Unknown => SourceFilter::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn stored_sources_on_the_wire() {
        for (stored, wire) in [
            (json!(null), json!("vscode")),
            (json!("cli"), json!("cli")),
            (json!("mcp"), json!("appServer")),
            (json!("never-heard-of"), json!("unknown")),
            (json!({"subagent": "review"}), json!({"subAgent": "review"})),
            (json!({"subagent": {"other": "guardian"}}), json!({"subAgent": {"other": "guardian"}})),
            (json!({"subagent": "from_the_future"}), json!({"subAgent": {"other": "from_the_future"}})),
            (json!({"custom": "bot"}), json!({"custom": "bot"})),
            (json!(5), json!("unknown")),
        ] {
            assert_eq!(serde_json::to_value(session_source(&stored)).unwrap(), wire, "{stored}");
        }
    }
}
