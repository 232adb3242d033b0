//! `thread/backgroundTerminals/*`: the commands that a thread left running.

use jsonrpc::RpcError;
use protocol::{
    ThreadBackgroundTerminal, ThreadBackgroundTerminalsCleanParams as CleanParams,
    ThreadBackgroundTerminalsCleanResponse as CleanResponse,
    ThreadBackgroundTerminalsListParams as ListParams, ThreadBackgroundTerminalsListResponse as ListResponse,
    ThreadBackgroundTerminalsTerminateParams as TerminateParams,
    ThreadBackgroundTerminalsTerminateResponse as TerminateResponse,
};

use crate::{
    context::Context,
    error::{invalid, of_agent},
    wire,
};

/// How many are listed where the client does not say; a thread has no more.
const DEFAULT_PAGE: u32 = 64;

/// Lists them, the oldest first; the cursor is the number of the last one that was given.
pub(crate) async fn list(cx: Context, params: ListParams) -> Result<ListResponse, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    let after = match &params.cursor {
        Some(cursor) => cursor.parse().map_err(|_| invalid(format!("invalid cursor: {cursor}")))?,
        None => 0,
    };
    let limit = params.limit.unwrap_or(DEFAULT_PAGE).max(1) as usize;
    let mut rest = thread.tools().background().into_iter().filter(|command| command.process > after);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let next = page.last().filter(|_| rest.next().is_some()).map(|last| last.process.to_string());
    let shown = |command: tools::BackgroundCommand| ThreadBackgroundTerminal {
        item_id: command.item,
        process_id: command.process.to_string(),
        command: command.command,
        cwd: command.cwd.to_string_lossy().into_owned(),
        os_pid: Some(command.pid),
        cpu_percent: None,
        rss_kb: None,
    };
    Ok(ListResponse { data: page.into_iter().map(shown).collect(), next_cursor: next })
}

/// Ends them all; their items are completed before the answer.
pub(crate) async fn clean(cx: Context, params: CleanParams) -> Result<CleanResponse, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    thread.tools().terminate_all().await;
    Ok(CleanResponse {})
}

/// Ends one, and says whether there was one.
pub(crate) async fn terminate(cx: Context, params: TerminateParams) -> Result<TerminateResponse, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    let id = &params.process_id;
    let process = id.parse().map_err(|_| invalid(format!("invalid process id: {id}")))?;
    Ok(TerminateResponse { terminated: thread.tools().terminate(process).await })
}
