//! From the data of a server-sent event to what it means for a response.

use items::ResponseItem;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    ModelError, StreamEvent, TokenUsage,
    http::{failure, headers::SERVED_BY},
};

/// Hands what an event means to `tell`; an event that is unknown, or not in the form of its kind, means nothing.
///
/// Data is read twice, first for its kind alone: an event of the future may use our field names in its own way.
pub(super) fn hear(data: &str, mut tell: impl FnMut(Result<StreamEvent, ModelError>)) {
    let kind = read::<Kind>(data).map(|event| event.kind).unwrap_or_default();
    let event = match kind.as_str() {
        "response.created" => {
            if let Some(model) = read::<Whole<Created>>(data).and_then(|event| event.response.served_by()) {
                tell(Ok(StreamEvent::ServedBy(model)));
            }
            Some(Ok(StreamEvent::Created))
        }
        "response.output_item.added" => read(data).map(|Item { item }| Ok(StreamEvent::ItemAdded(item))),
        "response.output_item.done" => read(data).map(|Item { item }| Ok(StreamEvent::ItemDone(item))),
        "response.output_text.delta" => {
            read(data).map(|Delta { delta, .. }| Ok(StreamEvent::TextDelta(delta)))
        }
        "response.reasoning_summary_part.added" => {
            read(data).map(|Part { summary_index: index }| Ok(StreamEvent::SummaryPartAdded { index }))
        }
        "response.reasoning_summary_text.delta" => {
            read(data).map(|Delta { delta, summary_index, .. }| {
                Ok(StreamEvent::SummaryDelta { index: summary_index, delta })
            })
        }
        "response.reasoning_text.delta" => read(data).map(|Delta { delta, content_index, .. }| {
            Ok(StreamEvent::ReasoningDelta { index: content_index, delta })
        }),
        "response.completed" => Some(Ok(read::<Whole<Completed>>(data).unwrap_or_default().response.event())),
        "response.failed" => Some(Err(read::<Whole<Failed>>(data)
            .unwrap_or_default()
            .response
            .error
            .unwrap_or_default()
            .error())),
        "response.incomplete" => {
            let ended = read::<Whole<Incomplete>>(data).unwrap_or_default().response;
            let reason = ended.incomplete_details.and_then(|details| details.reason);
            Some(Err(failure::incomplete(reason.as_deref().unwrap_or("unknown"))))
        }
        // A stream may fail outside of any response; what went wrong stands in the event or in a field of it.
        "error" => read::<Outside>(data).map(|Outside { error, flat }| Err(error.unwrap_or(flat).error())),
        // Gateways report a failure in an object of their own, some as the whole body of a response that began well.
        "" => read::<Bare>(data).and_then(|bare| bare.error).map(|error| Err(failure::reported(error))),
        _ => None,
    };
    match event {
        Some(event) => tell(event),
        None => tracing::trace!(kind, "an event was passed over"),
    }
}

fn read<'a, T: Deserialize<'a>>(data: &'a str) -> Option<T> {
    serde_json::from_str(data).ok()
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Bare {
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Item {
    item: ResponseItem,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    summary_index: i64,
}

#[derive(Deserialize)]
struct Delta {
    delta: String,
    #[serde(default)]
    summary_index: i64,
    #[serde(default)]
    content_index: i64,
}

/// An event about the whole response, of which only a few fields are looked at: it may repeat megabytes of items.
#[derive(Default, Deserialize)]
struct Whole<T> {
    response: T,
}

#[derive(Deserialize)]
struct Created {
    headers: Option<Value>,
}

impl Created {
    /// Returns the model that answers; a header may be a text or a list of texts.
    fn served_by(self) -> Option<String> {
        let headers = self.headers?;
        let (_, value) =
            headers.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(SERVED_BY))?;
        let model = value.as_str().or_else(|| value.get(0)?.as_str())?;
        Some(model.to_owned())
    }
}

#[derive(Default, Deserialize)]
struct Completed {
    id: Option<String>,
    /// Read on its own: a response that is complete stays so, however its tokens are counted.
    usage: Option<Value>,
}

impl Completed {
    fn event(self) -> StreamEvent {
        let usage = self.usage.and_then(|usage| serde_json::from_value::<Usage>(usage).ok());
        StreamEvent::Completed { response_id: self.id, usage: usage.map(TokenUsage::from) }
    }
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: i64,
    input_tokens_details: Option<InputDetails>,
    output_tokens: i64,
    output_tokens_details: Option<OutputDetails>,
    total_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: i64,
}

#[derive(Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: i64,
}

impl From<Usage> for TokenUsage {
    fn from(usage: Usage) -> Self {
        let Usage { input_tokens, input_tokens_details, output_tokens, output_tokens_details, total_tokens } =
            usage;
        Self {
            input_tokens,
            cached_input_tokens: input_tokens_details.map_or(0, |details| details.cached_tokens),
            output_tokens,
            reasoning_output_tokens: output_tokens_details.map_or(0, |details| details.reasoning_tokens),
            total_tokens: total_tokens.unwrap_or_else(|| input_tokens.saturating_add(output_tokens)),
        }
    }
}

#[derive(Default, Deserialize)]
struct Failed {
    error: Option<Cause>,
}

#[derive(Default, Deserialize)]
struct Cause {
    code: Option<String>,
    message: Option<String>,
}

impl Cause {
    fn error(&self) -> ModelError {
        let code = self.code.as_deref().unwrap_or_default();
        failure::failed(code, self.message.as_deref().unwrap_or_default().trim())
    }
}

#[derive(Default, Deserialize)]
struct Incomplete {
    incomplete_details: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Outside {
    error: Option<Cause>,
    #[serde(flatten)]
    flat: Cause,
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;
    use crate::{ErrorKind, Retry};

    fn heard(event: &Value) -> Vec<Result<StreamEvent, ModelError>> {
        let mut told = Vec::new();
        hear(&event.to_string(), |event| told.push(event));
        told
    }

    fn item(value: Value) -> ResponseItem {
        value.try_into().unwrap()
    }

    #[test]
    fn events_are_understood() {
        use StreamEvent::{
            Created, ItemAdded, ItemDone, ReasoningDelta, ServedBy, SummaryDelta, SummaryPartAdded, TextDelta,
        };
        let message = json!({ "type": "message", "id": "m", "unknown": [1] });
        for (event, meaning) in [
            (json!({ "type": "response.created", "response": { "id": "r" } }), vec![Created]),
            (json!({ "type": "response.created" }), vec![Created]),
            (
                json!({ "type": "response.created", "response": { "headers": { "OpenAI-Model": "other" } } }),
                vec![ServedBy("other".into()), Created],
            ),
            (
                json!({ "type": "response.created", "response": { "headers": { "openai-model": ["other"] } } }),
                vec![ServedBy("other".into()), Created],
            ),
            (
                json!({ "type": "response.output_item.added", "item": message }),
                vec![ItemAdded(item(message.clone()))],
            ),
            (json!({ "type": "response.output_item.done", "item": message }), vec![ItemDone(item(message))]),
            (json!({ "type": "response.output_text.delta", "delta": "x" }), vec![TextDelta("x".into())]),
            (
                json!({ "type": "response.reasoning_summary_part.added", "summary_index": 2 }),
                vec![SummaryPartAdded { index: 2 }],
            ),
            (
                json!({ "type": "response.reasoning_summary_text.delta", "delta": "x", "summary_index": 1 }),
                vec![SummaryDelta { index: 1, delta: "x".into() }],
            ),
            (
                json!({ "type": "response.reasoning_text.delta", "delta": "x" }),
                vec![ReasoningDelta { index: 0, delta: "x".into() }],
            ),
        ] {
            assert_eq!(heard(&event), meaning.into_iter().map(Ok).collect::<Vec<_>>(), "{event}");
        }
    }

    #[test]
    fn what_is_not_understood_means_nothing() {
        for event in [
            json!({ "type": "response.from_the_future", "delta": { "no": "text" }, "item": 7 }),
            json!({ "type": "response.output_item.done", "item": "no object" }),
            json!({ "type": "response.output_text.delta" }),
            json!({ "type": 7 }),
            json!({ "object": "response", "error": null }),
            json!("[DONE]"),
        ] {
            assert_eq!(heard(&event), [], "{event}");
        }
        hear("[DONE]", |event| panic!("{event:?}"));
    }

    #[test]
    fn a_complete_response_is_counted_as_far_as_its_counts_are_understood() {
        let counted = |input, cached, output, reasoning, total| {
            Some(TokenUsage {
                input_tokens: input,
                cached_input_tokens: cached,
                output_tokens: output,
                reasoning_output_tokens: reasoning,
                total_tokens: total,
            })
        };
        for (usage, meaning) in [
            (
                json!({
                    "input_tokens": 10, "input_tokens_details": { "cached_tokens": 4 },
                    "output_tokens": 5, "output_tokens_details": { "reasoning_tokens": 2 }, "total_tokens": 16,
                }),
                counted(10, 4, 5, 2, 16),
            ),
            (
                json!({ "input_tokens": 10, "input_tokens_details": null, "output_tokens": 5 }),
                counted(10, 0, 5, 0, 15),
            ),
            (json!(null), None),
            (json!("free"), None),
        ] {
            let event = json!({ "type": "response.completed", "response": { "id": "r", "output": [], "usage": usage } });
            let completed = StreamEvent::Completed { response_id: Some("r".into()), usage: meaning };
            assert_eq!(heard(&event), [Ok(completed)], "{event}");
        }
        let bare = StreamEvent::Completed { response_id: None, usage: None };
        assert_eq!(heard(&json!({ "type": "response.completed" })), [Ok(bare)]);
    }

    #[test]
    fn a_failure_is_told_wherever_it_stands() {
        let cause = json!({ "code": "invalid_prompt", "message": "bad prompt" });
        let refused = |message: &str| ModelError::last(ErrorKind::Other, message);
        for (event, error) in [
            (json!({ "type": "response.failed", "response": { "error": cause } }), refused("bad prompt")),
            (
                json!({ "type": "error", "code": "invalid_prompt", "message": "bad prompt" }),
                refused("bad prompt"),
            ),
            (json!({ "type": "error", "error": cause }), refused("bad prompt")),
            (json!({ "error": cause }), refused("bad prompt")),
            (json!({ "error": { "message": "no such model", "code": 404 } }), refused("no such model")),
            (
                json!({ "type": "response.incomplete", "response": { "incomplete_details": { "reason": "max" } } }),
                refused("Incomplete response returned, reason: max"),
            ),
            (
                json!({ "type": "response.incomplete", "response": {} }),
                refused("Incomplete response returned, reason: unknown"),
            ),
        ] {
            assert_eq!(heard(&event), [Err(error)], "{event}");
        }
        let vague = heard(&json!({ "type": "response.failed", "response": { "error": null } }));
        assert!(matches!(vague.as_slice(), [Err(ModelError { retry: Retry::Stream, .. })]), "{vague:?}");
    }
}
