//! A model without a network: the one that comes with Skein, and the one of tests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, stream};
use items::{ResponseItem, Role};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{ErrorKind, EventStream, Model, ModelError, Request, StreamEvent, TokenUsage};

/// Answers from a script; without one, with a friendly word about the question.
///
/// The same conversation gets the same answer, ids and token counts included.
#[derive(Default)]
pub struct ScriptedModel {
    script: Option<Mutex<Script>>,
    stream_retries: u32,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Vec<Step>>,
    asked: Vec<Request>,
}

/// One step of a scripted answer.
#[derive(Clone, Debug)]
pub enum Step {
    /// Streams an event.
    Tell(StreamEvent),
    /// Ends the stream with an error.
    Fail(ModelError),
    /// Waits until a test opens the gate.
    Wait(Gate),
}

/// Holds a scripted answer back until it is opened; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl ScriptedModel {
    /// Makes the model that comes with Skein.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a model that gives these answers, one a request; a request too many fails.
    pub fn with(answers: impl IntoIterator<Item = Vec<Step>>) -> Self {
        let script = Script { answers: answers.into_iter().collect(), asked: Vec::new() };
        Self { script: Some(Mutex::new(script)), stream_retries: 0 }
    }

    /// Lets streams that break off be asked for again.
    pub fn stream_retries(self, stream_retries: u32) -> Self {
        Self { stream_retries, ..self }
    }

    /// Returns what a scripted model was asked so far.
    pub fn asked(&self) -> Vec<Request> {
        self.script.as_ref().map(|script| lock(script).asked.clone()).unwrap_or_default()
    }

    fn answer(&self, request: Request) -> Vec<Step> {
        let Some(script) = &self.script else { return friendly(&request) };
        let mut script = lock(script);
        script.asked.push(request);
        script.answers.pop_front().unwrap_or_else(|| {
            vec![Step::Fail(ModelError::last(ErrorKind::Other, "the script has no answer to this request"))]
        })
    }
}

impl Model for ScriptedModel {
    fn name(&self) -> &str {
        "scripted"
    }

    /// Streams the next answer; unlike with a provider, asking alone takes it from the script.
    fn stream(&self, request: Request) -> EventStream {
        let steps = stream::iter(self.answer(request));
        steps
            .filter_map(|step| async {
                match step {
                    Step::Tell(event) => Some(Ok(event)),
                    Step::Fail(error) => Some(Err(error)),
                    Step::Wait(gate) => {
                        gate.passed().await;
                        None
                    }
                }
            })
            .boxed()
    }

    fn stream_retries(&self) -> u32 {
        self.stream_retries
    }
}

impl Step {
    /// Makes a whole answer of one message, streamed in the given pieces.
    pub fn say<'a>(
        id: &str,
        pieces: impl IntoIterator<Item = &'a str>,
        usage: Option<TokenUsage>,
    ) -> Vec<Self> {
        let mut text = String::new();
        let mut events = vec![StreamEvent::Created];
        events.extend(message(id, "").map(StreamEvent::ItemAdded));
        for piece in pieces {
            text.push_str(piece);
            events.push(StreamEvent::TextDelta(piece.to_owned()));
        }
        events.extend(message(id, &text).map(StreamEvent::ItemDone));
        events.push(StreamEvent::Completed { response_id: Some(format!("resp_{id}")), usage });
        events.into_iter().map(Self::Tell).collect()
    }
}

impl Gate {
    /// Makes a closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Opens the gate, for good.
    pub fn open(&self) {
        self.0.close();
    }

    async fn passed(&self) {
        // There are no permits: waiting ends, with an error, when the semaphore is closed.
        let _ = self.0.acquire().await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::closed()
    }
}

/// More of a question than this is not repeated.
const LONGEST_QUOTE: usize = 200;

/// Answers a question of a person who has set up no provider yet.
fn friendly(request: &Request) -> Vec<Step> {
    let asked = request
        .input
        .iter()
        .rev()
        .find(|item| item.role() == Some(Role::User) && !item.is_injected_context());
    let question = asked.map(|item| quote(&item.text())).unwrap_or_default();
    let opening = match question.as_str() {
        "" => "Hello!".to_owned(),
        question => format!("You said: “{question}”"),
    };
    let answer = format!(
        "{opening}\n\nI am the scripted model that comes with Skein: I need no network and no login, and I always \
         answer like this. Name a model provider in `config.toml` to talk to a real one."
    );
    let read: usize = request.input.iter().map(|item| tokens(&item.text())).sum();
    let (input_tokens, output_tokens) = (count(read), count(tokens(&answer)));
    let usage = TokenUsage {
        input_tokens,
        output_tokens,
        total_tokens: input_tokens + output_tokens,
        ..TokenUsage::default()
    };
    // The conversation grows with each answer, so its length tells this one from the others of the thread.
    let id = format!("msg_{}_{}", request.thread_id, request.input.len());
    Step::say(&id, answer.split_inclusive(' '), Some(usage))
}

/// Returns a text on one line, shortened.
fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Estimates how many tokens a text has: four characters each, the rule of thumb for English.
fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

fn count(tokens: usize) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

fn message(id: &str, text: &str) -> Option<ResponseItem> {
    let content =
        if text.is_empty() { Vec::new() } else { vec![ResponseItem::text_part(Role::Assistant, text)] };
    ResponseItem::try_from(json!({ "type": "message", "role": "assistant", "id": id, "content": content }))
        .ok()
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use pretty_assertions::assert_eq;
    use serde_json::Map;

    use super::*;
    use crate::{ClientIdentity, Retry};

    fn request(input: Vec<ResponseItem>) -> Request {
        Request {
            model: "scripted".into(),
            instructions: None,
            input: input.into(),
            tools: Vec::new(),
            parallel_tool_calls: false,
            reasoning: None,
            include: Vec::new(),
            verbosity: None,
            service_tier: None,
            output_schema: None,
            thread_id: "t".into(),
            turn_state: None,
            client: ClientIdentity::default(),
            turn_metadata: Map::new(),
            client_metadata: Map::new(),
        }
    }

    fn user(text: &str) -> ResponseItem {
        ResponseItem::message(Role::User, text)
    }

    async fn heard(model: &ScriptedModel, input: Vec<ResponseItem>) -> Vec<Result<StreamEvent, ModelError>> {
        model.stream(request(input)).collect().await
    }

    /// Returns the message that came with the bundled model, having checked that its pieces make it up.
    async fn said(input: Vec<ResponseItem>) -> ResponseItem {
        let (mut pieces, mut done) = (String::new(), None);
        for event in heard(&ScriptedModel::new(), input).await {
            match event.unwrap() {
                StreamEvent::TextDelta(piece) => pieces.push_str(&piece),
                StreamEvent::ItemDone(item) => done = Some(item),
                _ => {}
            }
        }
        let item = done.unwrap();
        assert_eq!(item.text(), pieces);
        item
    }

    #[tokio::test]
    async fn the_bundled_model_answers_what_the_person_said_last() {
        let long = "word ".repeat(100);
        for (input, opening) in [
            (vec![user("hello")], "You said: “hello”\n"),
            (
                vec![user("one"), ResponseItem::message(Role::Assistant, "x"), user("two\n  lines")],
                "You said: “two lines”\n",
            ),
            (vec![user("hi"), user("<environment_context>\n</environment_context>")], "You said: “hi”\n"),
            (vec![user(&long)], "You said: “word word "),
            (vec![], "Hello!\n"),
        ] {
            let text = said(input).await.text();
            assert!(text.starts_with(opening) && text.contains("scripted model"), "{text}");
            assert!(text.chars().count() < 450, "{text}");
        }
    }

    #[tokio::test]
    async fn the_bundled_model_repeats_itself_but_not_its_ids() {
        let first = said(vec![user("hello")]).await;
        assert_eq!(said(vec![user("hello")]).await, first);
        let second = said(vec![user("hello"), first.clone(), user("hello")]).await;
        assert_eq!(second.text(), first.text());
        assert_ne!(second.id(), first.id());
    }

    #[tokio::test]
    async fn the_bundled_model_counts_tokens() {
        let told = heard(&ScriptedModel::new(), vec![user("hello")]).await;
        let Some(Ok(StreamEvent::Completed { usage: Some(usage), .. })) = told.last() else {
            panic!("{told:?}")
        };
        assert_eq!((usage.input_tokens, usage.total_tokens), (2, 2 + usage.output_tokens));
        assert!(told.iter().filter(|event| matches!(event, Ok(StreamEvent::TextDelta(_)))).count() > 5);
    }

    #[tokio::test]
    async fn a_script_is_followed_and_what_was_asked_is_kept() {
        let cut = ModelError::cut("test");
        let model = ScriptedModel::with([
            vec![Step::Tell(StreamEvent::Created), Step::Fail(cut.clone())],
            Step::say("m", ["a", "b"], None),
        ])
        .stream_retries(3);
        assert_eq!(Model::stream_retries(&model), 3);
        assert_eq!(heard(&model, vec![user("one")]).await, [Ok(StreamEvent::Created), Err(cut)]);
        let told = heard(&model, vec![user("two")]).await;
        assert_eq!(told.len(), 6);
        assert!(told.contains(&Ok(StreamEvent::ItemDone(message("m", "ab").unwrap()))));
        let beyond = heard(&model, vec![user("three")]).await;
        assert!(matches!(beyond.as_slice(), [Err(ModelError { retry: Retry::No, .. })]), "{beyond:?}");
        let asked: Vec<_> = model.asked().iter().map(|request| request.input[0].text()).collect();
        assert_eq!(asked, ["one", "two", "three"]);
    }

    #[tokio::test]
    async fn a_gate_holds_an_answer_back_until_it_is_opened() {
        let gate = Gate::closed();
        let model = ScriptedModel::with([vec![Step::Wait(gate.clone()), Step::Tell(StreamEvent::Created)]]);
        let mut stream = model.stream(request(Vec::new()));
        assert_eq!(stream.next().now_or_never(), None);
        gate.open();
        assert_eq!(stream.next().await, Some(Ok(StreamEvent::Created)));
    }
}
