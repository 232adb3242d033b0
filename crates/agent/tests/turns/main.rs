//! Turns against a scripted model: what is stored, what is told, and in which order.

// All of this is test code: where it cannot go on, the test has failed.
#![allow(clippy::unwrap_used)]

mod goals;
mod repeats;
mod room;
mod stage;

use std::sync::Arc;

use agent::{Event, Outcome, Overrides, Status, TurnRequest};
use items::{ResponseItem, Role};
use model::{EventStream, Gate, Model, ModelError, Request, ScriptedModel, Step, StreamEvent};
use pretty_assertions::assert_eq;

use stage::{Stage, a_silent_server, say, stored};

/// A model that fails in a way that nobody foresaw.
struct Panics;

impl Model for Panics {
    fn name(&self) -> &str {
        "panics"
    }

    fn stream(&self, _: Request) -> EventStream {
        panic!("a defect in the model's code")
    }

    fn stream_retries(&self) -> u32 {
        0
    }
}

<<<<<<< HEAD:crates/agent/tests/turns.rs
struct Stage {
    _folder: tempfile::TempDir,
    manager: ThreadManager,
    agents: Agents,
    thread: Thread,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Stage {
    fn new(model: impl Model) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        let index = Index::start(home.clone(), &TaskTracker::new(), CancellationToken::new());
        let manager = ThreadManager::new(home.clone(), index);
        let (ear, events) = mpsc::unbounded_channel();
        let agents = Agents::new(manager.clone(), Arc::new(Ear(ear)));
        let meta = SessionMeta {
            id: ThreadId::new(),
            timestamp: "2026-01-05T12:00:00.000Z".to_owned(),
            cwd: "/".to_owned(),
            ..SessionMeta::default()
        };
        let path = home.new_rollout(meta.id, chrono::DateTime::UNIX_EPOCH.naive_utc());
        let setup =
            Setup { program: "/nowhere".into(), home: folder.path().to_owned(), env: BTreeMap::new() };
        let workshop = Workshop::new(setup);
        let load = Load {
            thread: StoredThread::promised(&meta, path),
            keep: Keep::New(Box::new(meta)),
            settings: settings(),
            parts: Parts {
                model: Arc::new(model),
                client: model::ClientIdentity::default(),
                tools: Arc::new(ThreadTools::new(workshop, Offer::default())),
                docs: ProjectDocs::default(),
                window: Some(1000),
                compact_at: None,
                compact_prompt: "sum up".to_owned(),
                idle_unload: Duration::from_secs(3600),
            },
        };
        let thread = agents.load(load).unwrap();
        Self { _folder: folder, manager, agents, thread, events }
    }

    async fn begin(&self, text: &str) -> String {
        let inputs = vec![Input::Text { text: text.to_owned(), text_elements: Vec::new() }];
        let request = TurnRequest { inputs, ..TurnRequest::default() };
        let (started, answered) = self.thread.start_turn(request).await.unwrap();
        drop(answered);
        started.turn
    }

    /// Takes events up to the one wanted, and returns them all.
    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut seen = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(30), self.events.recv()).await;
            let event = next.unwrap_or_else(|_| panic!("only {seen:?}")).unwrap();
            seen.push(event);
            if wanted(&seen[seen.len() - 1]) {
                return seen;
            }
        }
    }

    async fn ended(&mut self) -> (Vec<Event>, Outcome) {
        let seen = self.until(|event| matches!(event, Event::TurnEnded(_))).await;
        let Some(Event::TurnEnded(ended)) = seen.last() else { unreachable!() };
        let outcome = ended.outcome.clone();
        (seen, outcome)
    }

    /// The words of each stored turn, and how it reads back.
    async fn stored(&self) -> Vec<(String, Vec<String>)> {
        let turns = self.manager.turns(&self.thread.snapshot().thread.path, None).await.unwrap().turns;
        let words = |turn: &serde_json::Value| {
            let items = turn["items"].as_array().unwrap().iter();
            let text = |item: &serde_json::Value| {
                let text = item["text"].as_str().or(item["content"][0]["text"].as_str());
                text.unwrap_or_default().to_owned()
            };
            (turn["status"].as_str().unwrap().to_owned(), items.map(text).collect())
        };
        turns.iter().map(|turn| words(&serde_json::to_value(turn).unwrap())).collect()
    }
}

fn settings() -> Settings {
    Settings {
        model: "m".to_owned(),
        provider: "p".to_owned(),
        cwd: "/".into(),
        approval: ApprovalPolicy::Never,
        sandbox: SandboxPolicy::ReadOnly { network_access: false },
        effort: None,
        summary: None,
        service_tier: None,
        verbosity: None,
        base_instructions: None,
        developer_instructions: None,
        mode: Mode::Default,
        mode_instructions: None,
    }
}

fn say(id: &str, pieces: &[&str]) -> Vec<Step> {
    Step::say(id, pieces.iter().copied(), Some(TokenUsage::default()))
}

fn stored(status: &str, words: &[&str]) -> (String, Vec<String>) {
    (status.to_owned(), words.iter().map(|word| (*word).to_owned()).collect())
}

=======
>>>>>>> turns:crates/agent/tests/turns/main.rs
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_told_in_order_and_reads_back() {
    let mut stage = Stage::new(ScriptedModel::with([say("m1", &["Hel", "lo"])]));
    stage.begin("hi").await;
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Completed));
    let told: Vec<_> = seen
        .iter()
        .map(|event| match event {
            Event::Status(Status::Active(_)) => "active",
            Event::Status(Status::Idle) => "idle",
            Event::TurnStarted(_) => "started",
            Event::Stored(_) => "stored",
            Event::Opened(_) => "opened",
            Event::Delta { .. } => "delta",
            Event::Usage { .. } => "usage",
            Event::TurnEnded(_) => "ended",
            _ => "other",
        })
        .filter(|kind| *kind != "other")
        .collect();
    let expected =
        ["active", "started", "stored", "opened", "delta", "delta", "stored", "usage", "idle", "ended"];
    assert_eq!(told, expected);
    assert_eq!(stage.stored().await, [stored("completed", &["hi", "Hello"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_keeps_the_words_so_far_and_tells_the_model() {
    let gate = Gate::closed();
    let item = ResponseItem::message(Role::Assistant, "");
    let cut = vec![
        Step::Tell(StreamEvent::ItemAdded(item)),
        Step::Tell(StreamEvent::TextDelta("half a".to_owned())),
        Step::Wait(gate),
    ];
    let mut stage = Stage::new(ScriptedModel::with([cut, say("m2", &["again"])]));
    let turn = stage.begin("hi").await;
    stage.until(|event| matches!(event, Event::Delta { .. })).await;
    stage.thread.interrupt(turn).await.unwrap();
    let (_, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Interrupted));
    stage.begin("and now").await;
    stage.ended().await;
    assert_eq!(
        stage.stored().await,
        [stored("interrupted", &["hi", "half a"]), stored("completed", &["and now", "again"])]
    );
    let known = stage.manager.context(&stage.thread.snapshot().thread.path).await.unwrap().items;
    assert!(known.iter().any(|item| item.text().starts_with("<turn_aborted>")));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_join_a_turn_are_heard_in_it() {
    let gate = Gate::closed();
    let mut first = say("m1", &["one"]);
    first.insert(0, Step::Wait(gate.clone()));
    let mut stage = Stage::new(ScriptedModel::with([first, say("m2", &["two"])]));
    let turn = stage.begin("first").await;
    stage.until(|event| matches!(event, Event::Stored(_))).await;
    assert_eq!(stage.begin("second").await, turn);
    gate.open();
    stage.ended().await;
    assert_eq!(stage.stored().await, [stored("completed", &["first", "one", "second", "two"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_is_asked_for_again_and_told() {
    let broken = vec![Step::Fail(ModelError::cut("gone"))];
    let mut stage =
        Stage::new(ScriptedModel::with([broken.clone(), say("m1", &["whole"])]).stream_retries(1));
    stage.begin("hi").await;
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Completed));
    assert!(seen.iter().any(|event| matches!(event, Event::Trouble { will_retry: true, .. })));
    assert_eq!(stage.stored().await, [stored("completed", &["hi", "whole"])]);

    let mut stage = Stage::new(ScriptedModel::with([broken]));
    stage.begin("hi").await;
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Failed(_)));
    assert!(seen.iter().any(|event| matches!(event, Event::Status(Status::SystemError))));
    assert_eq!(stage.stored().await, [stored("failed", &["hi"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_its_turn_and_nothing_else() {
    let mut stage = Stage::new(Panics);
    for _ in 0..2 {
        stage.begin("hi").await;
        let (seen, outcome) = stage.ended().await;
        assert!(matches!(outcome, Outcome::Failed(_)));
        assert_eq!(seen.iter().filter(|event| matches!(event, Event::TurnEnded(_))).count(), 1);
    }
    assert_eq!(stage.stored().await, [stored("failed", &["hi"]), stored("failed", &["hi"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_server_closes_a_running_turn() {
    let mut stage = Stage::new(ScriptedModel::with([vec![Step::Wait(Gate::closed())]]));
    stage.begin("hi").await;
    stage.until(|event| matches!(event, Event::Stored(_))).await;
    stage.agents.shut_down().await;
    let (_, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Interrupted));
    assert_eq!(stage.stored().await, [stored("interrupted", &["hi"])]);
    assert!(stage.agents.ids().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_holds_for_later_turns() {
    let mut stage = Stage::new(ScriptedModel::with([say("m1", &["a"])]));
    let overrides = Overrides { model: Some("other".to_owned()), ..Overrides::default() };
    let (_, answered) =
        stage.thread.start_turn(TurnRequest { overrides, ..TurnRequest::default() }).await.unwrap();
    drop(answered);
    stage.ended().await;
    assert_eq!(stage.thread.snapshot().settings.model, "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_waits_for_its_servers_has_begun_and_can_be_stopped() {
    let (_listener, offer) = a_silent_server();
    let model = Arc::new(ScriptedModel::with([]));
    let mut stage = Stage::offering(Arc::clone(&model) as Arc<dyn Model>, offer);
    stage.thread.start_servers();
    let turn = stage.begin("hi").await;
    stage.until(|event| matches!(event, Event::TurnStarted(_))).await;
    stage.until(|event| matches!(event, Event::Stored(_))).await;
    stage.thread.interrupt(turn).await.unwrap();
    let (_, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Interrupted));
    assert_eq!(stage.stored().await, [stored("interrupted", &["hi"])]);
    assert_eq!(model.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_command_of_the_person_nor_a_compaction_waits_for_servers() {
    let (_listener, offer) = a_silent_server();
    let mut stage = Stage::offering(Arc::new(ScriptedModel::with([say("s1", &["all"])])), offer);
    stage.thread.start_servers();
    drop(stage.thread.shell("true".to_owned()).await.unwrap());
    stage.ended().await;
    drop(stage.thread.compact().await.unwrap());
    let (seen, outcome) = stage.ended().await;
    assert!(matches!(outcome, Outcome::Completed), "{seen:?}");
}
