//! `thread/start`: a new thread.

use agent::{Keep, Load};
use chrono::{Local, Utc};
use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadHistoryMode, ThreadStartParams as Params, ThreadStartResponse as Response,
    ThreadStartedNotification,
};
use threads::{StoredThread, ThreadId};

use crate::{
    PROTOCOL_RELEASE,
    context::Context,
    error::of_agent,
    opening::{self, Opening, Remembered, refuse_unbuilt},
    wire,
};

/// Loads a thread that has no rollout yet; the file comes with the first message.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    refuse_unbuilt(&[
        ("dynamicTools", params.dynamic_tools.is_some_and(|tools| !tools.is_empty())),
        ("historyMode", params.history_mode == Some(ThreadHistoryMode::Paginated)),
    ])?;
    let ephemeral = params.ephemeral.unwrap_or(false);
    let Opening { settings, parts } = opening::open(&cx, params.overrides, Remembered::default())?;
    let meta = new_meta(&cx, ThreadId::new(), &settings);
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

/// The first record of a thread that this server makes.
pub(super) fn new_meta(cx: &Context, id: ThreadId, settings: &agent::Settings) -> rollout::SessionMeta {
    rollout::SessionMeta {
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
