//! Who serves models, and how to reach them.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Deserialize;

use crate::section::{Invalid, Section};

/// The id of the provider that is built in, and used where none is named.
pub const OPENAI: &str = "openai";

/// The id of the provider that answers from a bundled script: no network, no login.
pub const SCRIPTED: &str = "scripted";

/// What OpenAI answers at, unless `openai_base_url` says otherwise.
const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// How often a request is tried again that did not get through, and a stream that broke off; as published releases do.
const REQUEST_RETRIES: u32 = 4;
const STREAM_RETRIES: u32 = 5;

/// More retries than this is a way to wait for ever.
const MAX_RETRIES: u64 = 100;

/// How long a stream may be silent: a model that thinks hard says nothing for minutes.
const STREAM_IDLE: Duration = Duration::from_secs(300);

/// The protocol that a provider speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireApi {
    /// The Responses API.
    #[default]
    Responses,
    /// Chat Completions.
    Chat,
}

/// One entry of `model_providers`. Variables of the environment are only named here; who sends requests looks them up.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// The key of the entry.
    pub id: String,
    /// The name that people read; the id where there is none.
    pub name: String,
    /// What the paths of the API are appended to.
    pub base_url: Option<String>,
    /// The protocol spoken there.
    pub wire_api: WireApi,
    /// The variable that holds the API key. When it is named it must be set.
    pub env_key: Option<String>,
    /// How to get an API key, for the message that says that there is none.
    pub env_key_instructions: Option<String>,
    /// An API key that stands in the file itself.
    pub experimental_bearer_token: Option<String>,
    /// Whether an OpenAI login is what opens the door.
    pub requires_openai_auth: bool,
    /// Headers sent along.
    pub http_headers: BTreeMap<String, String>,
    /// Headers whose values are in variables; unset ones are left out.
    pub env_http_headers: BTreeMap<String, String>,
    /// What is appended to each URL.
    pub query_params: BTreeMap<String, String>,
    /// How often to try again when a request does not get through.
    pub request_max_retries: u32,
    /// How often to try again when a stream breaks off.
    pub stream_max_retries: u32,
    /// How long a stream may be silent before it counts as broken.
    pub stream_idle_timeout: Duration,
}

/// Says what a log needs; the rest may hold keys and passwords.
impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, base_url, wire_api, env_key, .. } = self;
        f.debug_struct("ProviderConfig")
            .field("id", id)
            .field("base_url", base_url)
            .field("wire_api", wire_api)
            .field("env_key", env_key)
            .finish_non_exhaustive()
    }
}

impl ProviderConfig {
    /// Returns an entry with nothing set.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            base_url: None,
            wire_api: WireApi::default(),
            env_key: None,
            env_key_instructions: None,
            experimental_bearer_token: None,
            requires_openai_auth: false,
            http_headers: BTreeMap::new(),
            env_http_headers: BTreeMap::new(),
            query_params: BTreeMap::new(),
            request_max_retries: REQUEST_RETRIES,
            stream_max_retries: STREAM_RETRIES,
            stream_idle_timeout: STREAM_IDLE,
        }
    }

    pub(crate) fn scripted() -> Self {
        Self { name: "Bundled script".to_owned(), ..Self::new(SCRIPTED) }
    }

    pub(crate) fn openai(base_url: Option<String>) -> Self {
        Self {
            name: "OpenAI".to_owned(),
            base_url: Some(base_url.unwrap_or_else(|| OPENAI_BASE_URL.to_owned())),
            env_key: Some("OPENAI_API_KEY".to_owned()),
            env_key_instructions: Some("Create an API key and export it as OPENAI_API_KEY.".to_owned()),
            requires_openai_auth: true,
            ..Self::new(OPENAI)
        }
    }

    pub(crate) fn read(id: &str, section: &mut Section<'_>) -> Result<Self, Invalid> {
        let default = Self::new(id);
        Ok(Self {
            name: section.get("name")?.unwrap_or(default.name),
            id: default.id,
            base_url: section.get("base_url")?,
            wire_api: section.get("wire_api")?.unwrap_or_default(),
            env_key: section.get("env_key")?,
            env_key_instructions: section.get("env_key_instructions")?,
            experimental_bearer_token: section.get("experimental_bearer_token")?,
            requires_openai_auth: section.get("requires_openai_auth")?.unwrap_or_default(),
            http_headers: section.map("http_headers")?,
            env_http_headers: section.map("env_http_headers")?,
            query_params: section.map("query_params")?,
            request_max_retries: retries(section, "request_max_retries", REQUEST_RETRIES)?,
            stream_max_retries: retries(section, "stream_max_retries", STREAM_RETRIES)?,
            stream_idle_timeout: section
                .count("stream_idle_timeout_ms")?
                .map_or(STREAM_IDLE, Duration::from_millis),
        })
    }
}

fn retries(section: &mut Section<'_>, key: &'static str, default: u32) -> Result<u32, Invalid> {
    let asked = section.count(key)?.unwrap_or(default.into());
    Ok(u32::try_from(asked.min(MAX_RETRIES)).unwrap_or(default))
}
