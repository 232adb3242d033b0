//! What the provider of the config is sent, and how patient the server is with it.

use pretty_assertions::assert_eq;
use protocol::{CodexErrorInfo, ErrorNotification, TurnStart, TurnStatus};
use testkit::{Answer, Daemon, Gate, Home, Launch, ask, events, say};

use crate::steps::{ended, start, turn};

/// Runs a turn that is to fail, and returns the reason.
async fn failure(d: &mut Daemon) -> protocol::TurnError {
    let id = start(d).await;
    let begun = d.call::<TurnStart>(ask(&id, "hi")).await.turn.id;
    let last = ended(d, &begun).await;
    let error = d.note_where::<ErrorNotification>(|note| !note.will_retry).await.error;
    assert_eq!((last.status, last.error.as_ref()), (TurnStatus::Failed, Some(&error)));
    error
}

#[tokio::test]
async fn the_key_the_headers_and_the_query_of_the_config_are_sent() {
    let home = Home::new()
        .with_provider_setting("env_key = \"MOCK_KEY\"")
        .with_provider_setting("http_headers = { X-One = \"1\" }")
        .with_provider_setting("env_http_headers = { X-Two = \"TWO_VAR\", X-Gone = \"NO_SUCH_VAR\" }")
        .with_provider_setting("query_params = { api-version = \"2025\" }");
    let mut d = Launch::on(&home).env("MOCK_KEY", "sk-1").env("TWO_VAR", "two").start().await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    let request = home.model().last_request();
    let headers = ["authorization", "x-one", "x-two", "x-gone"].map(|name| request.header(name));
    assert_eq!(headers, [Some("Bearer sk-1"), Some("1"), Some("two"), None]);
    assert_eq!(request.path, "/v1/responses?api-version=2025");
}

#[tokio::test]
async fn without_its_key_the_provider_is_not_asked() {
    let home = Home::new().with_provider_setting("env_key = \"NO_SUCH_KEY\"");
    let mut d = Daemon::start(&home).await;
    let error = failure(&mut d).await;
    assert!(error.message.contains("NO_SUCH_KEY"), "{error:?}");
    assert_eq!((error.codex_error_info, home.model().requests().len()), (Some(CodexErrorInfo::Other), 0));
}

#[tokio::test]
async fn the_client_is_named_to_the_provider() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    let request = home.model().last_request();
    assert_eq!(
        (request.path.as_str(), request.header("accept")),
        ("/v1/responses", Some("text/event-stream"))
    );
    assert_eq!((request.header("originator"), request.header("authorization")), (Some("testkit"), None));
    assert!(request.header("user-agent").unwrap().starts_with("testkit/"));
}

#[tokio::test]
async fn an_error_of_the_providers_server_is_retried_silently() {
    let home =
        Home::new().with_tables("[model_providers.patient]\nname = \"Patient\"\nrequest_max_retries = 3");
    let url = format!("model_providers.patient.base_url={:?}", home.model().url());
    let mut d =
        Launch::on(&home).args(["-c", &url, "-c", "model_provider=patient", "app-server"]).start().await;
    let id = start(&mut d).await;
    home.model().script([Answer::status(500, "x"), Answer::status(502, "x"), say("whole")]);
    turn(&mut d, &id, "hi").await;
    assert_eq!(home.model().requests().len(), 3);
    assert!(!d.methods_from(0).contains(&"error"));
}

#[tokio::test]
async fn a_stream_that_falls_silent_fails_the_turn() {
    let home = Home::new().with_provider_setting("stream_idle_timeout_ms = 100");
    let mut d = Daemon::start(&home).await;
    home.model().script([Answer::stream([events::created()]).wait(&Gate::closed())]);
    let error = failure(&mut d).await;
    assert!(error.message.starts_with("stream disconnected before completion"), "{error:?}");
}

#[tokio::test]
async fn a_provider_where_nobody_listens_fails_the_turn() {
    let home = Home::new();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = format!("model_providers.mock_provider.base_url=\"http://127.0.0.1:{port}\"");
    let mut d = Launch::on(&home).args(["app-server", "-c", &dead]).start().await;
    failure(&mut d).await;
}
