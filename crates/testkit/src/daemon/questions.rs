//! What the server asks of the client: taken and answered by the test, or by handlers that it set up before.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use protocol::{RequestId, ServerMethod};
use serde_json::{Value, json};

use super::Daemon;

/// A question of the server that the test took.
#[derive(Debug)]
pub struct Asked<R: ServerMethod> {
    /// The id that the server gave it.
    pub id: RequestId,
    /// What it is about.
    pub params: R::Params,
}

impl Daemon {
    /// Waits for a question of a kind, the first that no one has taken yet.
    pub async fn expect_request<R: ServerMethod>(&mut self) -> Asked<R> {
        let (id, params) = self.process.transcript().wait(R::NAME, |seen| seen.take_question(R::NAME)).await;
        Asked { id, params: decoded::<R>(params) }
    }

    /// Has every question of a kind that comes from now on answered at once, also after a restart.
    pub fn answer_with<R: ServerMethod>(
        &mut self,
        mut answer: impl FnMut(R::Params) -> R::Response + Send + 'static,
    ) {
        let answer = move |params| serde_json::to_value(answer(decoded::<R>(params))).unwrap();
        self.handlers.add(R::NAME, Box::new(answer));
    }

    /// Answers a question, in any order and as often as a test likes.
    pub fn reply<R: ServerMethod>(&mut self, asked: &Asked<R>, response: R::Response) {
        self.reply_raw(&asked.id, serde_json::to_value(response).unwrap());
    }

    /// Answers with something that need not be an answer, to an id that need not be asked about.
    pub fn reply_raw(&mut self, id: &RequestId, result: Value) {
        self.raw(json!({ "id": id, "result": result }).to_string());
    }

    /// Answers a question with an error, as clients do that do not know it.
    pub fn reply_error<R: ServerMethod>(&mut self, asked: &Asked<R>, code: i64, message: &str) {
        let error = json!({ "code": code, "message": message });
        self.raw(json!({ "id": asked.id, "error": error }).to_string());
    }

    /// Returns what was asked of a kind so far, whoever answered, in the order in which it came.
    pub fn requests<R: ServerMethod>(&self) -> Vec<R::Params> {
        self.process.transcript().questions(R::NAME).into_iter().map(decoded::<R>).collect()
    }
}

fn decoded<R: ServerMethod>(params: Value) -> R::Params {
    serde_json::from_value(params).unwrap_or_else(|error| panic!("{}: {error}", R::NAME))
}

/// Answers to kinds of questions, set up by the test.
#[derive(Default)]
pub(super) struct Handlers(Mutex<HashMap<&'static str, Handler>>);

type Handler = Box<dyn FnMut(Value) -> Value + Send>;

impl Handlers {
    fn add(&self, method: &'static str, handler: Handler) {
        self.0.lock().unwrap().insert(method, handler);
    }

    /// Returns the answer to a question, if one was set up; an error if that panicked.
    pub(super) fn answer(&self, method: &str, params: Value) -> Option<Result<Value, String>> {
        let mut handlers = self.0.lock().unwrap();
        let handler = handlers.get_mut(method)?;
        let answer = catch_unwind(AssertUnwindSafe(|| handler(params)));
        Some(answer.map_err(|_| format!("what was to answer {method} panicked")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::Transcript;
    use super::*;

    const ASKED: &str = "item/fileChange/requestApproval";

    fn question(id: i64, item: &str) -> Value {
        let params = json!({ "threadId": "t", "turnId": "u", "itemId": item, "startedAtMs": 1, "reason": null, "grantRoot": null });
        json!({ "id": id, "method": ASKED, "params": params })
    }

    fn resolved(id: i64) -> Value {
        json!({ "method": "serverRequest/resolved", "params": { "threadId": "t", "requestId": id } })
    }

    /// What a transcript of these messages answers, and the faults that it finds at the end.
    async fn heard(handlers: &Handlers, messages: &[Value], takes: usize) -> (Vec<Value>, Option<String>) {
        let transcript = Transcript::default();
        let lines = messages.iter().map(|message| format!("{message}\n"));
        let answers = lines.filter_map(|line| transcript.hear(line.as_bytes(), handlers)).collect();
        for _ in 0..takes {
            transcript.wait(ASKED, |seen| seen.take_question(ASKED)).await;
        }
        let checked = catch_unwind(AssertUnwindSafe(|| transcript.check_ended()));
        (answers, checked.err().map(|fault| *fault.downcast::<String>().unwrap()))
    }

    #[tokio::test]
    async fn a_question_is_answered_by_its_handler_or_to_be_taken() {
        let handlers = Handlers::default();
        let (answers, fault) = heard(&handlers, &[question(0, "i"), question(1, "j"), resolved(0)], 1).await;
        assert_eq!(answers, [] as [Value; 0]);
        assert!(fault.unwrap().starts_with(&format!("nobody took {ASKED}")));
        handlers.add(ASKED, Box::new(|params| json!({ "item": params["itemId"] })));
        let (answers, fault) = heard(&handlers, &[question(0, "i"), question(0, "i")], 0).await;
        assert_eq!(answers, [(); 2].map(|()| json!({ "id": 0, "result": { "item": "i" } })));
        assert_eq!(fault, None);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_question_or_its_end_is_a_fault() {
        let misfit = json!({ "id": 0, "method": ASKED, "params": {} });
        for (messages, takes, told) in [
            (vec![misfit], 0, "is a required property"),
            (vec![json!({ "id": 0, "method": "item/invented", "params": {} })], 0, "is not in ServerRequest"),
            (vec![question(0, "i"), question(0, "j")], 1, "the id of another question"),
            (vec![resolved(0)], 0, "the end of a question that was not asked"),
        ] {
            let (_, fault) = heard(&Handlers::default(), &messages, takes).await;
            assert!(fault.as_ref().is_some_and(|fault| fault.contains(told)), "{told}: {fault:?}");
        }
    }

    #[tokio::test]
    async fn a_handler_that_panics_fails_the_test() {
        let handlers = Handlers::default();
        handlers.add(ASKED, Box::new(|_| panic!("the test means it")));
        let (answers, fault) = heard(&handlers, &[question(0, "i")], 0).await;
        assert_eq!(answers, [] as [Value; 0]);
        assert!(fault.unwrap().contains("panicked"));
    }
}
