//! Where a thread came from, as the source filters of a list see it.

use serde_json::Value;

/// One kind of source that a list can be narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceFilter {
    /// The terminal client.
    Cli,
    /// An editor, and every thread whose file names no source.
    VsCode,
    /// A scripted run.
    Exec,
    /// Another server; `mcp` in the file.
    AppServer,
    /// Every thread that an agent spawned, whatever for.
    SubAgent,
    /// A review.
    SubAgentReview,
    /// A compaction.
    SubAgentCompact,
    /// A thread spawned by another thread.
    SubAgentThreadSpawn,
    /// A sub-agent of another kind that has a name.
    SubAgentOther,
    /// A source that no release knows.
    Unknown,
}

impl SourceFilter {
    /// Tells whether a thread with this `source` in its file passes the filter.
    pub fn covers(self, source: &Value) -> bool {
        self.kinds().contains(&SourceKind::of(source))
    }

    pub(crate) fn kinds(self) -> &'static [SourceKind] {
        use SourceKind as Kind;
        match self {
            Self::Cli => &[Kind::Cli],
            Self::VsCode => &[Kind::VsCode],
            Self::Exec => &[Kind::Exec],
            Self::AppServer => &[Kind::AppServer],
            Self::SubAgent => &[
                Kind::SubAgentReview,
                Kind::SubAgentCompact,
                Kind::SubAgentThreadSpawn,
                Kind::SubAgentOther,
                Kind::SubAgentUnnamed,
            ],
            Self::SubAgentReview => &[Kind::SubAgentReview],
            Self::SubAgentCompact => &[Kind::SubAgentCompact],
            Self::SubAgentThreadSpawn => &[Kind::SubAgentThreadSpawn],
            Self::SubAgentOther => &[Kind::SubAgentOther],
            Self::Unknown => &[Kind::Unknown],
        }
    }
}

/// What a `source` is, exactly one of these; stored as [`SourceKind::word`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SourceKind {
    Cli,
    VsCode,
    Exec,
    AppServer,
    SubAgentReview,
    SubAgentCompact,
    SubAgentThreadSpawn,
    SubAgentOther,
    /// `memory_consolidation` and words of later releases: reached by the filter for all sub-agents only.
    SubAgentUnnamed,
    /// `{"custom": ".."}`: reached by no filter.
    Custom,
    Unknown,
}

impl SourceKind {
    pub(crate) fn of(source: &Value) -> Self {
        match source {
            Value::Null => Self::VsCode,
            Value::String(word) => match word.as_str() {
                "cli" => Self::Cli,
                "vscode" => Self::VsCode,
                "exec" => Self::Exec,
                "mcp" => Self::AppServer,
                _ => Self::Unknown,
            },
            Value::Object(object) if object.contains_key("custom") => Self::Custom,
            Value::Object(object) => object.get("subagent").map_or(Self::Unknown, Self::of_sub_agent),
            _ => Self::Unknown,
        }
    }

    fn of_sub_agent(kind: &Value) -> Self {
        match kind {
            Value::String(word) if word == "review" => Self::SubAgentReview,
            Value::String(word) if word == "compact" => Self::SubAgentCompact,
            Value::Object(object) if object.contains_key("thread_spawn") => Self::SubAgentThreadSpawn,
            Value::Object(object) if object.contains_key("other") => Self::SubAgentOther,
            _ => Self::SubAgentUnnamed,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::VsCode => "vscode",
            Self::Exec => "exec",
            Self::AppServer => "app_server",
            Self::SubAgentReview => "sub_review",
            Self::SubAgentCompact => "sub_compact",
            Self::SubAgentThreadSpawn => "sub_spawn",
            Self::SubAgentOther => "sub_other",
            Self::SubAgentUnnamed => "sub",
            Self::Custom => "custom",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{SourceFilter::*, *};

    const ALL: [SourceFilter; 10] = [
        Cli,
        VsCode,
        Exec,
        AppServer,
        SubAgent,
        SubAgentReview,
        SubAgentCompact,
        SubAgentThreadSpawn,
        SubAgentOther,
        Unknown,
    ];

    #[test]
    fn a_source_is_reached_by_these_filters() {
        for (source, expected) in [
            (json!("cli"), vec![Cli]),
            (json!("vscode"), vec![VsCode]),
            (json!(null), vec![VsCode]),
            (json!("exec"), vec![Exec]),
            (json!("mcp"), vec![AppServer]),
            (json!("of the future"), vec![Unknown]),
            (json!({ "of": "the future" }), vec![Unknown]),
            (json!({ "custom": "mine" }), vec![]),
            (json!({ "subagent": "review" }), vec![SubAgent, SubAgentReview]),
            (json!({ "subagent": "compact" }), vec![SubAgent, SubAgentCompact]),
            (json!({ "subagent": "memory_consolidation" }), vec![SubAgent]),
            (json!({ "subagent": { "thread_spawn": {} } }), vec![SubAgent, SubAgentThreadSpawn]),
            (json!({ "subagent": { "other": "x" } }), vec![SubAgent, SubAgentOther]),
        ] {
            let reached: Vec<_> = ALL.into_iter().filter(|filter| filter.covers(&source)).collect();
            assert_eq!(reached, expected, "{source}");
        }
    }
}
