//! `thread/resume`: loads a stored thread, or listens to a loaded one.

use std::path::{Path, PathBuf};

use agent::{Keep, Load, Snapshot, Thread};
use chrono::Local;
use items::{ResponseItem, Role};
use jsonrpc::RpcError;
use protocol::{
    ServerNotification, ThreadOverrides, ThreadResumeInitialTurnsPageParams as InitialPage,
    ThreadResumeParams as Params, ThreadResumeResponse as Response, ThreadStatusChangedNotification,
    ThreadTurnsListParams, TurnsPage,
};
use threads::{StoredThread, ThreadId, Turns};

use super::start::{DYNAMIC_TOOLS, new_meta};
use crate::{
    context::Context,
    error::{invalid, of_agent, of_thread},
    opening::{self, Opening, Remembered},
    paging::PAGE_BYTES,
    wire,
};

/// Opens by path, by history or by id, in this order of precedence.
///
/// A thread that is loaded keeps its settings: overrides are for threads that are loaded by this call. The client is
/// told the goal of a thread that has one; none is told of, since clients of the older release know no goals. A thread
/// that is loaded by this call goes on to work on its goal.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, overrides, path, history, exclude_turns, initial_turns_page, .. } = params;
    let path = path.map(PathBuf::from);
    let running =
        wire::session_id(&thread_id).ok().and_then(|id| cx.agents.find(id)).map(|thread| thread.snapshot());
    if let Some(running) = &running {
        refuse_mismatch(running, history.is_some(), path.as_deref())?;
    }
    if let Some(history) = history {
        return from_history(&cx, overrides, history);
    }
    let was_loaded = running.is_some();
    let thread = match (path, running) {
        (Some(path), None) => {
            load(&cx, cx.threads.read_path(path).await.map_err(|e| of_thread(&e))?, overrides).await?
        }
        (_, Some(running)) if !running.materialized => {
            return Err(invalid(format!("no rollout found for thread id {}", running.thread.id())));
        }
        (None, None) => {
            let id = wire::session_id(&thread_id)?;
            load(&cx, cx.threads.read_active(id).await.map_err(|e| of_thread(&e))?, overrides).await?
        }
        (_, Some(running)) => cx.agents.require(running.thread.id()).map_err(|e| of_agent(&e))?,
    };
    let questions = cx.live.subscribe(thread.id(), &cx.connection);
    thread.start_servers();
    thread.set_watched(true).await;
    let snapshot = thread.snapshot();
    let stored = super::current(&cx, thread.id()).await?;
    let (Turns { turns, oldest }, page) =
        history_of(&cx, &stored, &snapshot, exclude_turns.unwrap_or(false), initial_turns_page).await?;
    let status = wire::status(&snapshot.status);
    cx.after_reply(ServerNotification::ThreadStatusChanged(ThreadStatusChangedNotification {
        thread_id: thread.id().to_string(),
        status,
    }));
    if let Some(goal) = cx.threads.goal(thread.id()).await.map_err(|error| of_thread(&error))? {
        cx.after_reply(wire::goal_updated(thread.id(), None, goal));
        if !was_loaded {
            cx.pursue_after_reply(thread.clone());
        }
    }
    cx.ask_after_reply(questions);
    Ok(Response {
        thread: super::shown(&cx, &stored, turns),
        settings: wire::settings(&snapshot.settings),
        initial_turns_page: page,
        turns_backwards_cursor: oldest,
        items_backwards_cursor: None,
    })
}

fn refuse_mismatch(running: &Snapshot, with_history: bool, path: Option<&Path>) -> Result<(), RpcError> {
    let id = running.thread.id();
    if with_history {
        return Err(invalid(format!("cannot resume thread {id} with history while it is already running")));
    }
    match path {
        Some(path) if path != running.thread.path => Err(invalid(format!(
            "cannot resume running thread {id} with mismatched path: requested `{}`, active `{}`",
            path.display(),
            running.thread.path.display()
        ))),
        _ => Ok(()),
    }
}

/// Loads a stored thread with what it remembers.
async fn load(cx: &Context, thread: StoredThread, overrides: ThreadOverrides) -> Result<Thread, RpcError> {
    let remembered = remembered(cx, &thread).await?;
    let Opening { settings, parts } = opening::open(cx, thread.id(), overrides, remembered)?;
    cx.agents.load(Load { thread, keep: Keep::Stored, settings, parts }).map_err(|error| of_agent(&error))
}

/// Takes from a stored thread how its last turn ran; before the first one, how it was started.
pub(super) async fn remembered(cx: &Context, thread: &StoredThread) -> Result<Remembered, RpcError> {
    let last = cx.threads.last_turn_context(thread.path()).await.map_err(|error| of_thread(&error))?;
    let last = last.unwrap_or_default();
    let meta = cx.threads.session_meta(thread.path()).await.map_err(|error| of_thread(&error))?;
    let client_tools = meta.and_then(|mut meta| meta.extra.remove(DYNAMIC_TOOLS));
    let summary = &thread.summary;
    Ok(Remembered {
        model: last.model.or_else(|| summary.model.clone()),
        provider: summary.model_provider.clone(),
        cwd: Some(last.cwd.unwrap_or_else(|| summary.cwd.clone()).into()),
        effort: last.effort,
        approval: serde_json::from_value(last.approval_policy).ok(),
        sandbox: serde_json::from_value(last.sandbox_policy).ok(),
        client_tools: client_tools.and_then(|tools| serde_json::from_value(tools).ok()).unwrap_or_default(),
    })
}

/// Makes another thread whose model knows the given items; the one that the client named stays as it is.
fn from_history(
    cx: &Context,
    overrides: ThreadOverrides,
    history: Vec<ResponseItem>,
) -> Result<Response, RpcError> {
    if history.is_empty() {
        return Err(invalid("history must not be empty"));
    }
    let id = ThreadId::new();
    let Opening { settings, parts } = opening::open(cx, id, overrides, Remembered::default())?;
    let mut meta = new_meta(cx, id, &settings, &[]);
    let path = cx.threads.home().new_rollout(meta.id, Local::now().naive_local());
    let mut thread = StoredThread::promised(&meta, path);
    thread.summary.preview = history
        .iter()
        .find(|item| item.role() == Some(Role::User) && !item.is_injected_context())
        .map(ResponseItem::text);
    if let Some(preview) = &thread.summary.preview {
        meta.extra.insert("preview".to_owned(), preview.as_str().into());
    }
    let keep = Keep::NewWith(Box::new(meta), history);
    let loaded = cx.agents.load(Load { thread, keep, settings, parts }).map_err(|error| of_agent(&error))?;
    super::listen(cx, &loaded);
    let snapshot = loaded.snapshot();
    Ok(Response {
        thread: super::shown(cx, &snapshot.thread, Vec::new()),
        settings: wire::settings(&snapshot.settings),
        initial_turns_page: None,
        turns_backwards_cursor: None,
        items_backwards_cursor: None,
    })
}

/// Reads the turns as far as they are wanted: none, a page, or all that one answer may hold.
async fn history_of(
    cx: &Context,
    stored: &StoredThread,
    snapshot: &Snapshot,
    exclude: bool,
    page: Option<InitialPage>,
) -> Result<(Turns, Option<TurnsPage>), RpcError> {
    let running = snapshot.running.clone();
    let turns = match exclude {
        true => Turns::default(),
        false => cx.threads.turns(stored.path(), running.clone()).await.map_err(|e| of_thread(&e))?,
    };
    let Some(InitialPage { limit, sort_direction, items_view }) = page else { return Ok((turns, None)) };
    let thread_id = stored.id().to_string();
    let page = ThreadTurnsListParams { thread_id, cursor: None, limit, sort_direction, items_view };
    let page =
        cx.threads.turn_page(stored.path(), page, PAGE_BYTES, running).await.map_err(|e| of_thread(&e))?;
    Ok((turns, Some(page)))
}
