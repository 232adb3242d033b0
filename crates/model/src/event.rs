//! What a model streams: the events of a response that Skein acts on.

use items::ResponseItem;
use serde::{Deserialize, Serialize};

/// One event of a response; events that are not listed here never leave this crate.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// What the provider told about the account's limits, empty where it told nothing; once, before the response.
    RateLimits(RateLimits),
    /// The model that answers, where the provider names it; it may be another than the one that was asked.
    ServedBy(String),
    /// State to send back with the later requests of the same turn.
    TurnState(String),
    /// The response has begun.
    Created,
    /// An item has begun; deltas belong to the item begun last.
    ItemAdded(ResponseItem),
    /// A piece of a message.
    TextDelta(String),
    /// A further part of a reasoning summary begins.
    SummaryPartAdded {
        /// Which part, from 0.
        index: i64,
    },
    /// A piece of a reasoning summary.
    SummaryDelta {
        /// Which part of the summary.
        index: i64,
        /// The piece.
        delta: String,
    },
    /// A piece of raw reasoning.
    ReasoningDelta {
        /// Which part of the reasoning.
        index: i64,
        /// The piece.
        delta: String,
    },
    /// An item is complete; it may come without having begun.
    ItemDone(ResponseItem),
    /// The response is complete; the last event.
    Completed {
        /// The provider's id of the response.
        response_id: Option<String>,
        /// What the response took, where the provider counts.
        usage: Option<TokenUsage>,
    },
}

/// Tokens that a response took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenUsage {
    /// Tokens of the request.
    pub input_tokens: i64,
    /// Those of them that the provider had in its prompt cache.
    pub cached_input_tokens: i64,
    /// Tokens of the response.
    pub output_tokens: i64,
    /// Those of them that were reasoning.
    pub reasoning_output_tokens: i64,
    /// Both together.
    pub total_tokens: i64,
}

/// How much of an account's limits is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateLimits {
    /// The shorter window.
    pub primary: Option<RateLimitWindow>,
    /// The longer window.
    pub secondary: Option<RateLimitWindow>,
}

/// A stretch of time in which an account may use so much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimitWindow {
    /// How much is used, in percent.
    pub used_percent: f64,
    /// How long the window is.
    pub window_minutes: Option<i64>,
    /// When it begins anew, in Unix seconds.
    pub resets_at: Option<i64>,
}
