//! What a thread tells the one who watches it: state changes, stored records, and the deltas that are never stored.

use futures::future::BoxFuture;
use rollout::ThreadId;
use tools::{McpStatus, News, Question};

/// Watches all threads of a server.
///
/// The actor waits for the returned future: an observer that is slow slows its thread, nothing is piled up.
pub trait Observer: Send + Sync + 'static {
    /// Takes in one event; events of one thread come in order.
    fn observe(&self, thread: ThreadId, event: Event) -> BoxFuture<'_, ()>;

    /// Puts a question to the clients, and returns when the answer is where the question says. Dropping the future
    /// takes the question back.
    fn ask(&self, thread: ThreadId, turn: String, question: Question) -> BoxFuture<'_, ()>;
}

/// What a thread is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Loaded, no turn runs.
    Idle,
    /// A turn runs.
    Active(Waiting),
    /// Loaded, and the last turn failed.
    SystemError,
}

/// What a running turn waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Whether the person is to allow something.
    pub approval: bool,
    /// Whether the person is to tell something.
    pub user_input: bool,
}

/// Something that happened in a thread.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "handed over one by one, never kept")]
pub enum Event {
    /// The thread's status is now this one.
    Status(Status),
    /// A turn began.
    TurnStarted(TurnStarted),
    /// The model began an item; deltas follow, and then the record that completes it.
    Opened(Opened),
    /// A piece of an opened item.
    Delta {
        /// The turn.
        turn: String,
        /// The item.
        item: String,
        /// The piece.
        delta: Delta,
    },
    /// Records are in the rollout; those that complete an item are shown by it.
    Stored(Stored),
    /// A tool has something to tell.
    News {
        /// The turn.
        turn: String,
        /// What it tells.
        news: News,
    },
    /// An MCP server of the thread got on with its start.
    McpStatus {
        /// The server.
        server: String,
        /// How it is.
        status: McpStatus,
    },
    /// A model response was counted.
    Usage {
        /// The turn.
        turn: String,
        /// The counts.
        usage: Usage,
    },
    /// What was used for the goal of the thread, or how it stands, is told anew.
    Goal {
        /// The turn.
        turn: String,
        /// The goal.
        goal: threads::Goal,
    },
    /// The provider told its rate limits.
    RateLimits(model::RateLimits),
    /// Another model than the asked one answers.
    Rerouted {
        /// The turn.
        turn: String,
        /// The model that was asked for.
        from: String,
        /// The model that answers.
        to: String,
    },
    /// The model or its provider failed.
    Trouble {
        /// The turn.
        turn: String,
        /// The failure, as it is stored.
        failure: rollout::Event,
        /// Whether the request is made again.
        will_retry: bool,
    },
    /// A turn ended, for good.
    TurnEnded(TurnEnded),
    /// The thread was unloaded; nothing follows.
    Unloaded(Why),
}

/// Why a thread was unloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A client asked for something that no loaded thread can stand, such as to archive it.
    Asked,
    /// Nobody watched it, and nothing happened in it, for a while.
    Idle,
    /// The server ends.
    Shutdown,
}

/// The beginning of a turn.
#[derive(Clone, Debug)]
pub struct TurnStarted {
    /// The turn.
    pub id: String,
    /// When it began, in Unix seconds.
    pub started_at: i64,
}

/// The beginning of an item.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The turn.
    pub turn: String,
    /// The item.
    pub item: String,
    /// What it will be.
    pub kind: OpenedKind,
    /// When it began, in Unix milliseconds.
    pub at_ms: i64,
}

/// The kinds of items that begin before they are complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenedKind {
    /// Words of the model.
    AgentMessage {
        /// `commentary` or `final_answer`, where the model says.
        phase: Option<String>,
    },
    /// Thoughts of the model.
    Reasoning,
    /// The plan inside of what the model says.
    Plan,
    /// A compaction of the history.
    Compaction,
}

/// A piece of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Words.
    Text(String),
    /// A further part of the summary begins.
    SummaryPart(i64),
    /// Words of a part of the summary.
    Summary(i64, String),
    /// Words of the plan.
    Plan(String),
    /// Words of the raw reasoning.
    Reasoning(i64, String),
}

/// Records that stand in the rollout.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The turn.
    pub turn: String,
    /// The records, in order; together they make one item.
    pub events: Vec<rollout::Event>,
    /// Whether the item was announced by [`Event::Opened`].
    pub opened: bool,
    /// When the item began and when it was complete, in Unix milliseconds.
    pub span_ms: (i64, i64),
}

/// Token counts of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of the newest response.
    pub last: model::TokenUsage,
    /// Over the thread.
    pub total: model::TokenUsage,
    /// What the model can take in.
    pub window: Option<i64>,
}

/// The end of a turn.
#[derive(Clone, Debug)]
pub struct TurnEnded {
    /// The turn.
    pub id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began, in Unix seconds.
    pub started_at: i64,
    /// When it ended, in Unix seconds.
    pub completed_at: i64,
    /// How long it took.
    pub duration_ms: i64,
    /// The last message of the model, as stored.
    pub last_message: Option<rollout::Event>,
}

/// How a turn ended.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one a turn")]
pub enum Outcome {
    /// The model was done.
    Completed,
    /// A client, or the end of the server, stopped it.
    Interrupted,
    /// It could not go on; the failure as it is stored.
    Failed(rollout::Event),
}
