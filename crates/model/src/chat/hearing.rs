//! Hears the pieces of a response, and tells the items that they make up as a Responses API would.
//!
//! A piece says only what is added. That an item is complete is told by what follows it: an item of another kind,
//! another call, or the reason why the response ends. So what is cut off in the middle is never told as complete.

use std::mem;

use items::{ResponseItem, Role};
use serde_json::json;
use uuid::Uuid;

use super::{
    calls::{Call, Calls},
    chunk::{Choice, Chunk},
    thought::{self, Name},
    tools::Named,
};
use crate::{
    ModelError, Request, StreamEvent, TokenUsage,
    http::{Hear, Told, failure},
};

/// What has been heard of a response.
pub(super) struct Hearing {
    tools: Named,
    calls: Calls,
    /// The item that grows.
    open: Option<Open>,
    /// White space that no message has begun with yet: models that think put line breaks before their calls, and a
    /// message of nothing else would be shown.
    blank: String,
    stage: Stage,
    response_id: Option<String>,
    usage: Option<TokenUsage>,
}

enum Open {
    Message { id: String, text: String },
    Thought { id: String, name: Name, text: String },
}

#[derive(PartialEq)]
enum Stage {
    Waiting,
    Begun,
    /// All is told but what it took: the count comes behind the answer, if it comes.
    Answered,
}

impl Hearing {
    /// Listens to the answer to a request.
    pub(super) fn of(request: &Request) -> Self {
        Self {
            tools: Named::of(&request.tools),
            calls: Calls::behind(&request.input),
            open: None,
            blank: String::new(),
            stage: Stage::Waiting,
            response_id: None,
            usage: None,
        }
    }
}

impl Hear for Hearing {
    const LAST: &'static str = "finish_reason";

    fn hear(&mut self, data: &str, told: &mut Told) {
        if data.trim() == "[DONE]" {
            self.done(told);
            return;
        }
        let Some(mut chunk) = Chunk::read(data) else {
            tracing::trace!("an event was passed over");
            return;
        };
        if let Some(error) = chunk.take_error() {
            let end = self.end(failure::reported(error));
            told.push_back(end);
            return;
        }
        if self.stage == Stage::Waiting && chunk.is_response() {
            self.stage = Stage::Begun;
            told.push_back(Ok(StreamEvent::Created));
        }
        if let Some(id) = chunk.id().filter(|_| self.response_id.is_none()) {
            self.response_id = Some(id.to_owned());
        }
        self.usage = chunk.usage().or(self.usage.take());
        if let Some(choice) = chunk.choice().filter(|_| self.stage == Stage::Begun) {
            self.take_in(choice, told);
        }
    }

    /// A response that was answered is complete, whatever becomes of the rest of its stream.
    fn end(&mut self, why: ModelError) -> Result<StreamEvent, ModelError> {
        if self.stage == Stage::Answered { Ok(self.completed()) } else { Err(why) }
    }
}

impl Hearing {
    fn take_in(&mut self, choice: Choice<'_>, told: &mut Told) {
        if let Some((name, piece)) = choice.thought() {
            self.think(name, &piece, told);
        }
        if let Some(piece) = choice.text() {
            self.say(&piece, told);
        }
        for piece in choice.calls() {
            match self.calls.find(&piece) {
                Some(call) => call.extend(piece),
                None => {
                    self.follow(told);
                    self.calls.begin(piece);
                }
            }
        }
        if let Some(reason) = choice.finish() {
            self.finish(reason, told);
        }
    }

    fn think(&mut self, name: Name, piece: &str, told: &mut Told) {
        if !matches!(self.open, Some(Open::Thought { name: open, .. }) if open == name) {
            self.follow(told);
            let id = made_up("rs");
            told.push_back(Ok(StreamEvent::ItemAdded(thought::begun(&id))));
            self.open = Some(Open::Thought { id, name, text: String::new() });
        }
        self.grow(piece);
        told.push_back(Ok(StreamEvent::ReasoningDelta { index: 0, delta: piece.to_owned() }));
    }

    fn say(&mut self, piece: &str, told: &mut Told) {
        let piece = mem::take(&mut self.blank) + piece;
        if !matches!(self.open, Some(Open::Message { .. })) {
            if piece.trim().is_empty() {
                self.blank = piece;
                return;
            }
            self.follow(told);
            let id = made_up("msg");
            told.push_back(Ok(StreamEvent::ItemAdded(message(&id, ""))));
            self.open = Some(Open::Message { id, text: String::new() });
        }
        self.grow(&piece);
        told.push_back(Ok(StreamEvent::TextDelta(piece)));
    }

    fn grow(&mut self, piece: &str) {
        if let Some(Open::Message { text, .. } | Open::Thought { text, .. }) = &mut self.open {
            text.push_str(piece);
        }
    }

    fn finish(&mut self, reason: &str, told: &mut Told) {
        match reason {
            // What was said so far is said; a call that was being made is not.
            "length" | "max_tokens" | "model_length" => {
                self.close(told);
                told.push_back(Err(failure::incomplete("max_output_tokens")));
            }
            "content_filter" => told.push_back(Err(failure::incomplete("content_filter"))),
            // OpenRouter, vLLM, DeepSeek: the server gave up.
            "error" | "abort" | "insufficient_system_resource" => {
                let why = format_args!("the provider stopped with `{reason}`");
                told.push_back(Err(ModelError::cut(why)));
            }
            _ => self.answered(told),
        }
    }

    /// Takes the end of the stream for that of the answer, where no reason was given, unless a call is cut off by it.
    fn done(&mut self, told: &mut Told) {
        self.follow(told);
        if self.calls.is_empty() {
            self.stage = Stage::Answered;
        }
        let end = self.end(ModelError::cut(format_args!("stream closed before {}", Self::LAST)));
        told.push_back(end);
    }

    fn answered(&mut self, told: &mut Told) {
        self.close(told);
        let calls = self.calls.rest();
        self.tell(calls, told);
        self.stage = Stage::Answered;
    }

    /// Tells what is complete now that something else begins.
    fn follow(&mut self, told: &mut Told) {
        self.close(told);
        let calls = self.calls.followed();
        self.tell(calls, told);
    }

    fn tell(&mut self, calls: Vec<Call>, told: &mut Told) {
        told.extend(calls.into_iter().map(|Call { id, name, arguments, .. }| {
            Ok(StreamEvent::ItemDone(self.tools.call(&id, &name, &arguments)))
        }));
    }

    fn close(&mut self, told: &mut Told) {
        self.blank.clear();
        let item = match self.open.take() {
            Some(Open::Message { id, text }) => message(&id, &text),
            Some(Open::Thought { id, name, text }) => thought::done(&id, name, &text),
            None => return,
        };
        told.push_back(Ok(StreamEvent::ItemDone(item)));
    }

    fn completed(&mut self) -> StreamEvent {
        StreamEvent::Completed { response_id: self.response_id.take(), usage: self.usage.take() }
    }
}

fn message(id: &str, text: &str) -> ResponseItem {
    let content = match text {
        "" => json!([]),
        text => json!([ResponseItem::text_part(Role::Assistant, text)]),
    };
    ResponseItem::of([
        ("type", "message".into()),
        ("role", Role::Assistant.as_str().into()),
        ("id", id.into()),
        ("content", content),
    ])
}

/// Makes up an id, since items have none here; with the beginning that a Responses API insists on.
fn made_up(kind: &str) -> String {
    format!("{kind}_{}", Uuid::now_v7().simple())
}

#[cfg(test)]
mod tests;
