//! One connection: reads messages, gives each request its lane, and keeps what the client said of itself.

use std::{
    collections::HashSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jsonrpc::{Frame, Line, LineReader, Message, Outbox, RequestId, RpcError};
use protocol::ServerNotification;
use serde::Serialize;
use tokio::io::AsyncBufRead;
use tokio_util::sync::CancellationToken;

use crate::{context::App, dispatch, handshake, lanes::Lanes};

/// How long answers to what was read before the end of the input may take.
const LAST_ANSWERS: Duration = Duration::from_millis(1500);

/// A client that is connected.
pub(crate) struct Connection {
    pub(crate) id: u64,
    outbox: Outbox,
    client: OnceLock<Client>,
}

/// What a client said of itself.
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) experimental: bool,
    pub(crate) unwanted: HashSet<String>,
}

impl Connection {
    pub(crate) fn new(outbox: Outbox) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), outbox, client: OnceLock::new() }
    }

    /// Returns what the client said of itself, once it did.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Takes in what the client says of itself; `false` when it did so before.
    pub(crate) fn introduce(&self, client: Client) -> bool {
        self.client.set(client).is_ok()
    }

    /// Answers a request.
    pub(crate) async fn answer<R: Serialize>(&self, id: &RequestId, outcome: Result<R, RpcError>) {
        self.outbox.send(Frame::answer(id, outcome)).await;
    }

    /// Sends a notification, unless the client does not want it or has not introduced itself yet.
    pub(crate) async fn notify(&self, note: &ServerNotification) {
        if let Some(frame) = self.encode(note) {
            self.outbox.send(frame).await;
        }
    }

    /// Does the same at once, for what must keep its place behind the question that it is about.
    pub(crate) fn notify_at_once(&self, note: &ServerNotification) {
        if let Some(frame) = self.encode(note) {
            self.outbox.push(frame);
        }
    }

    /// Asks the client; how many questions may be open is bounded by who asks.
    pub(crate) fn ask(&self, question: Frame) {
        self.outbox.push(question);
    }

    fn encode(&self, note: &ServerNotification) -> Option<Frame> {
        self.client().filter(|client| !client.unwanted.contains(note.method()))?;
        match Frame::encode(note) {
            Ok(frame) => Some(frame),
            Err(error) => {
                tracing::error!(method = note.method(), %error, "a notification cannot be encoded");
                None
            }
        }
    }
}

/// Serves one connection until its input ends or the server is told to stop; what was read is answered then.
pub(crate) async fn serve(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    input: impl AsyncBufRead + Unpin,
    stop: &CancellationToken,
) {
    let lanes = Lanes::default();
    let mut lines = LineReader::new(input);
    loop {
        let line = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = connection.outbox.closed() => break,
            line = lines.next() => line,
        };
        match line {
            Ok(Some(Line::Whole(line))) => {
                if let Some(message) = Message::parse(line) {
                    take(app, connection, &lanes, message).await;
                }
            }
            Ok(Some(Line::TooLong { head })) => {
                if let Some(id) = Message::request_id_in(head) {
                    let limit = jsonrpc::MAX_LINE;
                    let error =
                        RpcError::invalid_request(format!("Invalid request: a line beyond {limit} bytes"));
                    connection.answer::<()>(&id, Err(error)).await;
                }
            }
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, "the input cannot be read any more");
                break;
            }
        }
    }
    if tokio::time::timeout(LAST_ANSWERS, lanes.finish()).await.is_err() {
        tracing::warn!("some requests were still under way when the connection ended");
    }
}

async fn take(app: &Arc<App>, connection: &Arc<Connection>, lanes: &Lanes, message: Message<'_>) {
    match message {
        // Alone among requests it is served at once: what is read behind it depends on it.
        Message::Request { id, method, params } if method == handshake::METHOD => {
            handshake::serve(app, connection, &id, params).await;
        }
        Message::Request { id, method, params } => {
            dispatch::request(app, connection, lanes, id, &method, params).await;
        }
        // `initialized` is the only one that clients send, and nothing waits for it.
        Message::Notification { .. } => {}
        Message::Response { id, outcome } => app.live.answered(connection, &id, outcome),
    }
}
