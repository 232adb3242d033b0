//! Questions and answers over connections in memory: who is asked, whose answer counts, and what is told at the end.

// All of this is test code: where it cannot go on, the test has failed.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{HashMap, HashSet},
    pin::{Pin, pin},
    sync::Arc,
};

use agent::{Agents, Event, Observer, Why};
use config::Loader;
use futures::poll;
use jsonrpc::{Drain, RpcError};
use pretty_assertions::assert_eq;
use protocol::{
    CommandExecutionApprovalDecision, CommandExecutionRequestApproval, CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse, DynamicToolCall, DynamicToolCallParams, ServerMethod,
};
use rollout::Home;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use state::Index;
use testkit::Rollout;
use threads::{ThreadId, ThreadManager};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tools::{Setup, Workshop};

use super::{Answer, MAX_OPEN};
use crate::{
    Options,
    connection::{self, Client, Connection},
    context::App,
    live::Live,
    models::Models,
};

/// A client that is connected, and reads when the test has it read.
struct Person {
    connection: Arc<Connection>,
    drain: Drain,
}

impl Person {
    fn join(live: &Live) -> Self {
        Self::join_without(live, &[])
    }

    /// Joins as a client that does not want some notifications.
    fn join_without(live: &Live, unwanted: &[&str]) -> Self {
        let (outbox, drain) = jsonrpc::outbox();
        let connection = Arc::new(Connection::new(outbox));
        let unwanted: HashSet<_> = unwanted.iter().map(|name| (*name).to_owned()).collect();
        let (name, version) = ("test".to_owned(), "1".to_owned());
        connection.introduce(Client { name, version, experimental: true, unwanted });
        live.connect(&connection);
        Self { connection, drain }
    }

    /// Joins and listens to a thread about which nothing is asked.
    fn listen(live: &Live, thread: ThreadId) -> Self {
        let person = Self::join(live);
        assert_eq!(live.subscribe(thread, &person.connection), []);
        person
    }

    fn answer(&self, live: &Live, id: i64, result: &Value) {
        live.answered(&self.connection, &id.into(), Ok(to_raw_value(result).unwrap()));
    }

    /// Leaves, and returns what it was told until then.
    async fn told(self) -> Vec<Value> {
        let Self { connection, drain } = self;
        drop(connection);
        let mut lines = Vec::new();
        drain.write_to(&mut lines).await.unwrap();
        lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

fn command(thread: ThreadId) -> CommandExecutionRequestApprovalParams {
    CommandExecutionRequestApprovalParams { thread_id: thread.to_string(), ..Default::default() }
}

fn accept() -> Value {
    json!({ "decision": "accept" })
}

fn given(decision: CommandExecutionApprovalDecision) -> Answer<CommandExecutionRequestApprovalResponse> {
    Answer::Given(CommandExecutionRequestApprovalResponse { decision })
}

fn question(id: i64, thread: ThreadId) -> Value {
    json!({ "id": id, "method": CommandExecutionRequestApproval::NAME, "params": command(thread) })
}

fn resolved(id: i64, thread: ThreadId) -> Value {
    json!({ "method": "serverRequest/resolved", "params": { "threadId": thread.to_string(), "requestId": id } })
}

/// Begins to ask, and tells whether that waits for an answer.
async fn asks(asking: Pin<&mut impl Future>) -> bool {
    poll!(asking).is_pending()
}

#[tokio::test]
async fn the_first_answer_of_who_was_asked_counts_and_all_who_were_asked_hear_of_the_end() {
    let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
    let [first, second] = [(); 2].map(|()| Person::listen(&live, thread));
    let elsewhere = Person::listen(&live, ThreadId::new());
    let params = command(thread);
    let mut asking = pin!(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel));
    assert!(asks(asking.as_mut()).await);
    elsewhere.answer(&live, 0, &accept());
    first.answer(&live, 1, &accept());
    assert!(asks(asking.as_mut()).await);
    second.answer(&live, 0, &json!({ "decision": "acceptForSession" }));
    first.answer(&live, 0, &json!({ "decision": "cancel" }));
    assert_eq!(asking.await, given(CommandExecutionApprovalDecision::AcceptForSession));
    for person in [first, second] {
        assert_eq!(person.told().await, [question(0, thread), resolved(0, thread)]);
    }
    assert_eq!(elsewhere.told().await, [] as [Value; 0]);
}

#[tokio::test]
async fn questions_are_answered_in_any_order() {
    let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
    let person = Person::listen(&live, thread);
    let params = command(thread);
    let [mut first, mut second] =
        [(); 2].map(|()| Box::pin(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel)));
    assert!(asks(first.as_mut()).await && asks(second.as_mut()).await);
    person.answer(&live, 1, &json!({ "decision": "decline" }));
    assert_eq!(second.await, given(CommandExecutionApprovalDecision::Decline));
    person.answer(&live, 0, &accept());
    assert_eq!(first.await, given(CommandExecutionApprovalDecision::Accept));
    let told = [question(0, thread), question(1, thread), resolved(1, thread), resolved(0, thread)];
    assert_eq!(person.told().await, told);
}

#[tokio::test]
async fn an_error_and_what_is_no_answer_are_refusals() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    for (outcome, message) in [
        (Err(RpcError::method_not_found("I cannot")), "I cannot"),
        (
            Ok(raw(r#"{"decision":"allow"}"#)),
            "Invalid request: unknown variant `allow`, expected one of `accept`, `acceptForSession`, \
             `acceptWithExecpolicyAmendment`, `applyNetworkPolicyAmendment`, `decline`, `cancel`",
        ),
        (
            Ok(raw("null")),
            "Invalid request: invalid type: null, expected struct CommandExecutionRequestApprovalResponse",
        ),
        (Ok(raw(r#"["accept"]"#)), "Invalid request: invalid type: sequence, expected a map"),
    ] {
        let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
        let person = Person::listen(&live, thread);
        let params = command(thread);
        let mut asking = pin!(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel));
        assert!(asks(asking.as_mut()).await);
        live.answered(&person.connection, &0.into(), outcome);
        let Answer::Refused(error) = asking.await else { panic!("not refused: {message}") };
        assert_eq!(error.message, message);
        assert_eq!(person.told().await, [question(0, thread), resolved(0, thread)]);
    }
}

#[tokio::test]
async fn what_nobody_answered_is_asked_of_who_listens_next() {
    let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
    let gone = Person::listen(&live, thread);
    let params = command(thread);
    let mut asking = pin!(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel));
    assert!(asks(asking.as_mut()).await);
    assert_eq!(gone.told().await, [question(0, thread)]);
    assert!(asks(asking.as_mut()).await);

    let next = Person::join(&live);
    let open = live.subscribe(thread, &next.connection);
    assert_eq!(open, [0.into()]);
    next.answer(&live, 0, &accept());
    assert!(asks(asking.as_mut()).await, "an answer of who was not asked yet counted");
    live.ask_again(&next.connection, &open);
    next.answer(&live, 0, &accept());
    assert_eq!(asking.await, given(CommandExecutionApprovalDecision::Accept));
    assert_eq!(next.told().await, [question(0, thread), resolved(0, thread)]);
}

#[tokio::test]
async fn who_listens_again_is_asked_again_but_not_what_was_answered_meanwhile() {
    let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
    let person = Person::listen(&live, thread);
    let params = command(thread);
    let [mut first, mut second] =
        [(); 2].map(|()| Box::pin(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel)));
    assert!(asks(first.as_mut()).await && asks(second.as_mut()).await);
    let open = live.subscribe(thread, &person.connection);
    person.answer(&live, 0, &accept());
    live.ask_again(&person.connection, &open);
    person.answer(&live, 1, &accept());
    assert_eq!(first.await, given(CommandExecutionApprovalDecision::Accept));
    assert_eq!(second.await, given(CommandExecutionApprovalDecision::Accept));
    let told = [
        question(0, thread),
        question(1, thread),
        resolved(0, thread),
        question(1, thread),
        resolved(1, thread),
    ];
    assert_eq!(person.told().await, told);
}

#[tokio::test]
async fn a_question_that_nobody_needs_answered_is_taken_back() {
    let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
    let person = Person::listen(&live, thread);
    let params = command(thread);
    let ask = || Box::pin(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel));

    let mut unloaded = ask();
    assert!(asks(unloaded.as_mut()).await);
    live.observe(thread, Event::Unloaded(Why::Shutdown)).await;
    assert_eq!(unloaded.await, Answer::Withdrawn);

    live.subscribe(thread, &person.connection);
    let mut dropped = ask();
    assert!(asks(dropped.as_mut()).await);
    drop(dropped);

    let mut cancelled = ask();
    assert!(asks(cancelled.as_mut()).await);
    cancel.cancel();
    assert_eq!(cancelled.await, Answer::Withdrawn);
    person.answer(&live, 2, &accept());

    assert_eq!(ask().await, Answer::Withdrawn, "asked for a turn that is over");
    let ends = (0..3).flat_map(|id| [question(id, thread), resolved(id, thread)]);
    assert_eq!(person.told().await, ends.collect::<Vec<_>>());
}

#[tokio::test]
async fn the_end_of_a_tool_call_is_not_told_nor_any_end_to_who_does_not_want_it() {
    let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
    let person = Person::listen(&live, thread);
    let params = DynamicToolCallParams { tool: "t".to_owned(), ..Default::default() };
    let mut asking = pin!(live.ask::<DynamicToolCall>(thread, &params, &cancel));
    assert!(asks(asking.as_mut()).await);
    person.answer(&live, 0, &json!({ "contentItems": [], "success": true }));
    assert!(matches!(asking.await, Answer::Given(response) if response.success));
    let call = json!({ "id": 0, "method": "item/tool/call", "params": params });
    assert_eq!(person.told().await, [call]);

    let quiet = Person::join_without(&live, &["serverRequest/resolved"]);
    live.subscribe(thread, &quiet.connection);
    let params = command(thread);
    let mut asking = pin!(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel));
    assert!(asks(asking.as_mut()).await);
    quiet.answer(&live, 1, &accept());
    assert_eq!(asking.await, given(CommandExecutionApprovalDecision::Accept));
    assert_eq!(quiet.told().await, [question(1, thread)]);
}

#[tokio::test]
async fn a_thread_has_a_bound_of_open_questions_and_room_again_after_an_answer() {
    let (live, thread, cancel) = (Live::default(), ThreadId::new(), CancellationToken::new());
    let person = Person::listen(&live, thread);
    let params = command(thread);
    let ask = |thread| Box::pin(live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel));
    let mut open: Vec<_> = (0..MAX_OPEN).map(|_| ask(thread)).collect();
    for asking in &mut open {
        assert!(asks(asking.as_mut()).await);
    }
    assert_eq!(ask(thread).await, Answer::Refused(RpcError::overloaded()));
    assert!(asks(ask(ThreadId::new()).as_mut()).await, "another thread has a bound of its own");
    person.answer(&live, 0, &accept());
    assert!(asks(ask(thread).as_mut()).await);
}

/// A server on a home with one stored thread.
fn app(home: &testkit::Home) -> Arc<App> {
    let root = Home::new(home.root());
    let index = Index::start(root.clone(), &TaskTracker::new(), CancellationToken::new());
    let threads = ThreadManager::new(root, index);
    let live = Arc::new(Live::default());
    let agents = Agents::new(threads.clone(), Arc::clone(&live) as Arc<dyn Observer>);
    let options = Options {
        home: home.root(),
        cwd: home.work(),
        config: Loader::new(home.root(), [], None).unwrap(),
        env: HashMap::new(),
        program: "/nowhere".into(),
        originator: None,
    };
    let setup =
        Setup { program: "/nowhere".into(), home: home.root(), env: std::collections::BTreeMap::new() };
    let workshop = Workshop::new(setup);
    Arc::new(App { options, threads, agents, live, models: Models::default(), workshop })
}

#[tokio::test]
async fn who_resumes_has_the_answer_then_the_status_then_the_question_and_may_answer_it() {
    let home = testkit::Home::new().with_rollout(Rollout::new());
    let app = app(&home);
    let thread: ThreadId = home.thread(0).id.parse().unwrap();
    let params = command(thread);
    let cancel = CancellationToken::new();
    let mut asking = pin!(app.live.ask::<CommandExecutionRequestApproval>(thread, &params, &cancel));
    assert!(asks(asking.as_mut()).await);

    let (near, far) = duplex(1 << 20);
    let (from_client, to_client) = tokio::io::split(near);
    let (from_server, mut to_server) = tokio::io::split(far);
    let (outbox, drain) = jsonrpc::outbox();
    let person = Arc::new(Connection::new(outbox));
    let stop = CancellationToken::new();
    let client = async {
        let mut lines = BufReader::new(from_server).lines();
        let mut told = Vec::new();
        let hello = r#"{"id":1,"method":"initialize","params":{"clientInfo":{"name":"n","version":"1"}}}"#;
        to_server.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
        let resume =
            json!({ "id": 2, "method": "thread/resume", "params": { "threadId": thread.to_string() } });
        to_server.write_all(format!("{resume}\n").as_bytes()).await.unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            let message: Value = serde_json::from_str(&line).unwrap();
            let method = message["method"].as_str().unwrap_or("answer").to_owned();
            let (is_question, is_end) = (method.ends_with("requestApproval"), method.ends_with("resolved"));
            told.push((method, message["id"].clone()));
            if is_question {
                let answer = json!({ "id": message["id"], "result": accept() });
                to_server.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
            }
            if is_end {
                stop.cancel();
                break;
            }
        }
        told
    };
    let serving = connection::serve(&app, &person, BufReader::new(from_client), &stop);
    let writing = tokio::spawn(drain.write_to(to_client));
    let (told, (), answer) = tokio::join!(client, serving, asking);
    writing.abort();
    assert_eq!(answer, given(CommandExecutionApprovalDecision::Accept));
    let told: Vec<_> = told.iter().map(|(method, id)| (method.as_str(), id.clone())).collect();
    let expected = [
        ("answer", json!(1)),
        ("answer", json!(2)),
        ("thread/status/changed", Value::Null),
        ("item/commandExecution/requestApproval", json!(0)),
        ("serverRequest/resolved", Value::Null),
    ];
    assert_eq!(told[told.len() - 4..], expected[1..]);
    assert_eq!(told[0], expected[0]);
}
