//! Everything that a server said, checked as it comes and kept until a test has looked at it.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use protocol::{RequestId, ServerNotification};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::patience;
use super::questions::Handlers;
use crate::schemas::{faults_of_error, faults_of_notification, faults_of_question, faults_of_result};

/// An error as it came.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RpcError {
    /// The code.
    pub code: i64,
    /// The text.
    pub message: String,
    /// What there is beside it for programs.
    #[serde(default)]
    pub data: Option<Value>,
}

#[derive(Default)]
pub(super) struct Transcript {
    seen: Mutex<Seen>,
    changed: Notify,
}

/// What was said so far.
#[derive(Default)]
pub(super) struct Seen {
    /// The methods under way by id; clients may use one id twice at a time.
    asked: HashMap<RequestId, VecDeque<String>>,
    /// What came in answer and was not looked at.
    answers: HashMap<RequestId, VecDeque<Answer>>,
    notifications: Vec<Heard>,
    questions: Vec<Question>,
    lines: Vec<String>,
    log: Vec<u8>,
    faults: Vec<String>,
    closed: bool,
}

/// What a method was answered with.
type Answer = (String, Result<Value, RpcError>);

struct Heard {
    notification: ServerNotification,
    taken: bool,
}

/// Something that the server asked.
struct Question {
    id: RequestId,
    method: String,
    params: Value,
    taken: bool,
}

impl Transcript {
    pub(super) fn expect_answer(&self, id: RequestId, method: &str) {
        self.seen.lock().unwrap().asked.entry(id).or_default().push_back(method.to_owned());
    }

    /// Takes in one line of the server's stdout; returns the answer where it is a question that has a handler.
    pub(super) fn hear(&self, line: &[u8], handlers: &Handlers) -> Option<Value> {
        let mut seen = self.seen.lock().unwrap();
        seen.lines.push(String::from_utf8_lossy(line).trim_end_matches('\n').to_owned());
        seen.closed |= !line.ends_with(b"\n");
        let before = seen.questions.len();
        if let Err(fault) = seen.sort(line) {
            let line = shortened(&String::from_utf8_lossy(line));
            seen.faults.push(format!("{fault}: {line}"));
        }
        let answer = seen.questions.get_mut(before).and_then(|question| question.answer(handlers));
        let answer = answer.transpose().unwrap_or_else(|fault| {
            seen.faults.push(fault);
            None
        });
        drop(seen);
        self.changed.notify_waiters();
        answer
    }

    pub(super) fn close(&self) {
        self.seen.lock().unwrap().closed = true;
        self.changed.notify_waiters();
    }

    pub(super) fn add_log(&self, bytes: &[u8]) {
        self.seen.lock().unwrap().log.extend_from_slice(bytes);
    }

    /// Waits until something that is looked for is there; a fault meanwhile fails the test.
    pub(super) async fn wait<T>(&self, what: &str, pick: impl FnMut(&mut Seen) -> Option<T>) -> T {
        let found = self.wait_or_end(what, pick).await;
        found.unwrap_or_else(|| panic!("the server closed its stdout without {what}{}", self.tail()))
    }

    /// The same where the server may end; then it is `None`.
    pub(super) async fn wait_or_end<T>(
        &self,
        what: &str,
        mut pick: impl FnMut(&mut Seen) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + patience();
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on nothing that comes is missed.
            changed.as_mut().enable();
            {
                let mut seen = self.seen.lock().unwrap();
                if let Some(found) = pick(&mut seen) {
                    return Some(found);
                }
                if seen.closed {
                    return None;
                }
                let faults = seen.faults.join("\n");
                drop(seen);
                assert!(faults.is_empty(), "{faults}");
            }
            assert!(timeout_at(deadline, changed).await.is_ok(), "no {what} within {:?}", patience());
        }
    }

    pub(super) fn take_troubles(&self) -> Vec<ServerNotification> {
        self.seen.lock().unwrap().take_troubles()
    }

    pub(super) fn notifications(&self) -> Vec<ServerNotification> {
        let seen = self.seen.lock().unwrap();
        seen.notifications.iter().map(|heard| heard.notification.clone()).collect()
    }

    /// Returns the params of the questions of a kind.
    pub(super) fn questions(&self, method: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        let questions = seen.questions.iter().filter(|question| question.method == method);
        questions.map(|question| question.params.clone()).collect()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().lines.clone()
    }

    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().log).into_owned()
    }

    /// Fails the test for what an ended server left behind.
    pub(super) fn check_ended(&self) {
        let mut faults = self.seen.lock().unwrap().left();
        let seen = self.seen.lock().unwrap();
        let unanswered =
            seen.asked.iter().flat_map(|(id, methods)| methods.iter().map(move |method| (id, method)));
        faults.extend(unanswered.map(|(id, method)| format!("{method} ({id:?}) was never answered")));
        drop(seen);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// Fails the test for what a killed server left behind: it need not have answered, nor ended its last line.
    pub(super) fn check_killed(&self) {
        let mut seen = self.seen.lock().unwrap();
        if seen.lines.last().is_some_and(|line| serde_json::from_str::<Value>(line).is_err()) {
            seen.faults.pop();
        }
        let faults = seen.left();
        drop(seen);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// Returns the last that was said, for who is to find out why a test failed.
    pub(super) fn tail(&self) -> String {
        const LINES: usize = 40;
        let Ok(seen) = self.seen.lock() else { return String::new() };
        let skipped = seen.lines.len().saturating_sub(LINES);
        let lines: Vec<_> = seen.lines[skipped..].iter().map(|line| shortened(line)).collect();
        let log = String::from_utf8_lossy(&seen.log);
        format!("\n--- the last lines of the server\n{}\n--- its stderr\n{log}", lines.join("\n"))
    }
}

impl Seen {
    /// Puts a message where it belongs, or tells what is wrong with it.
    fn sort(&mut self, line: &[u8]) -> Result<(), String> {
        if !line.ends_with(b"\n") {
            return Err("an unfinished line".into());
        }
        let message: Value = serde_json::from_slice(line).map_err(|error| format!("no JSON ({error})"))?;
        let has = |field: &str| message.get(field).is_some();
        match (has("id"), has("method"), has("result"), has("error")) {
            _ if has("jsonrpc") => Err("this protocol has no jsonrpc member".into()),
            (true, false, true, false) | (true, false, false, true) => self.sort_answer(message),
            (false, true, false, false) => self.sort_notification(message),
            (true, true, false, false) => self.sort_question(message),
            _ => Err("neither answer, notification nor question".into()),
        }
    }

    fn sort_answer(&mut self, mut message: Value) -> Result<(), String> {
        let id: RequestId = serde_json::from_value(message["id"].clone())
            .map_err(|error| format!("an id that is none ({error})"))?;
        let under_way = self.asked.get_mut(&id).and_then(VecDeque::pop_front);
        let method = under_way.ok_or("an answer to nothing that was asked, or a second one")?;
        let (faults, answer) = match message.get("error") {
            Some(error) => {
                let error = serde_json::from_value(error.clone()).map_err(|error| error.to_string())?;
                (faults_of_error(&message), Err(error))
            }
            None => (faults_of_result(&method, &message["result"]), Ok(message["result"].take())),
        };
        self.answers.entry(id).or_default().push_back((method, answer));
        none_of(&faults)
    }

    fn sort_notification(&mut self, message: Value) -> Result<(), String> {
        let method = message["method"].as_str().ok_or("a method that is no text")?;
        let faults = faults_of_notification(method, &message["params"]);
        none_of(&faults)?;
        let notification = serde_json::from_value(message).map_err(|error| error.to_string())?;
        if let ServerNotification::ServerRequestResolved(resolved) = &notification
            && !self.questions.iter().any(|question| question.id == resolved.request_id)
        {
            return Err("the end of a question that was not asked".into());
        }
        self.notifications.push(Heard { notification, taken: false });
        Ok(())
    }

    /// A question may come again, for who resumes a thread, but then it is the same.
    fn sort_question(&mut self, mut message: Value) -> Result<(), String> {
        let id: RequestId = serde_json::from_value(message["id"].take())
            .map_err(|error| format!("an id that is none ({error})"))?;
        let method = message["method"].as_str().ok_or("a method that is no text")?.to_owned();
        let params = message["params"].take();
        none_of(&faults_of_question(&method, &params))?;
        if let Some(before) = self.questions.iter().find(|question| question.id == id)
            && (&before.method, &before.params) != (&method, &params)
        {
            return Err("the id of another question".into());
        }
        self.questions.push(Question { id, method, params, taken: false });
        Ok(())
    }

    pub(super) fn take_answer(&mut self, id: &RequestId) -> Option<Result<Value, RpcError>> {
        self.answers.get_mut(id)?.pop_front().map(|(_, answer)| answer)
    }

    pub(super) fn take_notification<T>(
        &mut self,
        mut pick: impl FnMut(&ServerNotification) -> Option<T>,
    ) -> Option<T> {
        let waiting = self.notifications.iter_mut().filter(|heard| !heard.taken);
        waiting.into_iter().find_map(|heard| {
            let found = pick(&heard.notification);
            heard.taken = found.is_some();
            found
        })
    }

    /// Counts as looked at what says that something is wrong, and returns it.
    pub(super) fn take_troubles(&mut self) -> Vec<ServerNotification> {
        let waiting = self.notifications.iter_mut().filter(|heard| !heard.taken);
        let troubles = waiting.filter(|heard| is_trouble(&heard.notification));
        troubles
            .map(|heard| {
                heard.taken = true;
                heard.notification.clone()
            })
            .collect()
    }

    pub(super) fn take_question(&mut self, method: &str) -> Option<(RequestId, Value)> {
        let mut waiting = self.questions.iter_mut().filter(|question| !question.taken);
        let question = waiting.find(|question| question.method == method)?;
        question.taken = true;
        Some((question.id.clone(), question.params.clone()))
    }

    /// Returns what should have been looked at or should not have been said.
    fn left(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        for (id, answers) in &self.answers {
            let refused =
                answers.iter().filter_map(|(method, answer)| Some((method, answer.as_ref().err()?)));
            faults.extend(
                refused.map(|(method, error)| format!("{method} ({id:?}) was refused, unseen: {error:?}")),
            );
        }
        let troubles =
            self.notifications.iter().filter(|heard| !heard.taken && is_trouble(&heard.notification));
        faults.extend(troubles.map(|heard| format!("unseen: {:?}", heard.notification)));
        let untaken = self.questions.iter().filter(|question| !question.taken);
        faults
            .extend(untaken.map(|question| format!("nobody took {}: {}", question.method, question.params)));
        let log = String::from_utf8_lossy(&self.log);
        if log.contains("panicked at") {
            faults.push(format!("the server panicked:\n{log}"));
        }
        faults
    }
}

impl Question {
    /// Has a handler answer, where there is one, and returns the message to the server.
    fn answer(&mut self, handlers: &Handlers) -> Option<Result<Value, String>> {
        let answer = handlers.answer(&self.method, self.params.clone())?;
        self.taken = true;
        Some(answer.map(|result| json!({ "id": self.id, "result": result })))
    }
}

/// Tells of notifications that say that something is wrong; a test that means it waits for them.
fn is_trouble(notification: &ServerNotification) -> bool {
    matches!(notification, ServerNotification::Error(_) | ServerNotification::ConfigWarning(_))
}

fn none_of(faults: &[String]) -> Result<(), String> {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn shortened(line: &str) -> String {
    const LONGEST: usize = 2000;
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}... ({} bytes)", &line[..end], line.len()),
        None => line.to_owned(),
    }
}
