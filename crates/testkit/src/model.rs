//! A model provider on loopback that speaks the Responses API, and Chat Completions, from a script.

mod answer;
pub mod events;
mod request;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::post;
use tokio::sync::{oneshot, watch};

pub use self::answer::{Answer, Gate, call, say};
pub use self::request::Request;
use crate::daemon::patience;

/// A model provider that answers from a script, and without one says `Done` as the Responses API does.
///
/// It runs on a thread of its own, so that a test that blocks does not stop it.
pub struct MockModel {
    url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    asked: watch::Sender<Vec<Request>>,
}

impl MockModel {
    /// Starts the provider on a free port.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let router = axum::Router::new()
            .route("/v1/responses", post(answer))
            .route("/v1/chat/completions", post(answer))
            .layer(DefaultBodyLimit::disable()) // what a giant thread's model is told has megabytes
            .with_state(Arc::clone(&shared));
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    // Not a graceful end: an answer that waits at a gate would never let it come.
                    _ = axum::serve(listener, router).into_future() => {}
                    _ = stopped => {}
                }
            });
        });
        Self { url, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Returns the base URL for a config.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds answers, one a request.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.script.lock().unwrap().extend(answers);
    }

    /// Forgets the answers that are left, and goes on with these.
    pub fn rescript(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.shared.script.lock().unwrap() = answers.into_iter().collect();
    }

    /// Returns what was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.asked.borrow().clone()
    }

    /// Returns the newest request.
    pub fn last_request(&self) -> Request {
        self.requests().pop().expect("the model was not asked anything")
    }

    /// Waits until the model was asked that often, and returns what it was asked last by then.
    pub async fn asked(&self, times: usize) -> Request {
        let mut asked = self.shared.asked.subscribe();
        let waited =
            tokio::time::timeout(patience(), asked.wait_for(|requests| requests.len() >= times)).await;
        match waited {
            Ok(requests) => requests.unwrap()[times - 1].clone(),
            Err(_) => panic!("the model was asked {} times, not {times}", self.requests().len()),
        }
    }
}

impl Drop for MockModel {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the scripted model panicked");
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let request = Request::new(&uri, headers, &body);
    let answer = shared.script.lock().unwrap().pop_front().unwrap_or_else(|| say("Done"));
    shared.asked.send_modify(|requests| requests.push(request));
    answer.into_response()
}
