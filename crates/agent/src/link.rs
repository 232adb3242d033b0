//! A thread as its MCP servers see it.

use std::sync::Weak;

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;
use tools::{Change, ElicitationQuestion, Elicited, Host, Question, ThreadLink, WaitsOn};

use crate::{event::Event, shared::Shared};

/// Holds a thread as long as it is loaded, and no longer: its servers end with it.
pub(crate) struct Link(pub(crate) Weak<Shared>);

impl ThreadLink for Link {
    fn mcp_status(&self, server: String, status: tools::McpStatus) -> BoxFuture<'_, ()> {
        async move {
            if let Some(shared) = self.0.upgrade() {
                shared.tell(Event::McpStatus { server, status }).await;
            }
        }
        .boxed()
    }

    fn elicit(&self, question: ElicitationQuestion) -> BoxFuture<'_, Option<Elicited>> {
        async move {
            let host = self.0.upgrade()?.host()?;
            host.waits(WaitsOn::Approval, Change::Begins).await;
            let (reply, answer) = oneshot::channel();
            host.ask(Question::Elicitation(question, reply)).await;
            let answer = answer.await.ok();
            host.waits(WaitsOn::Approval, Change::Ends).await;
            answer
        }
        .boxed()
    }
}
