//! The session record: what a rollout says of its thread, in its first line and wherever it was patched since.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ThreadId;

/// The payload of a `session_meta` line. What we do not know of it survives a rewrite.
///
/// A field of another type than ours is as good as absent; it must not cost the thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionMeta {
    /// The thread.
    pub id: ThreadId,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// Its working folder.
    #[serde(default)]
    pub cwd: String,
    /// The client that made it.
    #[serde(default)]
    pub originator: String,
    /// The release that made it.
    #[serde(default)]
    pub cli_version: String,
    /// What kind of program it comes from: a word, or an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Value>,
    /// The provider that it began with.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub model_provider: Option<String>,
    /// The base prompt that it was started with.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub base_instructions: Option<BaseInstructions>,
    /// The repository that it works in.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub git: Option<GitInfo>,
    /// The thread that it was forked from.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub forked_from_id: Option<ThreadId>,
    /// The thread whose agent made it.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub parent_thread_id: Option<ThreadId>,
    /// `paginated` where every line has an ordinal.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub history_mode: Option<String>,
    /// Where the history before the first line is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_base: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A base prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseInstructions {
    /// The words.
    pub text: String,
}

/// What is known of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GitInfo {
    /// The commit.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub commit_hash: Option<String>,
    /// The branch.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The URL of the remote.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl GitInfo {
    /// Tells whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.commit_hash.is_none() && self.branch.is_none() && self.repository_url.is_none()
    }
}

/// Reads a value of another type than is expected as none.
pub(crate) fn if_fits<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> Deserialize<'a>,
{
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}
