//! `mcpServerStatus/list`: the MCP servers, what they offer, and why they do not.

use config::{McpServer, McpTransport};
use jsonrpc::RpcError;
use protocol::{
    ListMcpServerStatusParams as Params, ListMcpServerStatusResponse as Response, McpAuthStatus,
    McpServerStatus, McpServerStatusDetail,
};
use tokio_util::sync::CancellationToken;
use tools::{McpEntries, McpLease, McpServerState, McpStatus};

use crate::{
    context::Context,
    error::{invalid, of_agent},
    paging::{PAGE_BYTES, fitting},
    wire,
};

/// Starts what is not running, of the servers of the page, and waits for it, as long as the entries let it.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { cursor, limit, detail, server_name, thread_id } = params;
    let mut entries = match &thread_id {
        None => super::configured(&cx)?,
        Some(id) => {
            let thread = cx.agents.require(wire::thread_id(id)?).map_err(|error| of_agent(&error))?;
            thread.tools().mcp_entries()
        }
    };
    entries.retain(|name, _| server_name.as_ref().is_none_or(|wanted| wanted == name));
    let total = entries.len();
    let start = start(cursor.as_deref(), total)?;
    let limit = limit.map_or(usize::MAX, |limit| limit.max(1) as usize);
    let page: McpEntries = entries.into_iter().skip(start).take(limit).collect();
    let lease = cx.workshop.lease(&page);
    lease.settled().await;
    let full = detail != Some(McpServerStatusDetail::ToolsAndAuthOnly);
    let mut data = Vec::new();
    for (name, entry) in &page {
        let entry = entry.as_ref().ok();
        let state = lease.servers().into_iter().find(|state| state.name == *name);
        let mut status = described(&lease, name, state, entry);
        if full {
            read(&lease, &mut status).await;
        }
        data.push(status);
    }
    let data = fitting(data.into_iter(), PAGE_BYTES);
    let end = start + data.len();
    Ok(Response { data, next_cursor: (end < total).then(|| end.to_string()) })
}

/// Where a page begins.
fn start(cursor: Option<&str>, total: usize) -> Result<usize, RpcError> {
    let Some(cursor) = cursor else { return Ok(0) };
    let start = cursor.parse().map_err(|_| invalid(format!("invalid cursor: {cursor}")))?;
    if start > total {
        return Err(invalid(format!("cursor {start} exceeds total MCP servers {total}")));
    }
    Ok(start)
}

/// What is known of a server; one that is disabled has no state.
fn described(
    lease: &McpLease,
    name: &str,
    state: Option<McpServerState>,
    entry: Option<&McpServer>,
) -> McpServerStatus {
    let disabled = || McpServerState { name: name.to_owned(), status: McpStatus::Cancelled, info: None };
    let tools = lease.tools();
    let own = tools.iter().filter(|tool| tool.server() == name).map(|tool| tool.definition().clone());
    let auth = match entry.map(|entry| &entry.transport) {
        Some(McpTransport::Http { bearer_token_env_var: Some(_), .. }) => McpAuthStatus::BearerToken,
        _ => McpAuthStatus::Unsupported,
    };
    wire::mcp_server(&state.unwrap_or_else(disabled), own, auth)
}

/// Adds what a server has to read, where it says that there is something; one that does not answer has nothing.
async fn read(lease: &McpLease, status: &mut McpServerStatus) {
    let has_some =
        status.server_capabilities.as_ref().is_some_and(|capabilities| capabilities["resources"].is_object());
    if !has_some {
        return;
    }
    let cancel = CancellationToken::new();
    let resources = lease.resources(&status.name, &cancel).await.unwrap_or_default();
    status.resources = resources.into_iter().filter_map(wire::known).collect();
    let templates = lease.resource_templates(&status.name, &cancel).await.unwrap_or_default();
    status.resource_templates = templates.into_iter().filter_map(wire::known).collect();
}
