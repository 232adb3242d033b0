//! Records of what tools did, in the words of rollouts.

use std::time::Duration;

use rollout::Event;
use serde_json::{Value, json};

/// A record of an item that only begins; it is shown and never stored.
pub(crate) fn begun(item: Value, turn: &str) -> Event {
    Event::ItemCompleted {
        thread_id: None,
        turn_id: Some(turn.to_owned()),
        item,
        started_at_ms: None,
        completed_at_ms: None,
    }
}

/// A stretch of time as rollouts keep it.
pub(crate) fn duration(time: Duration) -> Value {
    json!({ "secs": time.as_secs(), "nanos": time.subsec_nanos() })
}
