//! What the model answers a request with.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::events;

/// What the model answers one request with: a stream of events, or a status with a body.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Send(String),
    Wait(Gate),
    Cut,
}

/// Answers with one message, streamed in one piece.
pub fn say(text: &str) -> Answer {
    static SAID: AtomicUsize = AtomicUsize::new(0);
    let id = format!("msg-{}", SAID.fetch_add(1, Ordering::Relaxed));
    Answer::stream([
        events::created(),
        events::message_added(&id),
        events::delta(text),
        events::message(&id, text),
        events::completed(),
    ])
}

/// Answers with one call of a tool, of which the model then wants the output.
pub fn call(call_id: &str, name: &str, arguments: &Value) -> Answer {
    Answer::stream([events::created(), events::function_call(call_id, name, arguments), events::completed()])
}

impl Answer {
    /// Streams events, and ends the body in order behind the last one.
    pub fn stream(events: impl IntoIterator<Item = Value>) -> Self {
        let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
        Self { status: 200, headers, steps: Vec::new() }.then(events)
    }

    /// Answers with a status and a body.
    pub fn status(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), steps: vec![Step::Send(body.to_owned())] }
    }

    /// Sends a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Goes on with more events.
    pub fn then(mut self, events: impl IntoIterator<Item = Value>) -> Self {
        let event = |event: Value| {
            format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
        };
        self.steps.extend(events.into_iter().map(|one| Step::Send(event(one))));
        self
    }

    /// Goes on with text that is sent as it is.
    pub fn text(mut self, text: &str) -> Self {
        self.steps.push(Step::Send(text.to_owned()));
        self
    }

    /// Holds the rest back until the test opens the gate.
    pub fn wait(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }

    /// Breaks the connection.
    pub fn cut(mut self) -> Self {
        self.steps.push(Step::Cut);
        self
    }

    pub(super) fn into_response(self) -> Response {
        let Self { status, headers, steps } = self;
        let body = stream::iter(steps).filter_map(|step| async move {
            match step {
                Step::Send(text) => Some(Ok(Bytes::from(text))),
                Step::Wait(gate) => {
                    gate.passed().await;
                    None
                }
                Step::Cut => Some(Err(io::Error::other("cut by the script"))),
            }
        });
        let mut response = Response::new(Body::from_stream(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response
                .headers_mut()
                .insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        }
        response
    }
}

/// Holds an answer back until a test opens it; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// Makes a closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Opens the gate, for good.
    pub fn open(&self) {
        self.0.close();
    }

    async fn passed(&self) {
        // There are no permits: waiting ends, with an error, when the semaphore is closed.
        let _ = self.0.acquire().await;
    }
}
