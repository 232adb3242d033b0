//! Where requests go: a provider's settings, checked, with the HTTP client that serves them.
//!
//! Made at the first request and not before: to load the system's certificates takes milliseconds of file reading,
//! which no start of a server should pay, and which must not block other tasks.

use std::{net::IpAddr, time::Duration};

use reqwest::{
    Client, ClientBuilder, Url,
    header::{AUTHORIZATION, HeaderMap},
    redirect,
};

use super::headers;
use crate::{Auth, ErrorKind, ModelError, ProviderSettings};

/// How long a connection may take to be made. The kernel alone would wait for minutes where packets are dropped.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// More than this many redirects on one server are a loop.
const MOST_REDIRECTS: usize = 5;

/// Where requests go.
pub(super) struct Endpoint {
    pub(super) client: Client,
    pub(super) url: Url,
    /// The URL without what may be secret in it.
    pub(super) shown: String,
    /// The headers that the settings ask for.
    pub(super) headers: HeaderMap,
}

impl Endpoint {
    /// Checks the settings and makes the client; blocks on files. `path` is what is asked for below the base.
    pub(super) fn new(settings: &ProviderSettings, path: &str) -> Result<Self, ModelError> {
        let url = url(settings, path)?;
        let client = client(&url).build().map_err(|error| {
            refusal(
                settings,
                format_args!("the HTTP client cannot be made: {}", super::causes(error.without_url())),
            )
        })?;
        Ok(Self { client, shown: shown(&url), headers: headers_of(settings)?, url })
    }
}

fn url(settings: &ProviderSettings, path: &str) -> Result<Url, ModelError> {
    let given = format!("{}/{path}", settings.base_url.trim_end_matches('/'));
    let mut url = Url::parse(&given)
        .map_err(|error| refusal(settings, format_args!("`base_url` is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refusal(settings, "`base_url` must begin with http:// or https://"));
    }
    if !settings.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&settings.query);
    }
    Ok(url)
}

fn headers_of(settings: &ProviderSettings) -> Result<HeaderMap, ModelError> {
    let mut known = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let (name, value) = headers::of_settings(name, value)
            .ok_or_else(|| refusal(settings, format_args!("the header `{name}` cannot be sent")))?;
        known.insert(name, value);
        Ok(())
    };
    match &settings.auth {
        Auth::None => {}
        Auth::Bearer(key) => add(AUTHORIZATION.as_str(), &format!("Bearer {key}"))?,
        Auth::MissingEnv { var, instructions } => return Err(missing(var, instructions.as_deref())),
    }
    settings.headers.iter().try_for_each(|(name, value)| add(name, value))?;
    Ok(known)
}

/// Tells of a key that is not there.
fn missing(var: &str, instructions: Option<&str>) -> ModelError {
    let mut message = format!("Missing environment variable: `{var}`.");
    if let Some(instructions) = instructions {
        message.push(' ');
        message.push_str(instructions);
    }
    ModelError::last(ErrorKind::Other, message)
}

fn refusal(settings: &ProviderSettings, why: impl std::fmt::Display) -> ModelError {
    ModelError::last(ErrorKind::Other, format!("model provider `{}`: {why}", settings.id))
}

fn client(url: &Url) -> ClientBuilder {
    let builder = Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(same_server());
    if !is_loopback(url) {
        return builder;
    }
    // A proxy could not reach what listens on this machine.
    let builder = builder.no_proxy();
    match url.scheme() {
        // No redirect leaves this server, so no certificate is ever looked at and none needs to be loaded.
        "http" => builder.tls_certs_only([]),
        _ => builder,
    }
}

/// Follows redirects on one server only: the conversation, and headers with keys, are for whom the settings name.
fn same_server() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let first = attempt.previous().first();
        let same = first.is_some_and(|first| first.origin() == attempt.url().origin());
        if same && attempt.previous().len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
    })
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address
        .map_or_else(|_| host == "localhost" || host.ends_with(".localhost"), |address| address.is_loopback())
}

/// Query and user information may hold keys, and error messages are stored and shown.
fn shown(url: &Url) -> String {
    let mut path = url.clone();
    path.set_query(None);
    // Both fail only for URLs without a host, which have no user information to hide.
    let _ = path.set_username("");
    let _ = path.set_password(None);
    path.into()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn settings(base_url: &str) -> ProviderSettings {
        ProviderSettings {
            id: "acme".into(),
            name: "Acme".into(),
            base_url: base_url.into(),
            auth: Auth::None,
            headers: Vec::new(),
            query: Vec::new(),
            request_max_retries: 0,
            stream_max_retries: 0,
            stream_idle_timeout: Duration::from_secs(1),
        }
    }

    fn refused(settings: &ProviderSettings) -> String {
        Endpoint::new(settings, "responses").err().unwrap().message
    }

    #[test]
    fn requests_go_below_the_base_and_secrets_are_not_shown() {
        let query = vec![("api-version".to_owned(), "2025 1".to_owned())];
        for (base, query, url, shown) in [
            (
                "http://127.0.0.1:1/v1",
                vec![],
                "http://127.0.0.1:1/v1/responses",
                "http://127.0.0.1:1/v1/responses",
            ),
            (
                "http://localhost/v1/",
                vec![],
                "http://localhost/v1/responses",
                "http://localhost/v1/responses",
            ),
            (
                "http://u:p@[::1]/v1",
                query,
                "http://u:p@[::1]/v1/responses?api-version=2025+1",
                "http://[::1]/v1/responses",
            ),
        ] {
            let endpoint = Endpoint::new(&ProviderSettings { query, ..settings(base) }, "responses").unwrap();
            assert_eq!((endpoint.url.as_str(), endpoint.shown.as_str()), (url, shown));
        }
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let local = || settings("http://localhost");
        let unset = |instructions: Option<&str>| Auth::MissingEnv {
            var: "ACME_KEY".into(),
            instructions: instructions.map(Into::into),
        };
        for (settings, message) in [
            (settings("acme"), "model provider `acme`: `base_url` is no URL: relative URL without a base"),
            (settings("ftp://acme"), "model provider `acme`: `base_url` must begin with http:// or https://"),
            (
                ProviderSettings { headers: vec![("X-One".into(), "1\n".into())], ..local() },
                "model provider `acme`: the header `X-One` cannot be sent",
            ),
            (
                ProviderSettings { auth: Auth::Bearer("secret\n".into()), ..local() },
                "model provider `acme`: the header `authorization` cannot be sent",
            ),
            (ProviderSettings { auth: unset(None), ..local() }, "Missing environment variable: `ACME_KEY`."),
            (
                ProviderSettings { auth: unset(Some("Ask Acme.")), ..local() },
                "Missing environment variable: `ACME_KEY`. Ask Acme.",
            ),
        ] {
            assert_eq!(refused(&settings), message);
        }
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for (url, loopback) in [
            ("http://127.0.0.1:8080/v1", true),
            ("http://127.9.9.9", true),
            ("https://[::1]:1", true),
            ("http://localhost", true),
            ("http://model.localhost", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("http://[::2]", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }
}
