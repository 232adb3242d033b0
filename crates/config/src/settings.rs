//! The typed view.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use toml::Table;

use crate::{
    ApprovalPolicy, ConfigError, Layer, McpServer, ProviderConfig, SandboxMode, ShellEnvironment,
    WorkspaceWrite,
    features::{self, Switch},
    keys, known,
    layers::Stack,
    provider::OPENAI,
    section::{Invalid, Section},
};

/// How much of `AGENTS.md` files is told to the model, together; as published releases do.
const PROJECT_DOC_MAX_BYTES: u64 = 32 << 10;

/// How long a thread without clients and without a turn stays loaded: long enough to survive an editor's restart or a
/// coffee, short enough that a server used for weeks does not keep every thread that it ever opened.
const IDLE_UNLOAD_MINUTES: u64 = 30;

/// Everything that is configured, for one thread or for none.
#[derive(Clone)]
pub struct Config {
    /// The model to ask.
    pub model: Option<String>,
    /// The id of the provider that serves it, one of `providers`.
    pub model_provider: String,
    /// The providers there are, by id.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// The MCP servers there are, by name. A broken one costs itself only, so its error stands in its place.
    pub mcp_servers: BTreeMap<String, Result<McpServer, ConfigError>>,
    /// When to ask the person.
    pub approval_policy: ApprovalPolicy,
    /// What commands may touch.
    pub sandbox_mode: SandboxMode,
    /// What [`SandboxMode::WorkspaceWrite`] adds.
    pub workspace_write: WorkspaceWrite,
    /// Which variables commands see.
    pub shell_environment: ShellEnvironment,
    /// How hard to think. Any word, since catalogues of models bring their own.
    pub model_reasoning_effort: Option<String>,
    /// How to summarize thoughts.
    pub model_reasoning_summary: Option<ReasoningSummary>,
    /// How wordy to be.
    pub model_verbosity: Option<Verbosity>,
    /// How many tokens the model takes, where it is not known or to be held back.
    pub model_context_window: Option<u64>,
    /// At how many tokens a thread is compacted.
    pub model_auto_compact_token_limit: Option<u64>,
    /// What the model is asked for when a thread is compacted, instead of the server's own words.
    pub compact_prompt: Option<String>,
    /// What replaces the base prompt: the text of `model_instructions_file`.
    pub base_instructions: Option<String>,
    /// Told to the model beside the base prompt.
    pub developer_instructions: Option<String>,
    /// How much of `AGENTS.md` files is told to the model, together.
    pub project_doc_max_bytes: u64,
    /// Files read in a folder that has no `AGENTS.md`, the first that is there.
    pub project_doc_fallback_filenames: Vec<String>,
    /// How to search the web; `None` leaves it to the model's provider.
    pub web_search: Option<WebSearch>,
    /// Which tier of service to ask for. Any word, as for the effort.
    pub service_tier: Option<String>,
    /// Features turned on and off by name; others are as built.
    pub features: BTreeMap<String, bool>,
    /// The profile in force.
    pub profile: Option<String>,
    /// How long a thread without clients and without a turn stays loaded.
    pub idle_unload: Duration,
    /// Keys that no release knows, most likely typing mistakes, with where they stand.
    pub unknown_keys: Vec<(Layer, String)>,
    pub(crate) model_instructions_file: Option<PathBuf>,
    pub(crate) stack: Arc<Stack>,
}

/// How to summarize thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningSummary {
    /// As the model sees fit.
    Auto,
    /// In short.
    Concise,
    /// At length.
    Detailed,
    /// Not at all.
    None,
}

/// How wordy to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verbosity {
    /// Terse.
    Low,
    /// As the model is by itself.
    Medium,
    /// Chatty.
    High,
}

/// How to search the web.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebSearch {
    /// Not at all.
    Disabled,
    /// In what the provider has stored.
    Cached,
    /// In what the provider has indexed.
    Indexed,
    /// In the web as it is now.
    Live,
}

/// Says what a log needs; the rest may hold keys and passwords.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, model_provider, approval_policy, sandbox_mode, profile, .. } = self;
        f.debug_struct("Config")
            .field("model", model)
            .field("model_provider", model_provider)
            .field("approval_policy", approval_policy)
            .field("sandbox_mode", sandbox_mode)
            .field("profile", profile)
            .finish_non_exhaustive()
    }
}

impl ReasoningSummary {
    /// Returns the word of the model API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Concise => "concise",
            Self::Detailed => "detailed",
            Self::None => "none",
        }
    }
}

impl Verbosity {
    /// Returns the word of the model API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Config {
    /// Returns the strongest layer that sets a value, by its dotted key.
    pub fn origin(&self, key: &str) -> Layer {
        self.stack.origin(&keys::split(key))
    }

    /// Returns the provider in use.
    pub fn provider(&self) -> Option<&ProviderConfig> {
        self.providers.get(&self.model_provider)
    }

    /// Reads the typed values. Pure: what lies in other files is left to the loader.
    pub(crate) fn read(stack: Stack, home: &Path) -> Result<Self, ConfigError> {
        let merged = stack.merged();
        let stack = Arc::new(stack);
        Self::of_table(&merged, &stack, home).map_err(|invalid| stack.locate(invalid))
    }

    fn of_table(table: &Table, stack: &Arc<Stack>, home: &Path) -> Result<Self, Invalid> {
        let mut root = Section::root(table);
        let mut unknown = Vec::new();
        let providers = providers(&mut root, &mut unknown)?;
        let mcp_servers = mcp_servers(&mut root, stack, &mut unknown)?;
        let mut sandbox = root.section("sandbox_workspace_write")?;
        let workspace_write = WorkspaceWrite::read(&mut sandbox, home)?;
        let mut environment = root.section("shell_environment_policy")?;
        let shell_environment = ShellEnvironment::read(&mut environment)?;
        let mut skein = root.section("skein")?;
        let idle_minutes = skein.count("idle_unload_minutes")?.unwrap_or(IDLE_UNLOAD_MINUTES);
        let features = features(&mut root, &mut unknown)?;
        unknown.extend(sandbox.unread().chain(environment.unread()).chain(skein.unread()));
        let mut config = Self {
            model: root.get("model")?.filter(|model: &String| !model.is_empty()),
            model_provider: root.get("model_provider")?.unwrap_or_else(|| OPENAI.to_owned()),
            providers,
            mcp_servers,
            approval_policy: root.get("approval_policy")?.unwrap_or_default(),
            sandbox_mode: root.get("sandbox_mode")?.unwrap_or_default(),
            workspace_write,
            shell_environment,
            model_reasoning_effort: root.get("model_reasoning_effort")?,
            model_reasoning_summary: root.get("model_reasoning_summary")?,
            model_verbosity: root.get("model_verbosity")?,
            model_context_window: root.count("model_context_window")?,
            model_auto_compact_token_limit: root.count("model_auto_compact_token_limit")?,
            compact_prompt: root.get("compact_prompt")?,
            base_instructions: None,
            developer_instructions: root.get("developer_instructions")?,
            project_doc_max_bytes: root.count("project_doc_max_bytes")?.unwrap_or(PROJECT_DOC_MAX_BYTES),
            project_doc_fallback_filenames: root.get("project_doc_fallback_filenames")?.unwrap_or_default(),
            web_search: root.get("web_search")?,
            service_tier: root.get("service_tier")?,
            features,
            profile: root.get("profile")?,
            idle_unload: Duration::from_secs(idle_minutes.saturating_mul(60)),
            unknown_keys: Vec::new(),
            model_instructions_file: root
                .get("model_instructions_file")?
                .map(|file: PathBuf| home.join(file)),
            stack: stack.clone(),
        };
        unknown.extend(root.unread().filter(|path| !known::is_known(path)));
        config.unknown_keys = unknown.iter().map(|path| (stack.origin(path), keys::join(path))).collect();
        Ok(config)
    }
}

fn providers(
    root: &mut Section<'_>,
    unknown: &mut Vec<Vec<String>>,
) -> Result<BTreeMap<String, ProviderConfig>, Invalid> {
    let openai = ProviderConfig::openai(root.get("openai_base_url")?);
    let built_in = [openai, ProviderConfig::scripted()];
    let mut providers = BTreeMap::from(built_in.map(|provider| (provider.id.clone(), provider)));
    for (id, section) in root.sections("model_providers")? {
        let mut section = section?;
        if id == OPENAI {
            // Both published releases refuse it; what worked here would break their start.
            let path = vec!["model_providers".to_owned(), id.clone()];
            let message =
                format!("model provider `{id}` is built in; give yours another id, such as `my-{id}`");
            return Err(Invalid { path, message });
        }
        providers.insert(id.clone(), ProviderConfig::read(id, &mut section)?);
        unknown.extend(section.unread().filter(|path| !known::is_known_of_provider(path)));
    }
    Ok(providers)
}

fn mcp_servers(
    root: &mut Section<'_>,
    stack: &Stack,
    unknown: &mut Vec<Vec<String>>,
) -> Result<BTreeMap<String, Result<McpServer, ConfigError>>, Invalid> {
    let mut read = |section: Result<Section<'_>, Invalid>| {
        let mut section = section?;
        let server = McpServer::read(&mut section)?;
        unknown.extend(section.unread().filter(|path| !known::is_known_of_mcp_server(path)));
        Ok(server)
    };
    let one = |(name, section): (&String, _)| {
        (name.clone(), read(section).map_err(|invalid| stack.locate(invalid)))
    };
    Ok(root.sections("mcp_servers")?.into_iter().map(one).collect())
}

fn features(
    root: &mut Section<'_>,
    unknown: &mut Vec<Vec<String>>,
) -> Result<BTreeMap<String, bool>, Invalid> {
    let switches = root.map::<Switch>("features")?;
    let names = switches.keys().filter(|name| !features::is_known(name));
    unknown.extend(names.map(|name| vec!["features".to_owned(), name.clone()]));
    Ok(switches.into_iter().filter_map(|(name, Switch(on))| Some((name, on?))).collect())
}
