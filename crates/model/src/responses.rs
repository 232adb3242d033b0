//! Models behind a Responses API: one POST a request, answered by server-sent events.

mod body;
mod endpoint;
mod event;
mod failure;
mod headers;
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
use crate::{
    ErrorKind, EventStream, Model, ModelError, ProviderSettings, RateLimits, Request, Retry, StreamEvent,
};

/// How much of a refusal's body is read: it becomes a message, and messages have to stay short enough for clients.
const LONGEST_REFUSAL: usize = 16 << 10;

/// The models of one provider.
pub struct ResponsesModel {
    provider: Arc<Provider>,
}

struct Provider {
    settings: ProviderSettings,
    endpoint: OnceCell<Endpoint>,
}

impl ResponsesModel {
    /// Takes the settings as they are; what is wrong with them is told by the first request.
    pub fn new(settings: ProviderSettings) -> Self {
        Self { provider: Arc::new(Provider { settings, endpoint: OnceCell::new() }) }
    }
}

impl Model for ResponsesModel {
    fn name(&self) -> &str {
        &self.provider.settings.name
    }

    fn stream(&self, request: Request) -> EventStream {
        let provider = Arc::clone(&self.provider);
        let opened = async move {
            match provider.open(request).await {
                Ok(response) => listen(response, provider.settings.stream_idle_timeout).left_stream(),
                Err(refused) => tell_of(refused).right_stream(),
            }
        };
        stream::once(opened).flatten().boxed()
    }

    fn stream_retries(&self) -> u32 {
        self.provider.settings.stream_max_retries
    }
}

impl Provider {
    /// Posts a request until there is a response to stream.
    async fn open(self: &Arc<Self>, request: Request) -> Result<Response, Refused> {
        let endpoint = self.endpoint.get_or_try_init(|| self.prepare()).await?;
        let body = body::write(&request).map_err(|error| {
            ModelError::last(ErrorKind::Other, format!("the request cannot be written as JSON: {error}"))
        })?;
        let body = Bytes::from(body);
        let headers = headers::of_request(&request, &endpoint.headers);
        // The conversation may be long: only its written form is kept while the model answers.
        drop(request);
        retry::patiently(self.settings.request_max_retries, || self.attempt(endpoint, &headers, &body)).await
    }

    async fn prepare(self: &Arc<Self>) -> Result<Endpoint, ModelError> {
        let provider = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || Endpoint::new(&provider.settings)).await;
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
struct Listening<S> {
    events: Pin<Box<S>>,
    /// What was heard and not yet told.
    heard: VecDeque<Result<StreamEvent, ModelError>>,
}

/// Tells what a response streams, up to its end or its first failure.
fn listen(response: Response, idle: Duration) -> impl Stream<Item = Result<StreamEvent, ModelError>> + Send {
    let heard = headers::told(response.headers()).map(Ok).collect();
    let body = response.bytes_stream().map(|piece| piece.map_err(reqwest::Error::without_url));
    let listening = Listening { events: Box::pin(sse::events(body, idle)), heard };
    stream::unfold(Some(listening), |listening| async {
        let mut listening = listening?;
        let told = listening.next().await;
        let last = matches!(told, Ok(StreamEvent::Completed { .. }) | Err(_));
        Some((told, (!last).then_some(listening)))
    })
}

impl<S: Stream<Item = Result<String, Broken>>> Listening<S> {
    async fn next(&mut self) -> Result<StreamEvent, ModelError> {
        loop {
            if let Some(told) = self.heard.pop_front() {
                return told;
            }
            match self.events.next().await {
                Some(Ok(data)) => event::hear(&data, |told| self.heard.push_back(told)),
                // It would be as large the next time.
                Some(Err(broken @ Broken::TooLarge)) => {
                    return Err(ModelError { retry: Retry::No, ..ModelError::cut(broken) });
                }
                Some(Err(broken)) => return Err(ModelError::cut(broken)),
                None => return Err(ModelError::cut("stream closed before response.completed")),
            }
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
