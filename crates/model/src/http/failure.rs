//! From what a provider says of a failure to the error that clients are told.
//!
//! Two retries meet here. The silent one repeats a request that met a failing or unreachable server; the loud one,
//! [`Retry`], is the caller's, who tells clients of each try.

use std::{fmt::Display, time::Duration};

use chrono::{DateTime, Local, Utc};
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use super::{headers, pause};
use crate::{ErrorKind, ModelError, RateLimits, Retry};

/// A request that got no response to stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    pub(super) error: ModelError,
    /// Whether the request may be repeated silently.
    pub(super) transient: bool,
    /// The pause that the provider asked for.
    pub(super) after: Option<Duration>,
    /// Limits that came with the refusal: that they are used up may be its very reason.
    pub(super) limits: RateLimits,
}

impl From<ModelError> for Refused {
    fn from(error: ModelError) -> Self {
        Self { error, transient: false, after: None, limits: RateLimits::default() }
    }
}

/// Makes the failure of a server that could not be reached.
pub(super) fn unreachable(provider: &str, cause: impl Display) -> Refused {
    let error = ModelError::last(ErrorKind::Other, format!("cannot reach {provider}: {cause}"));
    Refused { transient: true, ..ModelError { retry: Retry::Stream, ..error }.into() }
}

/// Makes the failure of an answer whose status is no success.
pub(super) fn refused(
    status: StatusCode,
    head: &HeaderMap,
    body: &str,
    url: &str,
    now: DateTime<Utc>,
) -> Refused {
    let after = head.get(RETRY_AFTER).and_then(|value| pause::from_header(value.to_str().ok()?, now));
    let transient = status.is_server_error();
    Refused {
        error: error(status, head, body, url, after),
        transient,
        after,
        limits: headers::rate_limits(head),
    }
}

fn error(status: StatusCode, head: &HeaderMap, body: &str, url: &str, after: Option<Duration>) -> ModelError {
    let told = Told::read(body);
    let words = told.text("message").unwrap_or(body).trim();
    if let Some(error) = told.known(words) {
        return error;
    }
    match status.as_u16() {
        400 if !words.is_empty() => ModelError::last(ErrorKind::Other, body),
        429 => {
            let message = format!("exceeded retry limit, last status: {status}{}", ids(head));
            let error = ModelError::last(ErrorKind::TooManyFailedAttempts { status: 429 }, message);
            // Without a word on when to come back, asking again makes it worse.
            let retry = after.map_or(Retry::No, |after| pause::then_retry(Some(after)));
            ModelError { retry, ..error }.with_details(words)
        }
        500 => {
            let message = "The provider is experiencing high demand, which may cause temporary errors.";
            let error = ModelError::last(ErrorKind::InternalServerError, message);
            ModelError { retry: pause::then_retry(after), ..error }.with_details(words)
        }
        code => {
            let words = if words.is_empty() { "Unknown error" } else { words };
            let message = format!("unexpected status {status}: {words}, url: {url}{}", ids(head));
            let error = ModelError::last(ErrorKind::HttpConnectionFailed { status: code }, message);
            ModelError {
                retry: if status.is_server_error() { pause::then_retry(after) } else { Retry::No },
                ..error
            }
        }
    }
}

/// Makes the error of a response that the provider gave up, by the code that it gave.
pub(crate) fn failed(code: &str, words: &str) -> ModelError {
    if let Some(error) = known(code, words, None) {
        return error;
    }
    match code {
        "invalid_prompt" | "invalid_request_error" if words.is_empty() => {
            ModelError::last(ErrorKind::Other, "The provider refused the prompt.")
        }
        "invalid_prompt" | "invalid_request_error" => ModelError::last(ErrorKind::Other, words),
        "rate_limit_exceeded" => {
            ModelError { retry: pause::then_retry(pause::from_words(words)), ..ModelError::cut(words) }
        }
        _ if words.is_empty() => ModelError::cut("the provider reported a failure without saying which"),
        _ => ModelError::cut(words),
    }
}

/// Makes the error of what a stream reports instead of a response: an object, or bare words; its code may be a status.
pub(crate) fn reported(error: Value) -> ModelError {
    let told = Told(error);
    let words = told.0.as_str().or_else(|| told.text("message")).unwrap_or_default().trim();
    if let Some(error) = told.known(words) {
        return error;
    }
    match told.status() {
        Some(429) => failed("rate_limit_exceeded", words),
        // A time-out of the provider's own is no refusal.
        Some(status) if (400..500).contains(&status) && status != 408 => failed("invalid_prompt", words),
        _ => failed(told.codes().next().unwrap_or_default(), words),
    }
}

/// Makes the error of a response that ends early.
pub(crate) fn incomplete(reason: &str) -> ModelError {
    let words = format!("Incomplete response returned, reason: {reason}");
    match reason {
        // A filter sees another text the next time; a limit is met again.
        "content_filter" => ModelError::cut(words),
        _ => ModelError::last(ErrorKind::Other, words),
    }
}

/// Makes the error of a code that means the same wherever it stands; nothing is gained by asking again.
fn known(code: &str, words: &str, resets_at: Option<i64>) -> Option<ModelError> {
    let (kind, message) = match code {
        "context_length_exceeded" | "exceed_context_size_error" => return Some(full(words)),
        "insufficient_quota" => (
            ErrorKind::UsageLimitExceeded,
            "Quota exceeded. Check the plan and the billing of this account.".to_owned(),
        ),
        "usage_not_included" => (
            ErrorKind::UsageLimitExceeded,
            "The plan of this account does not include this use of the model.".to_owned(),
        ),
        "usage_limit_reached" => (
            ErrorKind::UsageLimitExceeded,
            format!("You've hit your usage limit. Try again {}.", at(resets_at)),
        ),
        "server_is_overloaded" | "slow_down" => (
            ErrorKind::ServerOverloaded,
            "The model is at capacity. Try another model, or this one later.".to_owned(),
        ),
        _ => return None,
    };
    Some(ModelError::last(kind, message).with_details(words))
}

/// Makes the error of a conversation that is longer than the model can read.
fn full(words: &str) -> ModelError {
    let message = "The conversation no longer fits into the model's context window. Start a new thread, or go on \
                   from an earlier point of this one.";
    ModelError::last(ErrorKind::ContextWindowExceeded, message).with_details(words)
}

/// Words in which servers without a code for it say that a conversation is too long.
const TOO_LONG: [&str; 9] = [
    "maximum context length",      // OpenAI, Azure, vLLM, DeepSeek, OpenRouter, Mistral
    "maximum model length",        // vLLM
    "available context size",      // llama.cpp
    "with context length of only", // LM Studio
    "greater than the context length", // LM Studio
    "max context length",          // Ollama
    "prompt is too long",          // Anthropic, behind gateways
    "input is too long",           // Bedrock, behind gateways
    "maximum number of tokens allowed", // Gemini
];

fn is_too_long(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    TOO_LONG.iter().any(|said| words.contains(said))
}

/// Says when a limit ends, in the time of the person's clock.
fn at(unix: Option<i64>) -> String {
    let at = unix.and_then(|unix| DateTime::from_timestamp(unix, 0));
    at.map_or_else(
        || "later".to_owned(),
        |at| at.with_timezone(&Local).format("at %Y-%m-%d %H:%M (UTC%:z)").to_string(),
    )
}

/// Names a refusal for the provider's support.
fn ids(head: &HeaderMap) -> String {
    let named = [("cf-ray", "cf-ray"), ("request id", "x-request-id")];
    let known = named.iter().filter_map(|(name, header)| Some((name, headers::text(head, header)?)));
    known.map(|(name, id)| format!(", {name}: {id}")).collect()
}

/// What the body of a refusal says: the `error` of a JSON object, the object itself where it has none, or nothing.
struct Told(Value);

impl Told {
    fn read(body: &str) -> Self {
        let mut whole = serde_json::from_str::<Value>(body).unwrap_or_default();
        Self(whole.get_mut("error").map(Value::take).unwrap_or(whole))
    }

    /// Returns the words that may name the refusal; providers put it into one of two fields.
    fn codes(&self) -> impl Iterator<Item = &str> {
        ["code", "type"].into_iter().filter_map(|field| self.text(field))
    }

    /// Returns the error that is the same wherever it is told, by its code or, of the most frequent one, by its words.
    fn known(&self, words: &str) -> Option<ModelError> {
        let coded = self.codes().find_map(|code| known(code, words, self.resets_at()));
        coded.or_else(|| is_too_long(words).then(|| full(words)))
    }

    /// Returns the status that some providers put where others have a code.
    fn status(&self) -> Option<u64> {
        let code = self.0.get("code")?;
        code.as_u64().or_else(|| code.as_str()?.parse().ok())
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    fn resets_at(&self) -> Option<i64> {
        self.0.get("resets_at")?.as_i64()
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_445_412_420; // Wed, 21 Oct 2015 07:27:00 GMT

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn refused_with(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Refused {
        let status = StatusCode::from_u16(status).unwrap();
        let head = headers.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        refused(status, &head.collect(), body, "http://acme", DateTime::from_timestamp(NOW, 0).unwrap())
    }

    #[test]
    fn a_refusal_is_told_by_status_and_code() {
        use ErrorKind::{
            ContextWindowExceeded, HttpConnectionFailed, InternalServerError, Other, ServerOverloaded,
            TooManyFailedAttempts, UsageLimitExceeded,
        };
        let bad = r#"{"error":{"message":"bad thing","code":"x"}}"#;
        let coded = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"theirs"}}}}"#);
        let typed = |kind: &str| format!(r#"{{"error":{{"type":"{kind}","code":null,"message":"theirs"}}}}"#);
        let high_demand = "The provider is experiencing high demand, which may cause temporary errors.";
        for (status, body, kind, message, details, retry, transient) in [
            (400, bad.to_owned(), Other, bad, None, Retry::No, false),
            (
                400,
                String::new(),
                HttpConnectionFailed { status: 400 },
                "unexpected status 400 Bad Request: Unknown error, url: http://acme",
                None,
                Retry::No,
                false,
            ),
            (
                400,
                coded("context_length_exceeded"),
                ContextWindowExceeded,
                "The conversation no longer fits into the model's context window. Start a new thread, or go on from an earlier point of this one.",
                Some("theirs"),
                Retry::No,
                false,
            ),
            (
                401,
                bad.to_owned(),
                HttpConnectionFailed { status: 401 },
                "unexpected status 401 Unauthorized: bad thing, url: http://acme",
                None,
                Retry::No,
                false,
            ),
            (
                404,
                r#"{"error":"plain"}"#.to_owned(),
                HttpConnectionFailed { status: 404 },
                r#"unexpected status 404 Not Found: {"error":"plain"}, url: http://acme"#,
                None,
                Retry::No,
                false,
            ),
            (
                429,
                "slow down".to_owned(),
                TooManyFailedAttempts { status: 429 },
                "exceeded retry limit, last status: 429 Too Many Requests",
                Some("slow down"),
                Retry::No,
                false,
            ),
            (
                429,
                typed("usage_limit_reached"),
                UsageLimitExceeded,
                "You've hit your usage limit. Try again later.",
                Some("theirs"),
                Retry::No,
                false,
            ),
            (
                429,
                typed("usage_not_included"),
                UsageLimitExceeded,
                "The plan of this account does not include this use of the model.",
                Some("theirs"),
                Retry::No,
                false,
            ),
            (500, "boom".to_owned(), InternalServerError, high_demand, Some("boom"), Retry::Stream, true),
            (
                502,
                String::new(),
                HttpConnectionFailed { status: 502 },
                "unexpected status 502 Bad Gateway: Unknown error, url: http://acme",
                None,
                Retry::Stream,
                true,
            ),
            (
                503,
                coded("server_is_overloaded"),
                ServerOverloaded,
                "The model is at capacity. Try another model, or this one later.",
                Some("theirs"),
                Retry::No,
                true,
            ),
        ] {
            let refused = refused_with(status, &[], &body);
            let error =
                ModelError { kind, message: message.to_owned(), details: details.map(str::to_owned), retry };
            assert_eq!((refused.error, refused.transient), (error, transient), "{status} {body}");
        }
    }

    #[test]
    fn a_conversation_that_is_too_long_is_told_by_code_or_by_words() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"code":400,"message":"request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error"}}"#,
            ),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}"#,
            ),
            (
                400,
                r#"{"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens."}"#,
            ),
            (
                400,
                r#"{"error":{"message":"prompt too long; exceeded max context length by 12 tokens","type":"invalid_request_error"}}"#,
            ),
            (
                422,
                r#"{"message":"Prompt contains 40000 tokens, too large for model with 32768 maximum context length"}"#,
            ),
            (500, "the request exceeds the available context size. try increasing the context size"),
        ] {
            assert_eq!(
                refused_with(status, &[], body).error.kind,
                ErrorKind::ContextWindowExceeded,
                "{body}"
            );
        }
    }

    #[test]
    fn a_failure_inside_a_stream_is_told_by_what_it_says() {
        use ErrorKind::{ContextWindowExceeded, Other, StreamDisconnected, UsageLimitExceeded};
        let cut = |words: &str| format!("stream disconnected before completion: {words}");
        for (error, kind, message, retry) in [
            (json!("out of memory"), StreamDisconnected, cut("out of memory"), Retry::Stream),
            (json!({ "code": 502, "message": "gone" }), StreamDisconnected, cut("gone"), Retry::Stream),
            (json!({ "code": "503", "message": "gone" }), StreamDisconnected, cut("gone"), Retry::Stream),
            (json!({ "code": 408, "message": "late" }), StreamDisconnected, cut("late"), Retry::Stream),
            (
                json!({ "code": 429, "message": "try again in 2s" }),
                StreamDisconnected,
                cut("try again in 2s"),
                Retry::After(seconds(2.0)),
            ),
            (json!({ "code": 401, "message": "no key" }), Other, "no key".into(), Retry::No),
            (json!({ "code": 403 }), Other, "The provider refused the prompt.".into(), Retry::No),
            (
                json!({ "type": "invalid_request_error", "code": null, "message": "bad" }),
                Other,
                "bad".into(),
                Retry::No,
            ),
            (
                json!({ "type": "server_error" }),
                StreamDisconnected,
                cut("the provider reported a failure without saying which"),
                Retry::Stream,
            ),
            (
                json!({ "code": "insufficient_quota", "message": "pay" }),
                UsageLimitExceeded,
                "Quota exceeded. Check the plan and the billing of this account.".into(),
                Retry::No,
            ),
            (
                json!({ "message": "This model's maximum context length is 8 tokens." }),
                ContextWindowExceeded,
                full("").message,
                Retry::No,
            ),
        ] {
            let told = reported(error.clone());
            assert_eq!((told.kind, told.message, told.retry), (kind, message, retry), "{error}");
        }
    }

    #[test]
    fn a_usage_limit_says_when_it_ends_and_what_was_used() {
        let body = format!(r#"{{"error":{{"type":"usage_limit_reached","resets_at":{NOW}}}}}"#);
        let refused = refused_with(429, &[("x-codex-primary-used-percent", "100")], &body);
        assert!(refused.error.message.contains("Try again at 2015-10-2"), "{}", refused.error.message);
        assert_eq!(refused.limits.primary.unwrap().used_percent, 100.0);
    }

    #[test]
    fn the_ids_of_a_refusal_are_told() {
        let refused = refused_with(404, &[("x-request-id", "req-9"), ("cf-ray", "ray-1")], "nope");
        let told =
            "unexpected status 404 Not Found: nope, url: http://acme, cf-ray: ray-1, request id: req-9";
        assert_eq!(refused.error.message, told);
    }

    #[test]
    fn a_pause_that_the_provider_asks_for_is_kept() {
        for (status, header, after, retry) in [
            (503, "7", Some(7.0), Retry::After(seconds(7.0))),
            (503, "0.25", Some(0.25), Retry::After(seconds(0.25))),
            (503, "Wed, 21 Oct 2015 07:28:00 GMT", Some(60.0), Retry::After(seconds(60.0))),
            (503, "Wed, 21 Oct 2015 07:26:00 GMT", Some(0.0), Retry::After(seconds(0.0))),
            (503, "3600", Some(3600.0), Retry::No),
            (503, "-1", None, Retry::Stream),
            (503, "NaN", None, Retry::Stream),
            (503, "soon", None, Retry::Stream),
            (429, "7", Some(7.0), Retry::After(seconds(7.0))),
            (429, "soon", None, Retry::No),
            (404, "7", Some(7.0), Retry::No),
        ] {
            let refused = refused_with(status, &[("retry-after", header)], "");
            assert_eq!(
                (refused.after, refused.error.retry),
                (after.map(seconds), retry),
                "{status} {header}"
            );
        }
    }

    #[test]
    fn a_failed_response_is_told_by_its_code() {
        use ErrorKind::{
            ContextWindowExceeded, Other, ServerOverloaded, StreamDisconnected, UsageLimitExceeded,
        };
        for (code, words, kind, message, retry) in [
            ("context_length_exceeded", "w", ContextWindowExceeded, "context window", Retry::No),
            ("insufficient_quota", "w", UsageLimitExceeded, "Quota exceeded", Retry::No),
            ("usage_not_included", "w", UsageLimitExceeded, "plan", Retry::No),
            ("server_is_overloaded", "w", ServerOverloaded, "at capacity", Retry::No),
            ("slow_down", "w", ServerOverloaded, "at capacity", Retry::No),
            ("invalid_prompt", "bad prompt", Other, "bad prompt", Retry::No),
            ("invalid_prompt", "", Other, "refused the prompt", Retry::No),
            (
                "rate_limit_exceeded",
                "Please try again in 1.5s.",
                StreamDisconnected,
                "stream disconnected before completion: Please try again in 1.5s.",
                Retry::After(seconds(1.5)),
            ),
            ("rate_limit_exceeded", "limit", StreamDisconnected, "limit", Retry::Stream),
            ("rate_limit_exceeded", "try again in 2h", StreamDisconnected, "2h", Retry::No),
            (
                "server_error",
                "oops",
                StreamDisconnected,
                "stream disconnected before completion: oops",
                Retry::Stream,
            ),
            ("", "", StreamDisconnected, "without saying which", Retry::Stream),
        ] {
            let error = failed(code, words);
            assert_eq!((error.kind, error.retry), (kind, retry), "{code}");
            assert!(error.message.contains(message), "{code}: {}", error.message);
        }
    }

    #[test]
    fn a_response_that_ends_early_says_why() {
        let filtered = incomplete("content_filter");
        assert_eq!((filtered.kind, filtered.retry), (ErrorKind::StreamDisconnected, Retry::Stream));
        let full = incomplete("max_output_tokens");
        let message = "Incomplete response returned, reason: max_output_tokens";
        assert_eq!(full, ModelError::last(ErrorKind::Other, message));
    }
}
