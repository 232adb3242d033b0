//! What the wires over HTTP have in common: one POST a request, repeated while the server fails, and an answer that is
//! heard event by event.
//!
//! Not here: what a request looks like, and what an event means. A wire hands both in, the latter as a [`Hear`].

mod endpoint;
pub(crate) mod failure;
pub(crate) mod headers;
mod pause;
mod retry;
mod sse;

use std::{collections::VecDeque, error::Error, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::Utc;
use futures::{Stream, StreamExt, stream};
use reqwest::{Response, header::HeaderMap};
use tokio::{sync::OnceCell, time::timeout};

use self::{endpoint::Endpoint, failure::Refused, sse::Broken};
use crate::{ErrorKind, EventStream, ModelError, ProviderSettings, RateLimits, Request, Retry, StreamEvent};

/// How much of a refusal's body is read: it becomes a message, and messages have to stay short enough for clients.
const LONGEST_REFUSAL: usize = 16 << 10;

/// One provider, reached at one path below its base.
pub(crate) struct Http {
    settings: ProviderSettings,
    path: &'static str,
    endpoint: OnceCell<Endpoint>,
}

/// What is told of a response, in order.
pub(crate) type Told = VecDeque<Result<StreamEvent, ModelError>>;

/// What a wire makes of the events of one response.
pub(crate) trait Hear: Send + 'static {
    /// Without this a response has no end; for the message of a stream that is closed early.
    const LAST: &'static str;

    /// Takes in the data of an event, and adds what it means, if anything.
    fn hear(&mut self, data: &str, told: &mut Told);

    /// Returns how a response ends behind whose last event nothing comes any more.
    fn end(&mut self, why: ModelError) -> Result<StreamEvent, ModelError> {
        Err(why)
    }
}

impl Http {
    /// Takes the settings as they are; what is wrong with them is told by the first request.
    pub(crate) fn new(settings: ProviderSettings, path: &'static str) -> Self {
        Self { settings, path, endpoint: OnceCell::new() }
    }

    pub(crate) fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// Asks once the stream is polled: `prepare` writes the body, and makes the one who hears the answer.
    pub(crate) fn stream<H: Hear>(
        self: &Arc<Self>,
        request: Request,
        prepare: impl FnOnce(&Request) -> serde_json::Result<(Vec<u8>, H)> + Send + 'static,
    ) -> EventStream {
        let http = Arc::clone(self);
        let opened = async move {
            match http.open(request, prepare).await {
                Ok((response, hear)) => {
                    listen(response, hear, http.settings.stream_idle_timeout).left_stream()
                }
                Err(refused) => tell_of(refused).right_stream(),
            }
        };
        stream::once(opened).flatten().boxed()
    }

    /// Posts a request until there is a response to stream.
    async fn open<H>(
        self: &Arc<Self>,
        request: Request,
        prepare: impl FnOnce(&Request) -> serde_json::Result<(Vec<u8>, H)>,
    ) -> Result<(Response, H), Refused> {
        let endpoint = self.endpoint.get_or_try_init(|| self.prepare()).await?;
        let (body, hear) = prepare(&request).map_err(|error| {
            ModelError::last(ErrorKind::Other, format!("the request cannot be written as JSON: {error}"))
        })?;
        let body = Bytes::from(body);
        let headers = headers::of_request(&request, &endpoint.headers);
        // The conversation may be long: only its written form is kept while the model answers.
        drop(request);
        let attempt = || self.attempt(endpoint, &headers, &body);
        Ok((retry::patiently(self.settings.request_max_retries, attempt).await?, hear))
    }

    async fn prepare(self: &Arc<Self>) -> Result<Endpoint, ModelError> {
        let http = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || Endpoint::new(&http.settings, http.path)).await;
        made.unwrap_or_else(|error| {
            Err(ModelError::last(ErrorKind::Other, format!("the HTTP client could not be made: {error}")))
        })
    }

    /// Posts a request once.
    async fn attempt(
        &self,
        endpoint: &Endpoint,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Response, Refused> {
        let request = endpoint.client.post(endpoint.url.clone()).headers(headers.clone()).body(body.clone());
        let answered = async {
            let response = request.send().await.map_err(|error| {
                failure::unreachable(
                    &self.settings.name,
                    format_args!("{} ({})", causes(error.without_url()), endpoint.shown),
                )
            })?;
            if response.status().is_success() {
                return Ok(response);
            }
            let (status, head) = (response.status(), response.headers().clone());
            let words = words(response).await;
            Err(failure::refused(status, &head, &words, &endpoint.shown, Utc::now()))
        };
        match timeout(self.settings.stream_idle_timeout, answered).await {
            Ok(answered) => answered,
            Err(_) => Err(ModelError::cut(Broken::Idle).into()),
        }
    }
}

/// Reads the body of a refusal, as far as it comes and is not too long.
async fn words(mut response: Response) -> String {
    let mut words = Vec::new();
    while words.len() < LONGEST_REFUSAL
        && let Ok(Some(piece)) = response.chunk().await
    {
        words.extend_from_slice(&piece);
    }
    words.truncate(LONGEST_REFUSAL);
    String::from_utf8_lossy(&words).into_owned()
}

/// Tells why there is no response.
fn tell_of(Refused { error, limits, .. }: Refused) -> impl Stream<Item = Result<StreamEvent, ModelError>> {
    let limits = Some(limits).filter(|limits| *limits != RateLimits::default());
    stream::iter(limits.map(StreamEvent::RateLimits).map(Ok).into_iter().chain([Err(error)]))
}

/// A response that is being heard.
struct Listening<S, H> {
    events: Pin<Box<S>>,
    hear: H,
    /// What was heard and not yet told.
    told: Told,
}

/// Tells what a response streams, up to its end or its first failure.
fn listen<H: Hear>(
    response: Response,
    hear: H,
    idle: Duration,
) -> impl Stream<Item = Result<StreamEvent, ModelError>> + Send {
    let told = headers::told(response.headers()).map(Ok).collect();
    let body = response.bytes_stream().map(|piece| piece.map_err(reqwest::Error::without_url));
    let listening = Listening { events: Box::pin(sse::events(body, idle)), hear, told };
    stream::unfold(Some(listening), |listening| async {
        let mut listening = listening?;
        let told = listening.next().await;
        let last = matches!(told, Ok(StreamEvent::Completed { .. }) | Err(_));
        Some((told, (!last).then_some(listening)))
    })
}

impl<S: Stream<Item = Result<String, Broken>>, H: Hear> Listening<S, H> {
    async fn next(&mut self) -> Result<StreamEvent, ModelError> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return told;
            }
            let why = match self.events.next().await {
                Some(Ok(data)) => {
                    self.hear.hear(&data, &mut self.told);
                    continue;
                }
                // It would be as large the next time.
                Some(Err(broken @ Broken::TooLarge)) => {
                    ModelError { retry: Retry::No, ..ModelError::cut(broken) }
                }
                Some(Err(broken)) => ModelError::cut(broken),
                None => ModelError::cut(format_args!("stream closed before {}", H::LAST)),
            };
            return self.hear.end(why);
        }
    }
}

/// Writes an error with what caused it: the outermost text alone ("error sending request") says nothing.
fn causes(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        // Wrappers often repeat what they wrap.
        if !text.ends_with(&further) {
            text = format!("{text}: {further}");
        }
        cause = error.source();
    }
    text
}
