//! What start, resume and fork share: from config and overrides to the settings of a thread, and to its answer.

use std::{path::PathBuf, sync::Arc, time::Duration};

use agent::{COMPACT_PROMPT, Parts, ProjectDocs, Settings};
use config::{ApprovalPolicy, Config};
use jsonrpc::RpcError;
use protocol::{PatchField, ThreadOverrides};
use serde_json::{Map, Value};
use threads::ThreadId;
use tools::{ClientTool, Mode, Offer, SandboxPolicy, ThreadTools, WebSearch};

use crate::{PROTOCOL_RELEASE, context::Context, error::invalid, handshake, wire};

/// The model that is asked for where neither client nor config names one.
const DEFAULT_MODEL: &str = "gpt-5.1-codex";

/// How long the first request of a turn waits for MCP servers that are still starting: the quick ones are there then,
/// and a dead one holds nobody up for long.
const MCP_GRACE: Duration = Duration::from_secs(2);

/// Settings of a thread that is about to be loaded, and what beside its files it needs.
pub(crate) struct Opening {
    pub(crate) settings: Settings,
    pub(crate) parts: Parts,
}

/// What a stored thread remembers of how it ran.
#[derive(Default)]
pub(crate) struct Remembered {
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) effort: Option<String>,
    pub(crate) approval: Option<ApprovalPolicy>,
    pub(crate) sandbox: Option<SandboxPolicy>,
    /// The tools that the client carries out itself.
    pub(crate) client_tools: Vec<ClientTool>,
}

/// Works out the settings: what the client says, else what the thread remembers, else the config.
pub(crate) fn open(
    cx: &Context,
    id: ThreadId,
    overrides: ThreadOverrides,
    remembered: Remembered,
) -> Result<Opening, RpcError> {
    let client_tools = remembered.client_tools;
    let thread_layer: Map<String, Value> = overrides.config.unwrap_or_default().into_iter().collect();
    let config = cx.options.config.load(&thread_layer).map_err(|error| wire::config_error(&error))?;
    refuse_unbuilt(&[
        ("permissions", overrides.permissions.is_some()),
        ("runtimeWorkspaceRoots", overrides.runtime_workspace_roots.is_some_and(|roots| !roots.is_empty())),
    ])?;
    let provider = overrides
        .model_provider
        .or(remembered.provider.filter(|id| config.providers.contains_key(id)))
        .unwrap_or_else(|| config.model_provider.clone());
    let model = cx.models.provider(&provider, &config, &cx.options.env).map_err(invalid)?;
    let cwd = overrides.cwd.map(PathBuf::from).or(remembered.cwd);
    let cwd = cwd.map_or_else(|| cx.options.cwd.clone(), |cwd| cx.options.cwd.join(cwd));
    let approval = overrides.approval_policy.map(wire::approval_from_wire);
    let name = overrides.model.or(remembered.model).or_else(|| config.model.clone());
    let name = name.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    let tokens = |count: Option<u64>| count.and_then(|tokens| i64::try_from(tokens).ok());
    let settings = Settings {
        provider,
        cwd,
        approval: approval.or(remembered.approval).unwrap_or(config.approval_policy),
        sandbox: match (overrides.sandbox, remembered.sandbox) {
            (None, Some(sandbox)) => sandbox,
            (asked, _) => wire::sandbox_policy(asked, &config),
        },
        effort: remembered.effort.or_else(|| config.model_reasoning_effort.clone()),
        summary: config.model_reasoning_summary.map(|summary| summary.as_str().to_owned()),
        service_tier: match &overrides.service_tier {
            PatchField::Set(tier) => Some(wire::service_tier_from_wire(tier)),
            PatchField::Clear => None,
            PatchField::Keep => config.service_tier.clone(),
        },
        verbosity: config.model_verbosity.map(|verbosity| verbosity.as_str().to_owned()),
        base_instructions: overrides.base_instructions.or_else(|| config.base_instructions.clone()),
        developer_instructions: overrides
            .developer_instructions
            .or_else(|| config.developer_instructions.clone()),
        model: name,
        mode: Mode::Default,
        mode_instructions: None,
    };
    let client = cx.connection.client();
    let (client_name, version) = client.map_or(("", ""), |client| (&client.name, &client.version));
    let parts = Parts {
        model,
        client: model::ClientIdentity {
            name: cx.originator(),
            user_agent: handshake::user_agent(cx, client_name, version),
        },
        tools: Arc::new(ThreadTools::new(
            Arc::clone(&cx.workshop),
            offer(&config, id, client_tools, thread_layer),
        )),
        docs: ProjectDocs {
            home: cx.options.home.clone(),
            max_bytes: config.project_doc_max_bytes,
            fallbacks: config.project_doc_fallback_filenames.clone(),
        },
        window: tokens(config.model_context_window),
        compact_at: tokens(config.model_auto_compact_token_limit),
        compact_prompt: config.compact_prompt.unwrap_or_else(|| COMPACT_PROMPT.to_owned()),
        idle_unload: config.idle_unload,
    };
    Ok(Opening { settings, parts })
}

/// Works out which tools a thread offers.
fn offer(
    config: &Config,
    id: ThreadId,
    client_tools: Vec<ClientTool>,
    overrides: Map<String, Value>,
) -> Offer {
    let feature = |name: &str| config.features.get(name).copied();
    let on = |name: &str| feature(name).unwrap_or(false);
    Offer {
        thread: id.to_string(),
        release: PROTOCOL_RELEASE,
        client_tools,
        commands: feature("shell_tool").unwrap_or(true),
        request_permissions: on("request_permissions_tool"),
        goals: feature("goals").unwrap_or(true),
        environment: config.shell_environment.clone(),
        mcp_servers: config.mcp_servers.clone(),
        mcp_grace: MCP_GRACE,
        overrides,
        web_search: match config.web_search {
            Some(config::WebSearch::Disabled) => WebSearch::Off,
            Some(config::WebSearch::Live) => WebSearch::Live,
            Some(config::WebSearch::Cached | config::WebSearch::Indexed) | None => WebSearch::Stored,
        },
        ask_in_every_mode: on("default_mode_request_user_input"),
    }
}

/// Refuses params that are not acted on yet: to ignore them would not be what the client asked for.
pub(crate) fn refuse_unbuilt(params: &[(&str, bool)]) -> Result<(), RpcError> {
    match params.iter().find(|(_, used)| *used) {
        Some((name, _)) => Err(invalid(format!("`{name}` is not supported by this server yet"))),
        None => Ok(()),
    }
}
