//! A provider on loopback that answers from a list and remembers what it was asked.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
};

/// A running provider; ends with the test's runtime.
pub struct Provider {
    /// What a provider's settings name as `base_url`.
    pub url: String,
    shared: Arc<Shared>,
    asking: AsyncMutex<mpsc::UnboundedReceiver<Asking>>,
}

struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    seen: Mutex<Vec<Seen>>,
    asking: mpsc::UnboundedSender<Asking>,
}

/// A request that came in.
#[derive(Clone)]
pub struct Seen {
    pub uri: String,
    pub body: Value,
    headers: HeaderMap,
}

/// A request that is kept waiting.
pub struct Asking(oneshot::Receiver<()>);

/// What a request is answered with.
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    end: End,
}

enum End {
    Clean,
    Reset,
    /// The body goes on, but nothing comes.
    Silence,
    /// Not even a status comes.
    Nothing,
}

impl Provider {
    /// Starts a provider that gives these answers, one a request.
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (tell, asking) = mpsc::unbounded_channel();
        let answers = Mutex::new(answers.into_iter().collect());
        let shared = Arc::new(Shared { answers, seen: Mutex::default(), asking: tell });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, shared, asking: AsyncMutex::new(asking) }
    }

    /// Returns the requests that came in so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Waits for a request that is kept waiting.
    pub async fn asking(&self) -> Asking {
        self.asking.lock().await.recv().await.unwrap()
    }
}

impl Seen {
    /// Returns a header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Asking {
    /// Waits until whoever asked has gone.
    pub async fn dropped(self) {
        self.0.await.unwrap_err();
    }
}

impl Answer {
    /// Answers with events.
    pub fn events(events: impl IntoIterator<Item = Value>) -> Self {
        let name = |event: &Value| event["type"].as_str().unwrap_or_default().to_owned();
        let lines = events.into_iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(&event)));
        Self {
            headers: vec![("content-type".into(), "text/event-stream".into())],
            ..Self::status(200, lines.collect::<String>())
        }
    }

    /// Answers with a status and a body.
    pub fn status(status: u16, body: impl AsRef<[u8]>) -> Self {
        let body = Bytes::copy_from_slice(body.as_ref());
        Self { status, headers: Vec::new(), body, end: End::Clean }
    }

    /// Does not answer.
    pub fn silence() -> Self {
        Self { end: End::Nothing, ..Self::status(200, "") }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Breaks the connection off behind the body.
    pub fn then_reset(self) -> Self {
        Self { end: End::Reset, ..self }
    }

    /// Says nothing behind the body, and does not end it.
    pub fn then_silence(self) -> Self {
        Self { end: End::Silence, ..self }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    shared.seen.lock().unwrap().push(Seen {
        uri: head.uri.to_string(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        headers: head.headers,
    });
    let answer = shared.answers.lock().unwrap().pop_front().expect("a request too many");
    let body = stream::iter([Ok(answer.body)]);
    let (alive, gone) = oneshot::channel::<()>();
    let body = match answer.end {
        End::Clean => Body::from_stream(body),
        End::Reset => Body::from_stream(body.chain(stream::once(async {
            // What comes before is sent off only once the body has nothing more to give for now.
            tokio::task::yield_now().await;
            Err(io::Error::other("reset"))
        }))),
        End::Silence => {
            shared.asking.send(Asking(gone)).unwrap();
            // The sender is dropped with the stream, and so with the connection.
            let silence = stream::once(async move {
                std::future::pending::<()>().await;
                drop(alive);
                Ok::<_, io::Error>(Bytes::new())
            });
            Body::from_stream(body.chain(silence))
        }
        End::Nothing => {
            shared.asking.send(Asking(gone)).unwrap();
            std::future::pending::<()>().await;
            drop(alive);
            Body::empty()
        }
    };
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).unwrap());
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}
