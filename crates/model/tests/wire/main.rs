//! The wires against a provider on loopback.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod chat;
mod provider;
mod responses;

use std::time::Duration;

use items::{ResponseItem, Role};
use model::{Auth, ClientIdentity, ProviderSettings, Request};
use serde_json::{Map, json};

/// Whatever takes longer than this hangs.
const HUNG: Duration = Duration::from_secs(20);

fn settings(base_url: &str) -> ProviderSettings {
    ProviderSettings {
        id: "acme".into(),
        name: "Acme".into(),
        base_url: base_url.into(),
        auth: Auth::None,
        headers: Vec::new(),
        query: Vec::new(),
        request_max_retries: 0,
        stream_max_retries: 0,
        stream_idle_timeout: HUNG,
    }
}

fn request() -> Request {
    Request {
        model: "mock-model".into(),
        instructions: Some("be kind".into()),
        input: vec![ResponseItem::message(Role::User, "hi")].into(),
        tools: vec![json!({ "type": "web_search" })],
        parallel_tool_calls: false,
        reasoning: None,
        include: Vec::new(),
        verbosity: None,
        service_tier: None,
        output_schema: None,
        thread_id: "thread-1".into(),
        turn_state: None,
        client: ClientIdentity { name: "lab".into(), user_agent: "lab/0.1".into() },
        turn_metadata: Map::new(),
        client_metadata: Map::new(),
    }
}
