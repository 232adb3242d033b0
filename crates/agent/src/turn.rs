//! One turn: asks the model until it is done, and stores everything before anybody is told of it.
//!
//! Invariant: a turn that was started ends exactly once, completed, interrupted or failed, on disk and on the wire.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use items::{ResponseItem, Role};
use model::{ModelError, Retry};
use rollout::{Event as StoredEvent, Record};
use threads::Goal;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tools::{TurnTools, Typed, UserShell};
use uuid::Uuid;

use crate::{
    AgentError, Closed,
    compact::{self, Moment},
    event::{Event, Outcome, Status, Stored, TurnEnded, TurnStarted, Usage, Waiting},
    failure::Failure,
    goal::Account,
    host::TurnHost,
    records,
    response::{self, Heard},
    review::{self, ReviewTarget},
    session::{self, Session},
    steering::Steering,
    words::{Said, Words},
};

/// How many calls of one response are carried out at once: a command takes a few processes, and the more run, the later
/// each is done. Fewer than a thread may have commands, so that many short ones find their place one after the other.
const MOST_AT_ONCE: usize = 16;

/// What a turn is to do.
pub(crate) enum Task {
    /// Answer what a client said.
    Inputs { said: Said, output_schema: Option<serde_json::Value> },
    /// Replace the history by a summary of it.
    Compact,
    /// Work on the goal of the thread.
    Goal(Goal),
    /// Look at a change, in a conversation of its own.
    Review(ReviewTarget),
    /// Run a command of the person.
    Shell(Typed),
}

impl Task {
    /// Returns what it is, where words cannot join it.
    pub(crate) fn closed(&self) -> Option<Closed> {
        match self {
            Self::Review(_) => Some(Closed::Review),
            Self::Compact => Some(Closed::Compact),
            Self::Inputs { .. } | Self::Goal(_) | Self::Shell(_) => None,
        }
    }

    /// Returns the id that the client gave what it said.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.said()?.client_id.as_deref()
    }

    fn said(&self) -> Option<&Said> {
        match self {
            Self::Inputs { said, .. } => Some(said),
            Self::Compact | Self::Goal(_) | Self::Review(_) | Self::Shell(_) => None,
        }
    }
}

/// A turn that was begun.
pub(crate) struct Turn {
    pub(crate) id: String,
    pub(crate) task: Task,
    pub(crate) cancel: CancellationToken,
    pub(crate) steering: Arc<Steering>,
    pub(crate) host: Arc<TurnHost>,
}

/// How a turn begins.
pub(crate) struct Begun {
    at: DateTime<Utc>,
    /// What is stored of it.
    record: StoredEvent,
    /// Its first words.
    words: Option<Words>,
}

/// Why a turn stops before the model is done.
pub(crate) enum Stop {
    Interrupted,
    Failed(Failure),
}

impl From<AgentError> for Stop {
    fn from(error: AgentError) -> Self {
        Self::Failed(Failure::from(&error))
    }
}

/// What a turn knows of itself while it runs.
pub(crate) struct Progress {
    pub(crate) id: String,
    pub(crate) cancel: CancellationToken,
    started: DateTime<Utc>,
    /// The last message of the model, as stored.
    last_message: Option<StoredEvent>,
    /// Sent back to the provider for the rest of the turn.
    pub(crate) turn_state: Option<String>,
    /// What the model can call.
    pub(crate) tools: TurnTools,
    host: Arc<TurnHost>,
    /// When the plan of a message was announced, in Unix milliseconds.
    pub(crate) plan_began_ms: Option<i64>,
    /// A conversation of which the thread keeps only the outcome.
    pub(crate) aside: Option<Aside>,
    /// The ids of what the model has called.
    called: HashSet<String>,
    /// How often the stream broke off since the last response that was whole.
    breaks: u32,
    /// Up to where it is put down what the turn took.
    pub(crate) account: Account,
}

impl Session {
    /// Takes in what a turn is about, so that the client can be told that it is: its words are not lost from here on.
    pub(crate) async fn take_in(&mut self, turn: &Turn) -> Begun {
        let at = records::now();
        let record = records::task_started(&turn.id, at, self.window(), self.settings.mode);
        let words = turn.task.said().map(|said| said.to(&turn.id));
        if let Some(words) = &words {
            // What cannot be stored now may well be stored a moment later; if not, the turn fails, and says why.
            let made = self.materialize_for_turn().await;
            if let Err(error) = made.and_then(|()| words.put_down(&self.shared, Some(&record))) {
                tracing::warn!(thread = %self.shared.id, %error, "words are not put down");
            }
        }
        Begun { at, record, words }
    }

    /// Runs a turn to its end; every way out of it is stored and told. Tells whether the goal of the thread, where it
    /// has one, is worked on next.
    pub(crate) async fn run(&mut self, turn: Turn, begun: Begun) -> bool {
        let Turn { id, task, cancel, steering, host } = turn;
        let (is_said, is_for_goal) = (matches!(task, Task::Inputs { .. }), matches!(task, Task::Goal(_)));
        let tools = session::tools(&self.shared, &self.settings, &id, &host, &cancel);
        let Begun { at: started, record, words } = begun;
        let mut progress = Progress {
            id,
            cancel,
            started,
            last_message: None,
            turn_state: None,
            tools,
            host,
            plan_began_ms: None,
            aside: None,
            called: HashSet::new(),
            breaks: 0,
            account: Account::open(self, started),
        };
        let ended = match self.start(&mut progress, &task, record, words.as_ref()).await {
            Ok(()) => match task {
                Task::Inputs { said: _, output_schema } => {
                    self.converse(&mut progress, &steering, words, output_schema).await
                }
                Task::Compact => compact::run(self, &progress, Moment::Before).await,
                Task::Goal(goal) => self.pursue(&mut progress, &steering, &goal).await,
                Task::Shell(typed) => self.user_shell(&progress, &typed).await,
                Task::Review(target) => review::run(self, &mut progress, &steering, &target).await,
            },
            Err(stop) => Err(stop),
        };
        // A turn for the goal that only talked would go on talking.
        let goes_on = ended.is_ok() && (is_said || is_for_goal && !progress.called.is_empty());
        self.end(progress, &steering, ended).await;
        goes_on
    }

    /// Stores and tells the beginning.
    async fn start(
        &mut self,
        progress: &mut Progress,
        task: &Task,
        begun: StoredEvent,
        words: Option<&Words>,
    ) -> Result<(), Stop> {
        self.materialize_for_turn().await?;
        let known = self.know().await.map(drop);
        let stored = self.shared.store.append_event(begun).map_err(AgentError::from);
        self.shared.set_status(Status::Active(Waiting::default())).await;
        let started = TurnStarted { id: progress.id.clone(), started_at: progress.started.timestamp() };
        self.shared.tell(Event::TurnStarted(started)).await;
        known.and(stored)?;
        progress.account = Account::open(self, progress.started); // what the thread has cost is known by now
        if matches!(task, Task::Inputs { .. } | Task::Goal(_)) {
            if let Err(stop) = self.make_room(progress, Moment::Before).await {
                if let Some(words) = words {
                    // The person has said it, whatever became of the turn.
                    self.hear(progress, words.clone()).await?;
                }
                return Err(stop);
            }
            let told = self.announcements();
            self.keep(told, &[])?;
            let context = records::turn_context(&self.settings, &progress.id);
            self.shared.store.append(&[Record::TurnContext(context)]).map_err(AgentError::from)?;
        }
        Ok(())
    }

    async fn materialize_for_turn(&mut self) -> Result<(), AgentError> {
        if self.shared.snapshot().ephemeral {
            return Ok(());
        }
        self.materialize_with_git().await?;
        self.lock_once()
    }

    /// Takes inputs in and has the model work on them.
    async fn converse(
        &mut self,
        progress: &mut Progress,
        steering: &Steering,
        words: Option<Words>,
        output_schema: Option<serde_json::Value>,
    ) -> Result<(), Stop> {
        if let Some(words) = words {
            self.hear(progress, words).await?;
        }
        self.work(progress, steering, output_schema.as_ref()).await
    }

    /// Asks the model and answers its calls, until it asks for nothing and nothing waits for it.
    pub(crate) async fn work(
        &mut self,
        progress: &mut Progress,
        steering: &Steering,
        output_schema: Option<&serde_json::Value>,
    ) -> Result<(), Stop> {
        progress.gather_tools().await?;
        loop {
            let calls = self.ask(progress, output_schema).await?;
            if calls.iter().filter_map(|call| call.str("name")).any(tools::is_about_the_goal) {
                self.settle(progress).await;
            }
            self.answer(progress, &calls).await?;
            if !progress.is_aside() {
                self.learn(steering.take_injected());
                if !calls.is_empty() {
                    self.spend(progress).await?;
                }
            }
            let steered = match calls.is_empty() {
                true => steering.take_or_close(),
                false => Some(steering.take()),
            };
            let Some(steered) = steered else { return Ok(()) };
            self.make_room(progress, Moment::Within).await?;
            for words in steered {
                self.hear(progress, words).await?;
            }
        }
    }

    /// Runs a command of the person, and stores what the model is to know of it.
    async fn user_shell(&mut self, progress: &Progress, typed: &Typed) -> Result<(), Stop> {
        let item = Uuid::now_v7().to_string();
        let cwd = self.settings.cwd.clone();
        let told = progress.tools.user_shell(UserShell { typed, item, cwd: &cwd }).await;
        self.keep(vec![ResponseItem::message(Role::User, told)], &[])?;
        match progress.cancel.is_cancelled() {
            true => Err(Stop::Interrupted),
            false => Ok(()),
        }
    }

    /// Has calls carried out, side by side, and stores what they are answered, in their order.
    async fn answer(&mut self, progress: &Progress, calls: &[ResponseItem]) -> Result<(), Stop> {
        let places = Semaphore::new(MOST_AT_ONCE);
        let answers = join_all(calls.iter().map(async |call| {
            let _place = places.acquire().await;
            progress.tools.answer(call).await
        }))
        .await;
        let over = answers.iter().any(|answer| answer.ends_turn);
        let outputs = answers.into_iter().filter_map(|answer| answer.output).collect();
        match progress.is_aside() {
            true => self.learn(outputs),
            false => self.keep(outputs, &[])?,
        }
        match progress.host.lost() {
            Some(error) => Err(error.into()),
            None if over || progress.cancel.is_cancelled() => Err(Stop::Interrupted),
            None => Ok(()),
        }
    }

    /// Stores what a client said, and shows it.
    async fn hear(&mut self, progress: &Progress, words: Words) -> Result<(), Stop> {
        let Words { client_id, messages, event: said, is_silence, .. } = words;
        if is_silence {
            return Ok(());
        }
        self.keep(messages, std::slice::from_ref(&said))?;
        if let Some(client_id) = client_id {
            self.shared.client_ids().note(client_id, progress.id.clone());
        }
        let preview = records::said(&said);
        self.shared.update(|seen| {
            seen.thread.summary.preview.get_or_insert(preview);
        });
        self.show(progress, vec![said], false, None).await;
        Ok(())
    }

    /// Tells of records that complete an item.
    pub(crate) async fn show(
        &self,
        progress: &Progress,
        events: Vec<StoredEvent>,
        opened: bool,
        began_ms: Option<i64>,
    ) {
        let now = records::now().timestamp_millis();
        let span_ms = (began_ms.unwrap_or(now), now);
        self.shared.tell(Event::Stored(Stored { turn: progress.id.clone(), events, opened, span_ms })).await;
    }

    /// Asks the model once, again where its stream breaks off; returns the calls that it wants answered.
    ///
    /// What was complete before a break is stored and part of the next request, so nothing is said or done twice. Calls
    /// that were complete are answered before the model is asked again, since no request holds a call without an answer.
    async fn ask(
        &mut self,
        progress: &mut Progress,
        output_schema: Option<&serde_json::Value>,
    ) -> Result<Vec<ResponseItem>, Stop> {
        let mut calls = Vec::new();
        loop {
            let request = self.request(progress, output_schema);
            let error = match response::hear(self, progress, request, &mut calls).await? {
                Heard::Completed(usage) => {
                    progress.breaks = 0;
                    self.count(progress, usage).await?;
                    return Ok(calls);
                }
                Heard::Broken(error) => error,
            };
            let retries = self.shared.parts.model.stream_retries();
            if progress.breaks >= retries || error.retry == Retry::No {
                return Err(Stop::Failed(Failure::from(&error)));
            }
            progress.breaks += 1;
            self.trouble(progress, Failure::reconnecting(progress.breaks, retries, &error), true).await;
            if !calls.is_empty() {
                return Ok(calls);
            }
            tokio::select! {
                () = progress.cancel.cancelled() => return Err(Stop::Interrupted),
                () = tokio::time::sleep(pause(&error, progress.breaks)) => {}
            }
        }
    }

    pub(crate) fn request(
        &self,
        progress: &Progress,
        output_schema: Option<&serde_json::Value>,
    ) -> model::Request {
        records::request(self, progress, output_schema.cloned())
    }

    /// Stores and tells what a response took.
    pub(crate) async fn count(
        &mut self,
        progress: &Progress,
        last: Option<model::TokenUsage>,
    ) -> Result<(), AgentError> {
        let Some(last) = last else { return Ok(()) };
        let known = self.known.get_or_insert_default();
        known.total = records::sum(&known.total, &last);
        (known.counted, known.uncounted) = (last.total_tokens, 0);
        known.model = Some(self.settings.model.clone());
        let usage = Usage { last, total: known.total.clone(), window: Some(self.window()) };
        self.shared.store.append_event(records::token_count(&usage))?;
        self.shared.tell(Event::Usage { turn: progress.id.clone(), usage }).await;
        Ok(())
    }

    async fn trouble(&self, progress: &Progress, failure: Failure, will_retry: bool) {
        let failure = failure.record(&progress.id);
        self.shared.tell(Event::Trouble { turn: progress.id.clone(), failure, will_retry }).await;
    }

    /// Stores and tells the end.
    async fn end(&mut self, mut progress: Progress, steering: &Steering, ended: Result<(), Stop>) {
        let late = steering.close();
        self.learn(steering.take_injected());
        let now = records::now();
        let duration_ms = (now - progress.started).num_milliseconds().max(0);
        let said = progress.last_message.as_ref().map(records::said);
        self.spend_last(&mut progress, &ended).await;
        // Words that the model has not heard yet are not lost: the next request holds them.
        for words in late {
            drop(self.hear(&progress, words).await);
        }
        let failed = |failure: &Failure, said| {
            let end = records::task_complete(&progress.id, said, Some(failure), now, duration_ms);
            let stored = failure.record(&progress.id);
            (Outcome::Failed(stored.clone()), Status::SystemError, Vec::new(), vec![stored, end])
        };
        let (mut outcome, mut status, items, events) = match ended {
            Ok(()) => {
                let end = records::task_complete(&progress.id, said.clone(), None, now, duration_ms);
                (Outcome::Completed, Status::Idle, Vec::new(), vec![end])
            }
            Err(Stop::Interrupted) => {
                let end = records::turn_aborted(&progress.id, now, duration_ms);
                (Outcome::Interrupted, Status::Idle, self.closing_items(), vec![end])
            }
            Err(Stop::Failed(failure)) => {
                self.trouble(&progress, failure.clone(), false).await;
                failed(&failure, said.clone())
            }
        };
        if let Err(error) = self.keep(items, &events) {
            tracing::error!(thread = %self.shared.id, %error, "the end of a turn could not be stored");
            // A turn whose end is not stored will read as one that was broken off, so it is not told to be complete.
            if matches!(outcome, Outcome::Completed) {
                let failure = Failure::from(&error);
                self.trouble(&progress, failure.clone(), false).await;
                let events;
                (outcome, status, _, events) = failed(&failure, said);
                drop(self.keep(Vec::new(), &events)); // where this works after all, it reads as it is told
            }
        }
        if let Err(error) = tokio::task::block_in_place(|| self.shared.inbox.clear()) {
            tracing::warn!(thread = %self.shared.id, %error, "the inbox of a turn that is over stays behind");
        }
        progress.tools.show_diff().await;
        self.lock = None;
        self.shared.set_running(None);
        self.shared.set_status(status).await;
        let Progress { id, started, last_message, .. } = progress;
        let ended = TurnEnded {
            id,
            outcome,
            started_at: started.timestamp(),
            completed_at: now.timestamp(),
            duration_ms,
            last_message,
        };
        self.shared.tell(Event::TurnEnded(ended)).await;
    }

    /// Answers calls that were left open, and tells the model that it was stopped.
    fn closing_items(&self) -> Vec<ResponseItem> {
        let known = self.known.as_ref().map(|known| known.items.as_slice()).unwrap_or_default();
        let open = records::open_calls(known);
        let note = "<turn_aborted>\nThe person stopped this turn before it was done; what was under way may be half done.\n</turn_aborted>";
        open.filter_map(|call| ResponseItem::output_for(call, "aborted by the person"))
            .chain([ResponseItem::message(Role::User, note)])
            .collect()
    }
}

/// A conversation of which the thread keeps only the outcome.
pub(crate) struct Aside {
    /// Stands in for the base prompt.
    pub(crate) instructions: &'static str,
    /// What the model said last.
    pub(crate) said: String,
}

impl Progress {
    /// Waits, not for long, until all that the model can call is there.
    async fn gather_tools(&mut self) -> Result<(), Stop> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Stop::Interrupted),
            () = self.tools.gather() => Ok(()),
        }
    }

    /// Tells whether what the model says is not for the thread.
    pub(crate) fn is_aside(&self) -> bool {
        self.aside.is_some()
    }

    pub(crate) fn aside_said(&mut self, item: &ResponseItem) {
        if let Some(aside) = self.aside.as_mut().filter(|_| item.role() == Some(Role::Assistant)) {
            aside.said = item.text();
        }
    }

    pub(crate) fn said(&mut self, message: StoredEvent) {
        self.last_message = Some(message);
    }

    /// Takes in a call; one that lacks what it takes to be answered, or has the id of another one, is mended.
    pub(crate) fn take_call(&mut self, call: &mut ResponseItem) {
        call.make_answerable(|id| self.called.contains(id), || format!("call_{}", Uuid::now_v7().simple()));
        self.called.extend(call.call_id().map(str::to_owned));
    }

    pub(crate) fn keep_state(&mut self, state: String) {
        self.turn_state = Some(state);
    }
}

/// How long to wait before a stream is asked for again: what the provider says, else twice as long each time.
fn pause(error: &ModelError, attempt: u32) -> Duration {
    match error.retry {
        Retry::After(pause) => pause,
        Retry::Stream | Retry::No => Duration::from_millis(100 * 2_u64.saturating_pow(attempt.min(6))),
    }
}
