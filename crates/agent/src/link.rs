//! A thread as its MCP servers see it.

use std::sync::{Arc, Weak};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;
use tools::{ElicitationQuestion, Elicited, Question, ThreadLink};

use crate::{
    event::{Event, Status, Waiting},
    shared::Shared,
};

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
            let shared = self.0.upgrade()?;
            let turn = shared.snapshot().running?;
            show_waiting(&shared, &turn, Waiting { approval: true, ..Waiting::default() }).await;
            let (reply, answer) = oneshot::channel();
            shared.ask(turn.clone(), Question::Elicitation(question, reply)).await;
            let answer = answer.await.ok();
            show_waiting(&shared, &turn, Waiting::default()).await;
            answer
        }
        .boxed()
    }
}

/// Shows what a turn waits for, unless it is over by now.
async fn show_waiting(shared: &Arc<Shared>, turn: &str, waiting: Waiting) {
    if shared.snapshot().running.as_deref() == Some(turn) {
        shared.set_status(Status::Active(waiting)).await;
    }
}
