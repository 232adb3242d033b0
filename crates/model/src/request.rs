//! What a model is asked.

use std::sync::Arc;

use items::ResponseItem;
use serde_json::{Map, Value};

/// Everything of one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The model.
    pub model: String,
    /// The base prompt.
    pub instructions: Option<String>,
    /// The whole conversation; shared, since it may be long and is only read.
    pub input: Arc<Vec<ResponseItem>>,
    /// The tools on offer, as the provider reads them.
    pub tools: Vec<Value>,
    /// Whether the model may ask for several tools at once.
    pub parallel_tool_calls: bool,
    /// How to think; `None` for a model that does not.
    pub reasoning: Option<Reasoning>,
    /// What the provider is to add to its response.
    pub include: Vec<String>,
    /// How wordy to be.
    pub verbosity: Option<String>,
    /// Which tier of service to use, in the words of clients.
    pub service_tier: Option<String>,
    /// The JSON schema that the answer must fit.
    pub output_schema: Option<Value>,
    /// The thread; also the key of the provider's prompt cache.
    pub thread_id: String,
    /// What [`StreamEvent::TurnState`](crate::StreamEvent::TurnState) told earlier in the same turn.
    pub turn_state: Option<String>,
    /// Who asks.
    pub client: ClientIdentity,
    /// Facts of the turn for the provider; sent as a header.
    pub turn_metadata: Map<String, Value>,
    /// Facts of the client for the provider; sent in the body.
    pub client_metadata: Map<String, Value>,
}

impl Request {
    /// Returns the tier of service in the words of the API: what clients call fast, it calls priority.
    pub(crate) fn tier(&self) -> Option<&str> {
        self.service_tier.as_deref().map(|tier| if tier == "fast" { "priority" } else { tier })
    }
}

/// How a model is to think.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// How hard.
    pub effort: Option<String>,
    /// How to sum up; `"none"` asks for no summary.
    pub summary: Option<String>,
}

/// Who asks, as the provider is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The name that the client gave itself.
    pub name: String,
    /// The whole `user-agent`.
    pub user_agent: String,
}
