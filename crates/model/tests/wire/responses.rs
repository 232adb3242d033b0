//! The Responses wire against a provider on loopback: what is sent, what comes back, and what becomes of failures.

use std::{net::TcpListener, time::Duration};

use futures::StreamExt;
use model::{
    Auth, ErrorKind, Model, ModelError, ProviderSettings, RateLimits, Request, ResponsesModel, Retry,
    StreamEvent,
};
use pretty_assertions::assert_eq;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{
    HUNG,
    provider::{Answer, Provider},
    request, settings,
};

async fn asked(settings: ProviderSettings) -> Vec<Result<StreamEvent, ModelError>> {
    asked_with(settings, request()).await
}

async fn asked_with(settings: ProviderSettings, request: Request) -> Vec<Result<StreamEvent, ModelError>> {
    timeout(HUNG, ResponsesModel::new(settings).stream(request).collect()).await.unwrap()
}

/// Returns the error in which a stream must end.
async fn failed(settings: ProviderSettings) -> ModelError {
    let told = asked(settings).await;
    told.last().unwrap().clone().unwrap_err()
}

fn created() -> Value {
    json!({ "type": "response.created", "response": { "id": "r" } })
}

fn completed() -> Value {
    json!({ "type": "response.completed", "response": { "id": "r" } })
}

/// What a response made of [`created`] and [`completed`] is heard as.
fn whole() -> Vec<Result<StreamEvent, ModelError>> {
    let completed = StreamEvent::Completed { response_id: Some("r".into()), usage: None };
    vec![Ok(StreamEvent::RateLimits(RateLimits::default())), Ok(StreamEvent::Created), Ok(completed)]
}

#[tokio::test]
async fn a_request_names_client_thread_and_turn() {
    let provider = Provider::start([Answer::events([created(), completed()])]).await;
    let metadata: Map<_, _> = [("turn_id".to_owned(), "u".into())].into_iter().collect();
    let request = Request { turn_state: Some("state-1".into()), turn_metadata: metadata, ..request() };
    assert_eq!(asked_with(settings(&provider.url), request).await, whole());

    let seen = provider.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].uri, "/v1/responses");
    for (header, value) in [
        ("originator", Some("lab")),
        ("user-agent", Some("lab/0.1")),
        ("accept", Some("text/event-stream")),
        ("content-type", Some("application/json")),
        ("session_id", Some("thread-1")),
        ("session-id", Some("thread-1")),
        ("thread-id", Some("thread-1")),
        ("x-client-request-id", Some("thread-1")),
        ("x-codex-window-id", Some("thread-1:0")),
        ("x-codex-turn-state", Some("state-1")),
        ("x-codex-turn-metadata", Some(r#"{"turn_id":"u"}"#)),
        ("authorization", None),
    ] {
        assert_eq!(seen[0].header(header), value, "{header}");
    }
    let input =
        json!([{ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "hi" }] }]);
    let body = json!({
        "model": "mock-model", "instructions": "be kind", "input": input, "tools": [{ "type": "web_search" }],
        "tool_choice": "auto", "parallel_tool_calls": false, "reasoning": null, "store": false, "stream": true,
        "include": [], "prompt_cache_key": "thread-1",
    });
    assert_eq!(seen[0].body, body);
}

#[tokio::test]
async fn what_the_settings_add_is_sent() {
    let provider = Provider::start([Answer::events([completed()])]).await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    asked(ProviderSettings {
        auth: Auth::Bearer("sk-1".into()),
        headers: vec![pair("X-One", "1"), pair("User-Agent", "mine")],
        query: vec![pair("api-version", "2025")],
        ..settings(&provider.url)
    })
    .await;
    let seen = provider.seen();
    assert_eq!(seen[0].uri, "/v1/responses?api-version=2025");
    for (header, value) in [("authorization", "Bearer sk-1"), ("x-one", "1"), ("user-agent", "mine")] {
        assert_eq!(seen[0].header(header), Some(value), "{header}");
    }
}

#[tokio::test]
async fn without_its_key_nothing_is_sent() {
    let provider = Provider::start([Answer::events([completed()])]).await;
    let auth = Auth::MissingEnv { var: "ACME_KEY".into(), instructions: None };
    let error = failed(ProviderSettings { auth, request_max_retries: 3, ..settings(&provider.url) }).await;
    assert_eq!((error.kind, error.retry), (ErrorKind::Other, Retry::No));
    assert_eq!(error.message, "Missing environment variable: `ACME_KEY`.");
    assert_eq!(provider.seen().len(), 0);
}

#[tokio::test]
async fn headers_of_the_response_are_told_first() {
    let answer = Answer::events([created(), completed()]).header("x-codex-turn-state", "state-1");
    let answer = answer.header("openai-model", "other").header("x-codex-primary-used-percent", "12.5");
    let provider = Provider::start([answer]).await;
    let told = asked(settings(&provider.url)).await;
    let Ok(StreamEvent::RateLimits(limits)) = &told[0] else { panic!("{told:?}") };
    assert_eq!(limits.primary.as_ref().map(|limit| limit.used_percent), Some(12.5));
    let (model, state) = (StreamEvent::ServedBy("other".into()), StreamEvent::TurnState("state-1".into()));
    assert_eq!(told[1..4], [Ok(model), Ok(state), Ok(StreamEvent::Created)]);
}

#[tokio::test]
async fn a_large_response_comes_whole_and_what_follows_its_end_does_not() {
    let text = "x".repeat(4 << 20);
    let item = json!({ "type": "message", "role": "assistant", "id": "m", "content": [{ "text": text }] });
    let done = json!({ "type": "response.output_item.done", "item": item });
    let all = json!({ "type": "response.completed", "response": { "id": "r", "output": [item] } });
    let late = json!({ "type": "response.output_text.delta", "delta": "late" });
    let provider = Provider::start([Answer::events([created(), done, all, late])]).await;
    let mut expected = whole();
    expected.insert(2, Ok(StreamEvent::ItemDone(item.try_into().unwrap())));
    // Not by assert_eq: eight megabytes help nobody to see what differs.
    assert!(asked(settings(&provider.url)).await == expected);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_to_be_asked_for_again() {
    let limit = json!({ "code": "rate_limit_exceeded", "message": "Please try again in 2s." });
    let limit = json!({ "type": "response.failed", "response": { "error": limit } });
    let full = json!({ "incomplete_details": { "reason": "max_output_tokens" } });
    let full = json!({ "type": "response.incomplete", "response": full });
    for (name, answer, message, retry) in [
        (
            "ends early",
            Answer::events([created()]),
            "stream disconnected before completion: stream closed before response.completed",
            Retry::Stream,
        ),
        (
            "is no stream",
            Answer::status(200, r#"{"a":1}"#),
            "stream disconnected before completion: stream closed before response.completed",
            Retry::Stream,
        ),
        (
            "is reset",
            Answer::events([created()]).then_reset(),
            "stream disconnected before completion: ",
            Retry::Stream,
        ),
        (
            "meets a limit",
            Answer::events([created(), limit]),
            "stream disconnected before completion: Please try again in 2s.",
            Retry::After(Duration::from_secs(2)),
        ),
        (
            "is full",
            Answer::events([created(), full, completed()]),
            "Incomplete response returned, reason: max_output_tokens",
            Retry::No,
        ),
    ] {
        let provider = Provider::start([answer]).await;
        let error = failed(ProviderSettings { request_max_retries: 3, ..settings(&provider.url) }).await;
        assert!(error.message.starts_with(message), "{name}: {}", error.message);
        assert_eq!(error.retry, retry, "{name}");
        assert_eq!(provider.seen().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn failing_servers_are_asked_again_and_refusals_are_not() {
    // A pause of nothing: the length of pauses is tested where the clock can be stopped.
    let busy = |status: u16| Answer::status(status, "busy").header("retry-after", "0");
    let overloaded = r#"{"error":{"code":"server_is_overloaded"}}"#;
    for (name, answers, kind, retry, asked) in [
        (
            "500",
            vec![busy(500), busy(500), busy(500)],
            ErrorKind::InternalServerError,
            Retry::After(Duration::ZERO),
            3,
        ),
        (
            "502",
            vec![busy(500), busy(503), busy(502)],
            ErrorKind::HttpConnectionFailed { status: 502 },
            Retry::After(Duration::ZERO),
            3,
        ),
        (
            "overloaded",
            vec![busy(500), busy(500), Answer::status(503, overloaded)],
            ErrorKind::ServerOverloaded,
            Retry::No,
            3,
        ),
        (
            "429",
            vec![Answer::status(429, "")],
            ErrorKind::TooManyFailedAttempts { status: 429 },
            Retry::No,
            1,
        ),
        (
            "429 with a pause",
            vec![busy(429)],
            ErrorKind::TooManyFailedAttempts { status: 429 },
            Retry::After(Duration::ZERO),
            1,
        ),
        ("404", vec![busy(404)], ErrorKind::HttpConnectionFailed { status: 404 }, Retry::No, 1),
        ("400", vec![busy(400)], ErrorKind::Other, Retry::No, 1),
    ] {
        let provider = Provider::start(answers).await;
        let error = failed(ProviderSettings { request_max_retries: 2, ..settings(&provider.url) }).await;
        assert_eq!((error.kind, error.retry), (kind, retry), "{name}");
        assert_eq!(provider.seen().len(), asked, "{name}");
    }

    let provider = Provider::start([busy(500), busy(502), Answer::events([created(), completed()])]).await;
    assert_eq!(asked(ProviderSettings { request_max_retries: 2, ..settings(&provider.url) }).await, whole());
    let seen = provider.seen();
    assert_eq!((seen.len(), &seen[2].body), (3, &seen[0].body));
}

#[tokio::test]
async fn limits_that_come_with_a_refusal_are_told_before_it() {
    let body = r#"{"error":{"type":"usage_limit_reached","message":"limit","resets_at":1893456000}}"#;
    let answer = Answer::status(429, body).header("x-codex-primary-used-percent", "100");
    let provider = Provider::start([answer]).await;
    let told = asked(settings(&provider.url)).await;
    let [Ok(StreamEvent::RateLimits(limits)), Err(error)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(limits.primary.as_ref().map(|limit| limit.used_percent), Some(100.0));
    assert_eq!(error.kind, ErrorKind::UsageLimitExceeded);
    assert!(
        error.message.contains("2030-01-01") || error.message.contains("2029-12-31"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_long_refusal_is_cut_and_names_no_secret() {
    let provider = Provider::start([Answer::status(404, "n".repeat(1 << 20))]).await;
    let query = vec![("key".to_owned(), "secret".to_owned())];
    let base = provider.url.replace("//", "//me:secret@");
    let error = failed(ProviderSettings { query, ..settings(&base) }).await;
    assert!(error.message.len() < 32 << 10, "{}", error.message.len());
    assert!(error.message.ends_with(&format!(", url: {}/responses", provider.url)));
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = failed(settings(&format!("http://me:secret@{free}/v1"))).await;
    assert_eq!((error.kind, error.retry), (ErrorKind::Other, Retry::Stream));
    assert!(error.message.starts_with("cannot reach Acme: "), "{}", error.message);
    let tail = format!("efused (os error 111) (http://{free}/v1/responses)");
    assert!(!cfg!(target_os = "linux") || error.message.ends_with(&tail), "{}", error.message);
    assert!(!error.message.contains("secret"), "{}", error.message);
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_server_only() {
    let other = Provider::start([Answer::events([completed()])]).await;
    let away = Answer::status(307, "moved").header("location", &format!("{}/responses", other.url));
    let provider = Provider::start([away]).await;
    let error = failed(settings(&provider.url)).await;
    assert_eq!(error.kind, ErrorKind::HttpConnectionFailed { status: 307 });
    assert_eq!(other.seen().len(), 0);

    let near = Answer::status(307, "moved").header("location", "/v2/responses");
    let provider = Provider::start([near, Answer::events([created(), completed()])]).await;
    assert_eq!(asked(settings(&provider.url)).await, whole());
    let seen = provider.seen();
    assert_eq!((seen[1].uri.as_str(), &seen[1].body), ("/v2/responses", &seen[0].body));

    let round = || Answer::status(307, "moved").header("location", "/v1/responses");
    let provider = Provider::start(std::iter::repeat_with(round).take(20)).await;
    assert_eq!(failed(settings(&provider.url)).await.kind, ErrorKind::HttpConnectionFailed { status: 307 });
    assert_eq!(provider.seen().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_is_given_up() {
    const IDLE: Duration = Duration::from_secs(300);
    let provider = Provider::start([Answer::silence()]).await;
    let begun = tokio::time::Instant::now();
    let settings =
        ProviderSettings { request_max_retries: 3, stream_idle_timeout: IDLE, ..settings(&provider.url) };
    let told: Vec<_> = ResponsesModel::new(settings).stream(request()).collect().await;
    assert_eq!(told, [Err(ModelError::cut("idle timeout waiting for SSE"))]);
    assert_eq!((begun.elapsed().as_secs(), provider.seen().len()), (IDLE.as_secs(), 1));
}

#[tokio::test]
async fn dropping_the_stream_takes_the_request_back() {
    for (name, answer, told_before) in [
        ("before the response", Answer::silence(), 0),
        ("inside the response", Answer::events([created()]).then_silence(), 2),
    ] {
        let provider = Provider::start([answer]).await;
        let mut stream = ResponsesModel::new(settings(&provider.url)).stream(request());
        for _ in 0..told_before {
            stream.next().await.unwrap().unwrap();
        }
        let asking = tokio::select! {
            told = stream.next() => panic!("{name}: {told:?}"),
            asking = provider.asking() => asking,
        };
        drop(stream);
        timeout(HUNG, asking.dropped()).await.expect(name);
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_stream_is_polled() {
    let provider = Provider::start([Answer::events([created(), completed()])]).await;
    let model = ResponsesModel::new(settings(&provider.url));
    drop(model.stream(request()));
    let told: Vec<_> = model.stream(request()).collect().await;
    assert_eq!((told, provider.seen().len()), (whole(), 1));
}
