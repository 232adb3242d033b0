//! Servers reached over HTTP.

use std::{collections::HashMap, time::Duration};

use reqwest::{
    Client, StatusCode, Url,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
    redirect,
};
use rmcp::transport::{
    StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
};
use url::Host;

use crate::{MAX_MESSAGE, launch::Endpoint};

/// How long a connection may take to be made; the kernel alone would wait for minutes where packets are dropped.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// More than this many redirects on one server are a loop.
const MOST_REDIRECTS: usize = 5;

/// Checks the endpoint and makes the transport, which connects with the first request. The error is for people.
pub(crate) async fn open(endpoint: &Endpoint) -> Result<StreamableHttpClientTransport<Client>, String> {
    let url = Url::parse(&endpoint.url).map_err(|error| format!("`url` is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("`url` must begin with http:// or https://".to_owned());
    }
    let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
        .custom_headers(headers(endpoint)?)
        .max_sse_event_size(MAX_MESSAGE);
    // The certificates of the system are files.
    let client = tokio::task::spawn_blocking(move || client(&url)).await;
    let client = client.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

fn headers(endpoint: &Endpoint) -> Result<HashMap<HeaderName, HeaderValue>, String> {
    let header = |(name, value): (&String, &String)| {
        let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        header.ok_or_else(|| format!("the header `{name}` cannot be sent"))
    };
    let mut headers = endpoint.headers.iter().map(header).collect::<Result<HashMap<_, _>, _>>()?;
    if let Some(token) = &endpoint.bearer {
        let value = HeaderValue::try_from(format!("Bearer {token}"));
        let mut value = value.map_err(|_| "the bearer token cannot be sent".to_owned())?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn client(url: &Url) -> reqwest::Result<Client> {
    let mut builder = Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(same_server());
    if is_loopback(url) {
        // A proxy could not reach what listens on this machine.
        builder = builder.no_proxy();
        if url.scheme() == "http" {
            // No redirect leaves this server, so no certificate is ever looked at and none needs to be loaded.
            builder = builder.tls_certs_only([]);
        }
    }
    builder.build()
}

/// Follows redirects that keep the message, on one server only: headers with keys are for whom the settings name.
fn same_server() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let keeps_message =
            matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let first = attempt.previous().first();
        let same = first.is_some_and(|first| first.origin() == attempt.url().origin());
        let few = attempt.previous().len() <= MOST_REDIRECTS;
        if keeps_message && same && few { attempt.follow() } else { attempt.stop() }
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
