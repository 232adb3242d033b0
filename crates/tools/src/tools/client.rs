//! Tools that the client offers and carries out itself (`dynamicTools` of `thread/start`).

use std::time::Instant;

use futures::{FutureExt, future::BoxFuture};
use rollout::Event;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    context::{Context, NoAnswer},
    host::{ClientAnswer, ClientCall, Question},
    record,
    tool::{Call, Output, Stopped, Tool, function_of},
};

/// A tool that the client offers, as rollouts keep it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTool {
    /// The namespace that it is in, where it is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// What it takes.
    pub input_schema: Value,
    /// Whether the model is told of it only when it searches for tools, which no model here does: it is hidden.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub defer_loading: bool,
}

impl Tool for ClientTool {
    fn spec(&self) -> Option<Value> {
        let spec = || function_of(&self.name, &self.description, self.input_schema.clone());
        (!self.defer_loading).then(spec)
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let arguments: Value = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let item = json!({
                "type": "DynamicToolCall",
                "id": call.id,
                "namespace": self.namespace,
                "tool": self.name,
                "arguments": arguments,
                "status": "in_progress",
            });
            let began = cx.begin(record::begun(item, &cx.turn.id)).await;
            let since = Instant::now();
            let asked = ClientCall {
                call: call.id.clone(),
                namespace: self.namespace.clone(),
                tool: self.name.clone(),
                arguments: arguments.clone(),
            };
            let (answer, error) = match cx.ask(|reply| Question::Tool(asked, reply)).await {
                Ok(answer) => (answer, None),
                Err(NoAnswer::Refused) => failed("dynamic tool request failed"),
                Err(NoAnswer::Interrupted) => failed("aborted by the person"),
            };
            let output = output(&answer, error.as_deref());
            let item = Event::DynamicToolCallResponse {
                call_id: call.id.clone(),
                turn_id: Some(cx.turn.id.clone()),
                namespace: self.namespace.clone(),
                tool: self.name.clone(),
                arguments,
                content_items: answer.parts.into(),
                success: answer.success,
                error,
                duration: Some(record::duration(since.elapsed())),
            };
            cx.host.complete(item, began).await;
            Ok(output)
        }
        .boxed()
    }
}

fn failed(reason: &str) -> (ClientAnswer, Option<String>) {
    let parts = vec![json!({ "type": "inputText", "text": reason })];
    (ClientAnswer { parts, success: false }, Some(reason.to_owned()))
}

/// What the model is told: one text as a text, anything else as the parts of a message.
fn output(answer: &ClientAnswer, error: Option<&str>) -> Output {
    match (error, &answer.parts[..]) {
        (Some(reason), _) => reason.into(),
        (None, [only]) if only["type"] == "inputText" => only["text"].as_str().unwrap_or_default().into(),
        (None, parts) => Output::Parts(parts.iter().filter_map(part).collect()),
    }
}

fn part(told: &Value) -> Option<Value> {
    Some(match told["type"].as_str()? {
        "inputText" => json!({ "type": "input_text", "text": told["text"] }),
        "inputImage" => json!({ "type": "input_image", "image_url": told["imageUrl"] }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn one_text_is_a_text_and_more_are_parts() {
        let text = |text: &str| json!({ "type": "inputText", "text": text });
        let image = json!({ "type": "inputImage", "imageUrl": "data:x" });
        let answer = |parts: Vec<Value>| output(&ClientAnswer { parts, success: true }, None);
        assert_eq!(answer(vec![text("one")]), "one".into());
        assert_eq!(answer(vec![]), Output::Parts(vec![]));
        assert_eq!(
            answer(vec![text("one"), image]),
            Output::Parts(vec![
                json!({ "type": "input_text", "text": "one" }),
                json!({ "type": "input_image", "image_url": "data:x" }),
            ])
        );
    }
}
