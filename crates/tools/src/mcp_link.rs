//! Between the MCP servers of a thread and the thread: how they are, and what they ask.

use std::sync::Arc;

use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};
use mcp::{Answer, Observer, Question};

use crate::host::{ElicitationQuestion, Elicited};

/// The thread that MCP servers run for.
pub trait ThreadLink: Send + Sync + 'static {
    /// Tells how a server is.
    fn mcp_status(&self, server: String, status: mcp::Status) -> BoxFuture<'_, ()>;

    /// Asks the person what a server wants to know; `None` while no turn runs, or where nobody answered.
    fn elicit(&self, question: ElicitationQuestion) -> BoxFuture<'_, Option<Elicited>>;
}

/// Hears nothing, and declines what is asked: there is no thread.
pub(crate) struct Unattended;

impl Observer for Unattended {
    fn status<'a>(&'a self, _: &'a str, _: mcp::Status) -> BoxFuture<'a, ()> {
        ready(()).boxed()
    }

    fn elicit(&self, _: Question) -> BoxFuture<'_, Answer> {
        ready(Answer::Decline).boxed()
    }
}

/// Hands on what servers tell and ask.
pub(crate) struct Linked(pub(crate) Arc<dyn ThreadLink>);

impl Observer for Linked {
    fn status<'a>(&'a self, server: &'a str, status: mcp::Status) -> BoxFuture<'a, ()> {
        self.0.mcp_status(server.to_owned(), status)
    }

    fn elicit(&self, question: Question) -> BoxFuture<'_, Answer> {
        async move {
            let Question { server, message, requested_schema, meta } = question;
            let asked =
                ElicitationQuestion { server, message, schema: requested_schema, meta: meta.map(Into::into) };
            match self.0.elicit(asked).await {
                Some(Elicited::Accept { content, .. }) => Answer::Accept { content },
                Some(Elicited::Cancel) => Answer::Cancel,
                Some(Elicited::Decline) | None => Answer::Decline,
            }
        }
        .boxed()
    }
}
