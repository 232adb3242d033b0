//! What the headers of a request tell the provider, and what those of a response tell us.

use std::str::FromStr;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde_json::{Map, Value};

use crate::{RateLimitWindow, RateLimits, Request, StreamEvent};

const TURN_STATE: &str = "x-codex-turn-state";
/// Names the model that answers: a header, or an entry of `response.headers` in the first event.
pub(crate) const SERVED_BY: &str = "openai-model";

/// Returns the headers of a request; those of the provider's settings win.
pub(super) fn of_request(request: &Request, provider: &HeaderMap) -> HeaderMap {
    let thread = request.thread_id.as_str();
    let mut headers = HeaderMap::new();
    let mut tell = |name: &'static str, text: &str| headers.insert(name, value(text));
    tell("originator", &request.client.name);
    tell(USER_AGENT.as_str(), &request.client.user_agent);
    // Proxies and gateways of either release look for their own spelling.
    for name in ["session_id", "session-id", "thread-id", "x-client-request-id"] {
        tell(name, thread);
    }
    tell("x-codex-window-id", &format!("{thread}:0"));
    if let Some(state) = &request.turn_state {
        tell(TURN_STATE, state);
    }
    if !request.turn_metadata.is_empty() {
        tell("x-codex-turn-metadata", &ascii_json(&request.turn_metadata));
    }
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in provider {
        headers.insert(name.clone(), value.clone());
    }
    headers
}

/// Reads a header of the provider's settings; `None` when it cannot be sent.
pub(super) fn of_settings(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// Returns what the headers of a response tell, in the order in which it is passed on.
pub(super) fn told(headers: &HeaderMap) -> impl Iterator<Item = StreamEvent> {
    let state = text(headers, TURN_STATE).map(|state| StreamEvent::TurnState(state.to_owned()));
    let model = text(headers, SERVED_BY).map(|model| StreamEvent::ServedBy(model.to_owned()));
    [StreamEvent::RateLimits(rate_limits(headers))].into_iter().chain(model).chain(state)
}

/// Reads the limits of the account.
pub(super) fn rate_limits(headers: &HeaderMap) -> RateLimits {
    RateLimits { primary: window(headers, "primary"), secondary: window(headers, "secondary") }
}

fn window(headers: &HeaderMap, which: &str) -> Option<RateLimitWindow> {
    let used: f64 = number(headers, &format!("x-codex-{which}-used-percent"))?;
    Some(RateLimitWindow {
        used_percent: Some(used).filter(|used| used.is_finite())?,
        window_minutes: number(headers, &format!("x-codex-{which}-window-minutes")),
        resets_at: number(headers, &format!("x-codex-{which}-reset-at")),
    })
}

fn number<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    text(headers, name)?.parse().ok()
}

/// Returns a header that is text and not blank.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    Some(text).filter(|text| !text.is_empty())
}

/// Makes a header of words that came from a client: what no header can hold is replaced, so that it cannot fail.
fn value(text: &str) -> HeaderValue {
    let clean: String =
        text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '_' }).collect();
    HeaderValue::from_str(&clean).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Writes JSON that survives in a header: characters outside ASCII are escaped.
fn ascii_json(metadata: &Map<String, Value>) -> String {
    let mut ascii = String::new();
    let mut units = [0; 2];
    for c in Value::Object(metadata.clone()).to_string().chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            ascii.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn limit(
        used_percent: f64,
        window_minutes: Option<i64>,
        resets_at: Option<i64>,
    ) -> Option<RateLimitWindow> {
        Some(RateLimitWindow { used_percent, window_minutes, resets_at })
    }

    #[test]
    fn limits_are_read_from_what_is_there() {
        for (given, primary, secondary) in [
            (headers(&[]), None, None),
            (headers(&[("x-codex-primary-used-percent", "12.5")]), limit(12.5, None, None), None),
            (headers(&[("x-codex-primary-used-percent", "NaN")]), None, None),
            (headers(&[("x-codex-primary-window-minutes", "300")]), None, None),
            (
                headers(&[
                    ("x-codex-primary-used-percent", "0"),
                    ("x-codex-primary-window-minutes", "300"),
                    ("x-codex-primary-reset-at", "1893456000"),
                    ("x-codex-secondary-used-percent", "99.9"),
                    ("x-codex-secondary-window-minutes", "soon"),
                ]),
                limit(0.0, Some(300), Some(1_893_456_000)),
                limit(99.9, None, None),
            ),
        ] {
            assert_eq!(rate_limits(&given), RateLimits { primary, secondary });
        }
    }

    #[test]
    fn a_response_tells_limits_model_and_state() {
        let given = headers(&[("x-codex-turn-state", "s"), ("openai-model", "m"), ("x-other", "o")]);
        let limits = || StreamEvent::RateLimits(RateLimits::default());
        let all = [limits(), StreamEvent::ServedBy("m".into()), StreamEvent::TurnState("s".into())];
        assert_eq!(told(&given).collect::<Vec<_>>(), all);
        assert_eq!(told(&headers(&[("openai-model", " ")])).collect::<Vec<_>>(), [limits()]);
    }

    #[test]
    fn words_of_a_client_cannot_break_a_header() {
        assert_eq!(value("my IDE/1.0\r\nx-evil: é"), "my IDE/1.0__x-evil: _");
        let metadata = json!({ "title": "Grüße 😀\n" });
        let written = ascii_json(metadata.as_object().unwrap());
        assert!(written.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{written}");
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), metadata);
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_told() {
        for (name, value, sendable) in [("X-One", "1", true), ("X One", "1", false), ("X-One", "1\n2", false)]
        {
            assert_eq!(of_settings(name, value).is_some(), sendable, "{name}: {value}");
        }
    }
}
