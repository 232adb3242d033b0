//! What is written into a rollout.

use chrono::{DateTime, SecondsFormat, Utc};
use items::ResponseItem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Event, SessionMeta, meta::if_fits};

/// One line to write, without its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload", rename_all = "snake_case")]
pub enum Record {
    /// The thread itself.
    SessionMeta(Box<SessionMeta>),
    /// Something that the model knows.
    ResponseItem(ResponseItem),
    /// Something that happened.
    EventMsg(Event),
    /// What a turn runs with.
    TurnContext(TurnContext),
    /// What replaces the history that the model knew.
    Compacted(Compacted),
}

/// What a turn ran with, in the fields that we look at; the others are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnContext {
    /// The turn.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<String>,
    /// The working folder.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The model.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How hard it was to think.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// When the person was to be asked.
    #[serde(default)]
    pub approval_policy: Value,
    /// What commands could touch.
    #[serde(default)]
    pub sandbox_policy: Value,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A compaction: the summary, and where it is known what the model was left with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compacted {
    /// The summary.
    #[serde(default)]
    pub message: String,
    /// What the model knew from then on.
    #[serde(default, deserialize_with = "if_fits", skip_serializing_if = "Option::is_none")]
    pub replacement_history: Option<Vec<ResponseItem>>,
    /// Everything else.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Spells a time as rollouts do.
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
