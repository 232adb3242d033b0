//! `thread/start`: a new thread.

use agent::{Keep, Load};
use chrono::{Local, Utc};
use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadHistoryMode, ThreadStartParams as Params, ThreadStartResponse as Response,
    ThreadStartedNotification,
};
use threads::{StoredThread, ThreadId};
use tools::ClientTool;

use crate::{
    PROTOCOL_RELEASE,
    context::Context,
    error::of_agent,
    opening::{self, Opening, Remembered, refuse_unbuilt},
    wire,
};

/// Loads a thread that has no rollout yet; the file comes with the first message.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    refuse_unbuilt(&[("historyMode", params.history_mode == Some(ThreadHistoryMode::Paginated))])?;
    let client_tools = wire::client_tools(params.dynamic_tools.unwrap_or_default())?;
    let ephemeral = params.ephemeral.unwrap_or(false);
    let id = ThreadId::new();
    let remembered = Remembered { client_tools: client_tools.clone(), ..Remembered::default() };
    let Opening { settings, parts } = opening::open(&cx, id, params.overrides, remembered)?;
    let meta = new_meta(&cx, id, &settings, &client_tools);
    let path = cx.threads.home().new_rollout(meta.id, Local::now().naive_local());
    let thread = StoredThread::promised(&meta, path);
    let keep = match ephemeral {
        true => Keep::Ephemeral(Vec::new()),
        false => Keep::New(Box::new(meta)),
    };
    let loaded = cx.agents.load(Load { thread, keep, settings, parts }).map_err(|error| of_agent(&error))?;
    super::listen(&cx, &loaded);
    let snapshot = loaded.snapshot();
    let thread = super::shown(&cx, &snapshot.thread, Vec::new());
    let started = ThreadStartedNotification { thread: thread.clone() };
    cx.after_reply_to_all(ServerNotification::ThreadStarted(Box::new(started)));
    Ok(Response { thread, settings: wire::settings(&snapshot.settings) })
}

/// Where the first record of a thread keeps the tools that its client carries out.
pub(super) const DYNAMIC_TOOLS: &str = "dynamic_tools";

/// The first record of a thread that this server makes.
pub(super) fn new_meta(
    cx: &Context,
    id: ThreadId,
    settings: &agent::Settings,
    client_tools: &[ClientTool],
) -> rollout::SessionMeta {
    let mut extra = serde_json::Map::new();
    if !client_tools.is_empty() {
        extra.insert(DYNAMIC_TOOLS.to_owned(), serde_json::json!(client_tools));
    }
    rollout::SessionMeta {
        extra,
        id,
        timestamp: rollout::timestamp(Utc::now()),
        cwd: settings.cwd.to_string_lossy().into_owned(),
        originator: cx.originator(),
        cli_version: PROTOCOL_RELEASE.to_owned(),
        source: Some("vscode".into()),
        model_provider: Some(settings.provider.clone()),
        base_instructions: settings.base_instructions.clone().map(|text| rollout::BaseInstructions { text }),
        ..rollout::SessionMeta::default()
    }
}
