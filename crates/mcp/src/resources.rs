//! What servers have to read, in the form in which a model is told of it.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    Lease, McpError,
    pages::{self, Pages},
    request::Request,
    result,
};

/// A kind of list.
#[derive(Clone, Copy)]
struct Kind {
    method: &'static str,
    /// Under which key the entries stand, in answers and in what is returned.
    key: &'static str,
}

const RESOURCES: Kind = Kind { method: "resources/list", key: "resources" };
const TEMPLATES: Kind = Kind { method: "resources/templates/list", key: "resourceTemplates" };

impl Lease {
    /// Lists resources: one page of one server, or all of all servers.
    ///
    /// Returns `{server?, resources, nextCursor?}`, each resource with the name of its `server`. Of all servers, those
    /// that have none or do not answer are left out.
    pub async fn list_resources(
        &self,
        server: Option<&str>,
        cursor: Option<String>,
        cancel: &CancellationToken,
    ) -> Result<Value, McpError> {
        self.list(RESOURCES, server, cursor, cancel).await
    }

    /// Lists templates of resources, as [`list_resources`](Self::list_resources) does; the key is `resourceTemplates`.
    pub async fn list_resource_templates(
        &self,
        server: Option<&str>,
        cursor: Option<String>,
        cancel: &CancellationToken,
    ) -> Result<Value, McpError> {
        self.list(TEMPLATES, server, cursor, cancel).await
    }

    /// Reads a resource; returns `{contents}` as the server says.
    pub async fn read_resource(
        &self,
        server: &str,
        uri: &str,
        cancel: &CancellationToken,
    ) -> Result<Value, McpError> {
        let request =
            Request { method: "resources/read", params: json!({ "uri": uri }), meta: None, progress: None };
        let answer = self.ask(server, request, cancel).await?;
        let limit = result::MOST_BYTES;
        if !result::fits(&answer, &mut limit.clone()) {
            return Err(McpError::TooLong { server: server.to_owned(), limit });
        }
        Ok(answer)
    }

    /// Returns all resources of one server, as it lists them.
    pub async fn resources(&self, server: &str, cancel: &CancellationToken) -> Result<Vec<Value>, McpError> {
        self.all(RESOURCES, server, cancel).await
    }

    /// Returns all templates of one server, as it lists them.
    pub async fn resource_templates(
        &self,
        server: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<Value>, McpError> {
        self.all(TEMPLATES, server, cancel).await
    }

    async fn list(
        &self,
        kind: Kind,
        server: Option<&str>,
        cursor: Option<String>,
        cancel: &CancellationToken,
    ) -> Result<Value, McpError> {
        match server {
            Some(server) => self.list_page(kind, server, cursor, cancel).await,
            None if cursor.is_some() => Err(McpError::CursorWithoutServer),
            None => self.list_everything(kind, cancel).await,
        }
    }

    async fn list_page(
        &self,
        kind: Kind,
        server: &str,
        cursor: Option<String>,
        cancel: &CancellationToken,
    ) -> Result<Value, McpError> {
        let mut answer = self.ask(server, Request::page(kind.method, cursor), cancel).await?;
        let entries = named(server, pages::take(&mut answer, kind.key));
        let mut page = json!({ "server": server, kind.key: entries });
        if let Some(next) = pages::next(&answer) {
            page["nextCursor"] = next.into();
        }
        Ok(page)
    }

    async fn list_everything(&self, kind: Kind, cancel: &CancellationToken) -> Result<Value, McpError> {
        let mut entries = Vec::new();
        for server in self.with_resources() {
            match self.all(kind, server, cancel).await {
                Ok(listed) => entries.extend(named(server, listed)),
                Err(McpError::Cancelled) => return Err(McpError::Cancelled),
                Err(error) => tracing::warn!(server, %error, "resources cannot be listed"),
            }
        }
        Ok(json!({ kind.key: entries }))
    }

    async fn all(
        &self,
        kind: Kind,
        server: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<Value>, McpError> {
        let mut pages = Pages::new(kind.key);
        loop {
            let page = self.ask(server, Request::page(kind.method, pages.cursor()), cancel).await?;
            if let Some(all) = pages.add(page) {
                return Ok(all);
            }
        }
    }
}

/// Writes into each entry whose it is.
fn named(server: &str, entries: Vec<Value>) -> Vec<Value> {
    let name = |entry| match entry {
        Value::Object(mut entry) => {
            entry.insert("server".to_owned(), server.into());
            Value::Object(entry)
        }
        other => other,
    };
    entries.into_iter().map(name).collect()
}
