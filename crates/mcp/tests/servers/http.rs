//! Servers reached over HTTP, on this machine.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::any,
};
use config::McpTransport;
use mcp::Answer;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::support::{Running, call, entries, entry, run_with, servers, text};

/// A server, and what it was sent.
struct Endpoint {
    url: String,
    seen: Arc<Seen>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<(Method, HeaderMap)>>,
    /// The call whose question is open.
    asking: Mutex<Option<tokio::sync::oneshot::Sender<Value>>>,
}

async fn serve() -> Endpoint {
    let seen = Arc::<Seen>::default();
    let router = Router::new().route("/mcp", any(take)).route("/moved", any(moved)).route("/away", any(away));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = router.with_state(seen.clone());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Endpoint { url, seen, _task: AbortOnDropHandle::new(task) }
}

async fn moved() -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [("location", "/mcp")]).into_response()
}

async fn away(uri: Uri) -> Response {
    // The same machine under another name is another server.
    let port = uri.query().unwrap();
    (StatusCode::TEMPORARY_REDIRECT, [("location", format!("http://localhost:{port}/mcp"))]).into_response()
}

async fn take(State(seen): State<Arc<Seen>>, method: Method, headers: HeaderMap, body: String) -> Response {
    seen.requests.lock().unwrap().push((method.clone(), headers.clone()));
    let refused = match headers.get("authorization").map(|value| value.as_bytes()) {
        Some(b"Bearer right") => None,
        Some(b"Bearer plain") => Some(StatusCode::UNAUTHORIZED.into_response()),
        _ => Some((StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")]).into_response()),
    };
    if let Some(refused) = refused {
        return refused;
    }
    match method {
        Method::POST => post(&seen, serde_json::from_str(&body).unwrap()).await,
        Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn post(seen: &Arc<Seen>, message: Value) -> Response {
    let answer = |result: Value| json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
    match message["method"].as_str() {
        Some("initialize") => {
            let result = json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "http", "version": "1" },
            });
            ([("mcp-session-id", "s1")], Json(answer(result))).into_response()
        }
        Some("tools/list") => {
            let tool = |name| json!({ "name": name, "inputSchema": { "type": "object" } });
            Json(answer(json!({ "tools": [tool("echo"), tool("ask")] }))).into_response()
        }
        Some("tools/call") if message["params"]["name"] == "ask" => {
            let (told, answered) = tokio::sync::oneshot::channel();
            *seen.asking.lock().unwrap() = Some(told);
            let question = json!({ "jsonrpc": "2.0", "id": 9, "method": "elicitation/create", "params": message["params"]["arguments"] });
            let id = message["id"].clone();
            let first = futures::stream::iter([format!("data: {question}\n\n")]);
            let second = futures::stream::once(async move {
                let action = answered.await.unwrap()["result"]["action"].clone();
                let content = json!([{ "type": "text", "text": action }]);
                let result = json!({ "jsonrpc": "2.0", "id": id, "result": { "content": content } });
                format!("data: {result}\n\n")
            });
            let events = futures::StreamExt::chain(first, second);
            let body = Body::from_stream(futures::StreamExt::map(events, Ok::<_, std::io::Error>));
            ([("content-type", "text/event-stream")], body).into_response()
        }
        Some("tools/call") => {
            let text = message["params"]["arguments"].to_string();
            Json(answer(json!({ "content": [{ "type": "text", "text": text }] }))).into_response()
        }
        None => {
            let asking = seen.asking.lock().unwrap().take();
            asking.unwrap().send(message).unwrap();
            StatusCode::ACCEPTED.into_response()
        }
        Some(_) => StatusCode::ACCEPTED.into_response(),
    }
}

fn connect(url: &str, token: Option<&str>) -> Running {
    let transport = McpTransport::Http {
        url: url.to_owned(),
        bearer_token_env_var: token.map(|_| "TOKEN".to_owned()),
        http_headers: BTreeMap::from([("x-plain".to_owned(), "1".to_owned())]),
        env_http_headers: BTreeMap::from([("x-env".to_owned(), "VALUE".to_owned())]),
    };
    let mut env = HashMap::from([("VALUE".to_owned(), "2".to_owned())]);
    env.extend(token.map(|token| ("TOKEN".to_owned(), token.to_owned())));
    run_with(&servers(), &entries([("fake", entry(transport))]), &env)
}

#[tokio::test]
async fn an_endpoint_is_called_with_its_headers_and_its_session_is_closed() {
    let endpoint = serve().await;
    let running = connect(&format!("{}/mcp", endpoint.url), Some("right"));
    let result = call(&running.lease, "echo", json!({ "x": 1 })).await.unwrap();
    assert_eq!(text(&result), r#"{"x":1}"#);
    running.servers.shut_down().await;
    let seen = endpoint.seen.requests.lock().unwrap();
    for (_, headers) in seen.iter() {
        assert_eq!((&headers["x-plain"], &headers["x-env"]), (&"1".parse().unwrap(), &"2".parse().unwrap()));
    }
    let (method, headers) = seen.last().unwrap();
    assert_eq!((method, &headers["mcp-session-id"]), (&Method::DELETE, &"s1".parse().unwrap()));
}

#[tokio::test]
async fn a_question_comes_over_http_as_well() {
    let endpoint = serve().await;
    let mut running = connect(&format!("{}/mcp", endpoint.url), Some("right"));
    let answered = async { running.told.question().await.1.send(Answer::Decline).unwrap() };
    let (result, ()) = tokio::join!(call(&running.lease, "ask", crate::support::question()), answered);
    assert_eq!(text(&result.unwrap()), "decline");
}

#[tokio::test]
async fn redirects_are_followed_on_one_server_only() {
    let endpoint = serve().await;
    let running = connect(&format!("{}/moved", endpoint.url), Some("right"));
    assert_eq!(text(&call(&running.lease, "echo", json!(null)).await.unwrap()), "null");
    let port = endpoint.url.rsplit(':').next().unwrap();
    let before = endpoint.seen.requests.lock().unwrap().len();
    let mut running = connect(&format!("{}/away?{port}", endpoint.url), Some("right"));
    assert_eq!(
        running.told.failed("fake").await,
        "unexpected server response: HTTP 307 Temporary Redirect: "
    );
    assert_eq!(endpoint.seen.requests.lock().unwrap().len(), before);
}

#[tokio::test]
async fn an_endpoint_that_does_not_let_us_in_says_why() {
    let endpoint = serve().await;
    let login = "it wants a login (HTTP 401); name the variable that holds a token in `bearer_token_env_var`";
    let url = &format!("{}/mcp", endpoint.url);
    for (url, token, expected) in [
        (url.as_str(), None, login),
        (url, Some("wrong"), login),
        (url, Some("plain"), login),
        (url, Some("a\nb"), "the bearer token cannot be sent"),
        ("localhost:1/mcp", None, "`url` must begin with http:// or https://"),
        ("mcp", None, "`url` is no URL: relative URL without a base"),
    ] {
        assert_eq!(connect(url, token).told.failed("fake").await, expected);
    }
    let unreachable =
        connect("http://user:secret@127.0.0.1:1/mcp?key=secret", None).told.failed("fake").await;
    assert!(unreachable.contains("Connection refused") && !unreachable.contains("secret"), "{unreachable}");
}
