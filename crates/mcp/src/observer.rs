//! Who is told what servers do, and answers their questions.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value};

/// Watches the servers of one lease.
pub trait Observer: Send + Sync + 'static {
    /// Takes in how a server is now; what is said of one server comes in order.
    fn status<'a>(&'a self, server: &'a str, status: Status) -> BoxFuture<'a, ()>;

    /// Answers a question that a server asks while it works on a request of this lease.
    ///
    /// The future is dropped when the question has become moot: the server took it back, or the request has ended.
    fn elicit(&self, question: Question) -> BoxFuture<'_, Answer>;
}

/// How a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is being started.
    Starting,
    /// It answers.
    Ready,
    /// It did not start, or it died.
    Failed {
        /// Why, for people.
        error: Arc<str>,
    },
    /// Its start was given up, since nobody waits for it any more.
    Cancelled,
}

/// A form that a server wants filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The server's name.
    pub server: String,
    /// What it says to the person.
    pub message: String,
    /// The fields of the form, as a JSON Schema.
    pub requested_schema: Value,
    /// What it sent along.
    pub meta: Option<Map<String, Value>>,
}

/// What a person makes of a [`Question`].
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The form, filled in.
    Accept {
        /// The values of its fields.
        content: Option<Value>,
    },
    /// A refusal.
    Decline,
    /// The question was dismissed.
    Cancel,
}
