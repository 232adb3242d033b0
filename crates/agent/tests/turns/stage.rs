//! A thread on a stage: a folder of its own, a scripted model, and an ear for all that is told.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc, time::Duration};

use agent::{
    Agents, Event, Input, Keep, Load, Observer, Outcome, Parts, ProjectDocs, Settings, Thread, TurnRequest,
};
use config::{ApprovalPolicy, McpApproval, McpServer, McpTransport};
use futures::{FutureExt, future::BoxFuture};
use model::{Model, Step, TokenUsage};
use rollout::{Home, SessionMeta};
use state::Index;
use threads::{StoredThread, ThreadId, ThreadManager};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tools::{Mode, Offer, Question, SandboxPolicy, Setup, ThreadTools, Workshop};

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(3600);

/// Hands every event over to the test; that a turn has ended, while the turn is not quite through.
struct Ear(mpsc::UnboundedSender<Event>);

impl Observer for Ear {
    fn observe(&self, _: ThreadId, event: Event) -> BoxFuture<'_, ()> {
        let pauses = if matches!(event, Event::TurnEnded(_)) { 10 } else { 0 };
        let _ = self.0.send(event);
        async move {
            for _ in 0..pauses {
                tokio::task::yield_now().await;
            }
        }
        .boxed()
    }

    fn ask(&self, _: ThreadId, _: String, _: Question) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

pub struct Stage {
    folder: tempfile::TempDir,
    pub manager: ThreadManager,
    pub agents: Agents,
    pub thread: Thread,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Stage {
    pub fn new(model: impl Model) -> Self {
        Self::offering(Arc::new(model), Offer::default())
    }

    pub fn offering(model: Arc<dyn Model>, offer: Offer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        let index = Index::start(home.clone(), &TaskTracker::new(), CancellationToken::new());
        let manager = ThreadManager::new(home.clone(), index);
        let meta = SessionMeta {
            id: ThreadId::new(),
            timestamp: "2026-01-05T12:00:00.000Z".to_owned(),
            cwd: "/".to_owned(),
            ..SessionMeta::default()
        };
        let path = home.new_rollout(meta.id, chrono::DateTime::UNIX_EPOCH.naive_utc());
        let thread = StoredThread::promised(&meta, path);
        Self::with(folder, manager, thread, Keep::New(Box::new(meta)), model, offer)
    }

    /// Unloads the thread, as the end of the server does, and loads it from its rollout.
    pub async fn resumed(self, model: Arc<dyn Model>) -> Self {
        let Self { folder, manager, agents, thread, .. } = self;
        agents.shut_down().await;
        let stored = manager.read(thread.id()).await.unwrap();
        Self::with(folder, manager, stored, Keep::Stored, model, Offer::default())
    }

    fn with(
        folder: tempfile::TempDir,
        manager: ThreadManager,
        thread: StoredThread,
        keep: Keep,
        model: Arc<dyn Model>,
        offer: Offer,
    ) -> Self {
        let (ear, events) = mpsc::unbounded_channel();
        let agents = Agents::new(manager.clone(), Arc::new(Ear(ear)));
        let setup =
            Setup { program: "/nowhere".into(), home: folder.path().to_owned(), env: BTreeMap::new() };
        let parts = Parts {
            model,
            client: model::ClientIdentity::default(),
            tools: Arc::new(ThreadTools::new(Workshop::new(setup), offer)),
            docs: ProjectDocs::default(),
            window: Some(1000),
            compact_at: None,
            compact_prompt: "sum up".to_owned(),
            idle_unload: LONG,
        };
        let thread = agents.load(Load { thread, keep, settings: settings(), parts }).unwrap();
        Self { folder, manager, agents, thread, events }
    }

    /// Says something, and returns the turn in which it is heard.
    pub async fn begin(&self, text: &str) -> String {
        self.begin_as(None, text).await
    }

    /// The same under an id of the client's.
    pub async fn begin_as(&self, client_id: Option<&str>, text: &str) -> String {
        let client_id = client_id.map(str::to_owned);
        let request = TurnRequest { inputs: words(text), client_id, ..TurnRequest::default() };
        let (started, answered) = self.thread.start_turn(request).await.unwrap();
        drop(answered);
        started.turn
    }

    /// Takes events up to the one wanted, and returns them all.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
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

    pub async fn ended(&mut self) -> (Vec<Event>, Outcome) {
        let seen = self.until(|event| matches!(event, Event::TurnEnded(_))).await;
        let Some(Event::TurnEnded(ended)) = seen.last() else { unreachable!() };
        let outcome = ended.outcome.clone();
        (seen, outcome)
    }

    /// The words of each stored turn, and how it reads back.
    pub async fn stored(&self) -> Vec<(String, Vec<String>)> {
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

/// What a client says in words.
pub fn words(text: &str) -> Vec<Input> {
    vec![Input::Text { text: text.to_owned(), text_elements: Vec::new() }]
}

pub fn settings() -> Settings {
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
/// What a thread offers whose only MCP server takes a connection and never says a word.
pub fn a_silent_server() -> (TcpListener, Offer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = McpServer {
        transport: McpTransport::Http {
            url: format!("http://{}/mcp", listener.local_addr().unwrap()),
            bearer_token_env_var: None,
            http_headers: BTreeMap::new(),
            env_http_headers: BTreeMap::new(),
        },
        enabled: true,
        startup_timeout: LONG,
        tool_timeout: LONG,
        enabled_tools: None,
        disabled_tools: Vec::new(),
        approval: McpApproval::default(),
        tool_approvals: BTreeMap::new(),
    };
    let mcp_servers = BTreeMap::from([("silent".to_owned(), Ok(server))]);
    (listener, Offer { mcp_servers, mcp_grace: LONG, ..Offer::default() })
}

pub fn say(id: &str, pieces: &[&str]) -> Vec<Step> {
    Step::say(id, pieces.iter().copied(), Some(TokenUsage::default()))
}

pub fn stored(status: &str, words: &[&str]) -> (String, Vec<String>) {
    (status.to_owned(), words.iter().map(|word| (*word).to_owned()).collect())
}
