//! `thread/fork`: a new thread with the history of another.

use std::path::PathBuf;

use agent::{Keep, Load};
use chrono::Local;
use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadForkParams as Params, ThreadForkResponse as Response, ThreadStartedNotification,
};
use threads::{ForkCut, StoredThread, ThreadId};

use super::{resume::remembered, start::new_meta};
use crate::{
    context::Context,
    error::{invalid, of_agent, of_thread},
    opening::{self, Opening},
    wire,
};

/// Copies the history, whole or up to a turn; the source stays as it is and, if it runs, runs on.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let cut = cut(&params)?;
    let source = source(&cx, params.path.map(PathBuf::from), &params.thread_id).await?;
    let remembered = remembered(&cx, &source).await?;
    let client_tools = remembered.client_tools.clone();
    let id = ThreadId::new();
    let Opening { settings, parts } = opening::open(&cx, id, params.overrides, remembered)?;
    let mut meta = new_meta(&cx, id, &settings, &client_tools);
    meta.forked_from_id = Some(source.id());
    meta.git = source.git().cloned();
    let path = cx.threads.home().new_rollout(meta.id, Local::now().naive_local());
    let ephemeral = params.ephemeral.unwrap_or(false);
    let (thread, keep, turns) = match ephemeral {
        true => {
            let (turns, context) =
                cx.threads.fork_in_memory(&source, cut).await.map_err(|e| of_thread(&e))?;
            let mut thread = StoredThread::promised(&meta, path);
            thread.summary.preview = source.summary.preview.clone();
            (thread, Keep::Ephemeral(context), turns.turns)
        }
        false => {
            let thread = cx.threads.fork(&source, meta, path, cut).await.map_err(|e| of_thread(&e))?;
            let turns = match params.exclude_turns.unwrap_or(false) {
                true => Vec::new(),
                false => cx.threads.turns(thread.path(), None).await.map_err(|e| of_thread(&e))?.turns,
            };
            (thread, Keep::Stored, turns)
        }
    };
    let loaded = cx.agents.load(Load { thread, keep, settings, parts }).map_err(|error| of_agent(&error))?;
    super::listen(&cx, &loaded);
    let snapshot = loaded.snapshot();
    let started = ThreadStartedNotification { thread: super::shown(&cx, &snapshot.thread, Vec::new()) };
    cx.after_reply_to_all(ServerNotification::ThreadStarted(Box::new(started)));
    let turns = if params.exclude_turns.unwrap_or(false) { Vec::new() } else { turns };
    Ok(Response {
        thread: super::shown(&cx, &snapshot.thread, turns),
        settings: wire::settings(&snapshot.settings),
    })
}

fn cut(params: &Params) -> Result<ForkCut, RpcError> {
    match (&params.last_turn_id, &params.before_turn_id) {
        (Some(_), Some(_)) => Err(invalid("`beforeTurnId` cannot be combined with `lastTurnId`")),
        (Some(last), None) => Ok(ForkCut::Through(last.clone())),
        (None, Some(before)) => Ok(ForkCut::Before(before.clone())),
        (None, None) => Ok(ForkCut::Nowhere),
    }
}

async fn source(cx: &Context, path: Option<PathBuf>, id: &str) -> Result<StoredThread, RpcError> {
    if let Some(path) = path {
        return cx.threads.read_path(path).await.map_err(|error| of_thread(&error));
    }
    let id = wire::session_id(id)?;
    let promised = cx.agents.find(id).is_some_and(|thread| !thread.snapshot().materialized);
    if promised {
        return Err(invalid(format!("no rollout found for thread id {id}")));
    }
    cx.threads.read_active(id).await.map_err(|error| of_thread(&error))
}
