//! What a handler works with.

use std::sync::{Arc, Mutex, PoisonError};

use agent::{Agents, Answered, Thread};
use jsonrpc::RequestId;
use protocol::ServerNotification;
use threads::ThreadManager;
use tools::Workshop;

use crate::{Options, connection::Connection, live::Live, models::Models};

/// What all connections of a server share.
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) threads: ThreadManager,
    pub(crate) agents: Agents,
    pub(crate) live: Arc<Live>,
    pub(crate) models: Models,
    pub(crate) workshop: Arc<Workshop>,
}

/// One request: the server, the connection that it came over, and what is to follow its answer.
#[derive(Clone)]
pub(crate) struct Context {
    app: Arc<App>,
    pub(crate) connection: Arc<Connection>,
    after: Arc<Mutex<Vec<After>>>,
}

/// What follows an answer.
pub(crate) enum After {
    /// A notification for this connection alone.
    Tell(Box<ServerNotification>),
    /// A notification for every connection.
    TellAll(Box<ServerNotification>),
    /// A turn may be told of.
    Begin(Answered),
    /// A thread is to work on its goal.
    Pursue(Thread),
    /// This connection is to be asked what others were asked before it listened.
    Ask(Vec<RequestId>),
}

impl std::ops::Deref for Context {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl App {
    /// Returns the provider that a rollout without one is taken to be of.
    pub(crate) fn default_provider(&self) -> String {
        let config = self.options.config.load(&serde_json::Map::new());
        config.map_or_else(|_| config::OPENAI.to_owned(), |config| config.model_provider)
    }
}

impl Context {
    /// Returns the name under which requests to providers, and rollouts, know who asked.
    pub(crate) fn originator(&self) -> String {
        let client = self.connection.client().map(|client| client.name.as_str());
        self.options.originator.as_deref().or(client).unwrap_or_default().to_owned()
    }

    pub(crate) fn new(app: Arc<App>, connection: Arc<Connection>) -> Self {
        Self { app, connection, after: Arc::default() }
    }

    /// Sends a notification to this connection behind the answer.
    pub(crate) fn after_reply(&self, note: ServerNotification) {
        self.push(After::Tell(Box::new(note)));
    }

    /// Sends a notification to every connection behind the answer.
    pub(crate) fn after_reply_to_all(&self, note: ServerNotification) {
        self.push(After::TellAll(Box::new(note)));
    }

    /// Lets a turn be told of once the client has its answer.
    pub(crate) fn begin_after_reply(&self, answered: Answered) {
        self.push(After::Begin(answered));
    }

    /// Has a thread work on its goal once the client has its answer.
    pub(crate) fn pursue_after_reply(&self, thread: Thread) {
        self.push(After::Pursue(thread));
    }

    /// Asks this connection, behind the answer, what is still open by then.
    pub(crate) fn ask_after_reply(&self, questions: Vec<RequestId>) {
        self.push(After::Ask(questions));
    }

    /// Sends what was queued; called once, when the answer is out.
    pub(crate) async fn follow_up(&self) {
        let queued = std::mem::take(&mut *self.after.lock().unwrap_or_else(PoisonError::into_inner));
        for after in queued {
            match after {
                After::Tell(note) => self.connection.notify(&note).await,
                After::TellAll(note) => self.live.tell_all(&note).await,
                After::Begin(answered) => drop(answered),
                After::Pursue(thread) => thread.pursue_goal().await,
                After::Ask(questions) => self.live.ask_again(&self.connection, &questions),
            }
        }
    }

    fn push(&self, after: After) {
        self.after.lock().unwrap_or_else(PoisonError::into_inner).push(after);
    }
}
