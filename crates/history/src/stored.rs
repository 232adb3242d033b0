//! Reading the small things that records nest, in the spelling of the rollout, into those of the wire.
//!
//! The rollout spells in snake case, the wire in camel case. What cannot be read becomes the blandest value of its kind
//! rather than an error: an item with one odd field is still worth showing.

use protocol::{CodexErrorInfo, MemoryCitation, TurnError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads a stored error as clients see it.
pub(crate) fn turn_error(message: &str, info: Option<&Value>, details: Option<&str>) -> TurnError {
    let codex_error_info = info.filter(|info| !info.is_null()).map(error_info);
    TurnError {
        message: message.to_owned(),
        codex_error_info,
        additional_details: details.map(str::to_owned),
    }
}

/// Reads a stored error object; ours and that of the published release have the same fields.
pub(crate) fn turn_error_object(stored: &Value) -> TurnError {
    let field = |snake: &str| stored.get(snake).or_else(|| stored.get(camel(snake)));
    let message = match stored {
        Value::String(message) => message,
        _ => field("message").and_then(Value::as_str).unwrap_or_default(),
    };
    turn_error(message, field("codex_error_info"), field("additional_details").and_then(Value::as_str))
}

fn error_info(stored: &Value) -> CodexErrorInfo {
    wire(&match stored {
        Value::String(kind) => camel(kind).into(),
        other => camel_keys(other),
    })
    .unwrap_or(CodexErrorInfo::Other)
}

/// Reads which memories a message leans on.
pub(crate) fn memory_citation(stored: Option<&Value>) -> Option<MemoryCitation> {
    let mut citation = camel_keys(stored?);
    let fields = citation.as_object_mut()?;
    if let Some(ids) = fields.remove("rolloutIds") {
        fields.entry("threadIds").or_insert(ids);
    }
    wire(&citation)
}

/// Reads a word of the rollout, such as a status or a phase, as a word of the wire.
pub(crate) fn word<T: DeserializeOwned>(stored: Option<&str>) -> Option<T> {
    wire(&camel(stored?).into())
}

/// Returns a stored `{secs, nanos}` in milliseconds.
pub(crate) fn millis(duration: Option<&Value>) -> Option<i64> {
    let part = |name| duration?.get(name)?.as_i64();
    Some(part("secs")?.saturating_mul(1000).saturating_add(part("nanos")? / 1_000_000))
}

/// Returns the path that a stored path or `file:` URL names.
pub(crate) fn path(stored: &str) -> String {
    match stored.strip_prefix("file://") {
        Some(encoded) if encoded.starts_with('/') => percent_decoded(encoded),
        _ => stored.to_owned(),
    }
}

fn percent_decoded(encoded: &str) -> String {
    let bytes = encoded.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = |ahead| bytes.get(at + ahead).and_then(|&digit| char::from(digit).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| encoded.to_owned())
}

/// Reads a value of the wire.
pub(crate) fn wire<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// Respells the keys of all objects in a value.
pub(crate) fn camel_keys(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (camel(key), camel_keys(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(values) => values.iter().map(camel_keys).collect(),
        other => other.clone(),
    }
}

/// Respells a word: `in_progress` and `InProgress` become `inProgress`.
pub(crate) fn camel(word: &str) -> String {
    let mut camel = String::with_capacity(word.len());
    let mut upper = false;
    for letter in word.chars() {
        match letter {
            '_' if !camel.is_empty() => upper = true,
            letter if camel.is_empty() => camel.push(letter.to_ascii_lowercase()),
            letter if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_read_in_the_words_of_the_wire() {
        for (stored, wire) in [
            (json!({"message": "m"}), json!(null)),
            (json!({"message": "m", "codex_error_info": null}), json!(null)),
            (
                json!({"message": "m", "codex_error_info": "internal_server_error"}),
                json!("internalServerError"),
            ),
            (json!({"message": "m", "codexErrorInfo": "badRequest"}), json!("badRequest")),
            (json!({"message": "m", "codex_error_info": "of_the_future"}), json!("other")),
            (
                json!({"message": "m", "codex_error_info": {"response_too_many_failed_attempts": {"http_status_code": 429}}}),
                json!({"responseTooManyFailedAttempts": {"httpStatusCode": 429}}),
            ),
        ] {
            let error = serde_json::to_value(turn_error_object(&stored)).unwrap();
            assert_eq!(error, json!({"message": "m", "codexErrorInfo": wire, "additionalDetails": null}));
        }
        assert_eq!(turn_error_object(&json!("plain")).message, "plain");
    }

    #[test]
    fn paths_may_be_urls() {
        for (stored, expected) in [
            ("/a b", "/a b"),
            ("rel", "rel"),
            ("file:///a%20b/%C3%A9%", "/a b/é%"),
            ("file:///a%zz%+1", "/a%zz%+1"),
            ("file:///%ff", "/%ff"),
            ("file://host/a", "file://host/a"),
        ] {
            assert_eq!(path(stored), expected);
        }
    }

    #[test]
    fn words_are_respelled() {
        for (word, expected) in [
            ("in_progress", "inProgress"),
            ("completed", "completed"),
            ("UserMessage", "userMessage"),
            ("unified_exec_startup", "unifiedExecStartup"),
            ("_meta", "_meta"),
            ("structuredContent", "structuredContent"),
        ] {
            assert_eq!(camel(word), expected);
        }
    }

    #[test]
    fn durations_are_milliseconds() {
        assert_eq!(millis(Some(&json!({"secs": 1, "nanos": 21_260_000}))), Some(1021));
        assert_eq!(millis(Some(&json!("1s"))), None);
        assert_eq!(millis(None), None);
    }
}
