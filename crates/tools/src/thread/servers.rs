//! The MCP servers of a thread: started when somebody listens, let go of when the thread is unloaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcp::{Entries, Lease};
use serde_json::{Map, Value};

use super::ThreadTools;
use crate::{
    mcp_link::{Linked, ThreadLink},
    tool::Tool,
    toolbox::Key,
    tools::{ListMcpResources, Listed, McpTool, ReadMcpResource},
};

/// What a thread has of MCP servers.
#[derive(Default)]
pub(super) struct ThreadServers(Mutex<State>);

#[derive(Default)]
struct State {
    entries: Entries,
    /// The share in them, once somebody has listened to the thread.
    lease: Option<Arc<Lease>>,
}

impl ThreadServers {
    pub(super) fn new(entries: Entries) -> Self {
        Self(Mutex::new(State { entries, lease: None }))
    }

    pub(super) fn lease(&self) -> Option<Arc<Lease>> {
        self.lock().lease.clone()
    }

    /// Gives the share back.
    pub(super) fn let_go(&self) {
        self.lock().lease = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ThreadTools {
    /// Starts the MCP servers of the thread in the background, unless that was done. Called within a runtime.
    pub fn start_servers(&self, link: Arc<dyn ThreadLink>) {
        let mut servers = self.servers.lock();
        if servers.lease.is_none() && !servers.entries.is_empty() {
            let lease = self.workshop.acquire(&servers.entries, Arc::new(Linked(link)));
            servers.lease = Some(Arc::new(lease));
        }
    }

    /// Has other MCP servers from now on; calls that are under way end with the old ones.
    pub fn renew_servers(&self, entries: Entries, link: Arc<dyn ThreadLink>) {
        {
            let mut servers = self.servers.lock();
            servers.entries = entries;
            servers.lease = None;
        }
        self.start_servers(link);
    }

    /// Returns the share in the MCP servers of the thread; `None` where there are none.
    pub fn mcp_lease(&self) -> Option<Arc<Lease>> {
        self.servers.lease()
    }

    /// Returns the entries of the MCP servers of the thread.
    pub fn mcp_entries(&self) -> Entries {
        self.servers.lock().entries.clone()
    }

    /// Returns what the client set over the config when the thread was loaded.
    pub fn overrides(&self) -> &Map<String, Value> {
        &self.offer.overrides
    }

    /// The tools of the MCP servers, and those to read what these have.
    pub(super) fn mcp_tools(&self) -> Vec<(Key, Arc<dyn Tool>)> {
        let servers = self.servers.lock();
        let Some(lease) = servers.lease.as_ref().filter(|lease| !lease.servers().is_empty()) else {
            return Vec::new();
        };
        let mut tools: Vec<(Key, Arc<dyn Tool>)> = Vec::new();
        for tool in lease.tools().iter() {
            let entry = servers.entries.get(tool.server()).and_then(|entry| entry.as_ref().ok());
            let approval = entry.map(|entry| entry.approval_of(tool.tool())).unwrap_or_default();
            let name = tool.name().to_owned();
            let tool = McpTool { lease: Arc::clone(lease), tool: tool.clone(), approval };
            tools.push(((None, name), Arc::new(tool)));
        }
        for what in [Listed::Resources, Listed::Templates] {
            let tool = ListMcpResources { lease: Arc::clone(lease), what };
            tools.push(((None, what.name().to_owned()), Arc::new(tool)));
        }
        let read = ReadMcpResource { lease: Arc::clone(lease) };
        tools.push(((None, ReadMcpResource::NAME.to_owned()), Arc::new(read)));
        tools
    }
}
