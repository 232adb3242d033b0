//! The working state of a loaded thread: its store, its settings, and what the model knows.

use std::sync::Arc;

use items::ResponseItem;
use model::TokenUsage;
use rollout::{Event as StoredEvent, GitInfo, Home, Record, ThreadId, ThreadLock};
use threads::ThreadError;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tools::{Forms, Host, TurnFacts, TurnTools};
use uuid::Uuid;

use crate::{
    AgentError,
    actor::Rollback,
    announce::{self, Announced},
    client_ids::ClientIds,
    compact,
    event::{Event, Outcome, Status, TurnEnded},
    failure::Failure,
    goal,
    host::TurnHost,
    records,
    settings::{Overrides, Settings},
    shared::Shared,
};

/// What a turn works on; owned by the actor, lent to the turn that runs.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: Settings,
    /// What the model knows; `None` until the first turn needs it.
    pub(crate) known: Option<Known>,
    /// The git facts of the working folder, still being asked for.
    pub(crate) git: Option<oneshot::Receiver<Option<GitInfo>>>,
    /// Held while a turn runs, so that no other server runs one in this thread.
    pub(crate) lock: Option<ThreadLock>,
}

/// The history that goes into a request.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) items: Arc<Vec<ResponseItem>>,
    pub(crate) announced: Option<Announced>,
    pub(crate) total: TokenUsage,
    /// What the last response counted, its question included.
    pub(crate) counted: i64,
    /// An estimate of what came since, in tokens.
    pub(crate) uncounted: i64,
    /// Who gave the last response.
    pub(crate) model: Option<String>,
}

impl Session {
    pub(crate) fn new(
        shared: Arc<Shared>,
        settings: Settings,
        known: Option<Known>,
        git: Option<oneshot::Receiver<Option<GitInfo>>>,
    ) -> Self {
        Self { shared, settings, known, git, lock: None }
    }

    /// Gets ready for a turn: refused while another server runs one in this thread.
    pub(crate) fn begin(&mut self, overrides: Overrides) -> Result<String, AgentError> {
        let home = self.shared.manager.home();
        if self.shared.store.is_materialized() {
            self.lock = lock(home, self.shared.id)?;
        }
        if let Some(path) = self.shared.store.file().filter(|_| self.lock.is_some()) {
            // Of another server, that died.
            tokio::task::block_in_place(|| self.shared.manager.deliver_held(self.shared.id, &path));
        }
        self.settings.apply(overrides);
        let settings = self.settings.clone();
        self.shared.update(|seen| seen.settings = settings);
        Ok(Uuid::now_v7().to_string())
    }

    /// Takes the lock of the thread where it has none yet.
    pub(crate) fn lock_once(&mut self) -> Result<(), AgentError> {
        if self.lock.is_none() {
            self.lock = lock(self.shared.manager.home(), self.shared.id)?;
        }
        Ok(())
    }

    /// Makes the rollout of a thread that has none yet, with the git facts of its folder.
    pub(crate) async fn materialize_with_git(&mut self) -> Result<(), AgentError> {
        if let Some(asked) = self.git.take()
            && let Ok(Some(facts)) = asked.await
        {
            self.shared.store.amend(|meta| meta.git = meta.git.take().or(Some(facts)));
        }
        self.materialize()
    }

    /// Makes the rollout of a thread that has none yet.
    pub(crate) fn materialize(&mut self) -> Result<(), AgentError> {
        if self.shared.store.is_ephemeral() {
            return Err(AgentError::Ephemeral(self.shared.id));
        }
        self.shared.store.append(&[])?;
        self.shared.update(|seen| seen.materialized = true);
        Ok(())
    }

    /// Loads what the model knows, unless it is loaded and nobody else has added to it.
    pub(crate) async fn know(&mut self) -> Result<&mut Known, AgentError> {
        let stale = self.known.is_none() || self.shared.store.has_grown();
        if stale && let Some(path) = self.shared.store.file() {
            let context = self.shared.manager.context(&path).await?;
            self.known = Some(Known {
                items: Arc::new(context.items),
                announced: context.turn_context.as_ref().and_then(Announced::recorded),
                model: context.turn_context.and_then(|context| context.model),
                // A count without a question is the estimate of what a compaction left, which another one leaves, too.
                counted: context
                    .usage
                    .as_ref()
                    .filter(|usage| usage.last.input_tokens > 0)
                    .map_or(0, |usage| usage.last.total_tokens),
                uncounted: 0,
                total: context.usage.map(|usage| usage.total).map_or_else(TokenUsage::default, |total| {
                    TokenUsage {
                        input_tokens: total.input_tokens,
                        cached_input_tokens: total.cached_input_tokens,
                        output_tokens: total.output_tokens,
                        reasoning_output_tokens: total.reasoning_output_tokens,
                        total_tokens: total.total_tokens,
                    }
                }),
            });
        }
        Ok(self.known.get_or_insert_default())
    }

    /// Appends to the rollout what the model is to know, and to what it knows.
    pub(crate) fn keep(
        &mut self,
        items: Vec<ResponseItem>,
        events: &[StoredEvent],
    ) -> Result<(), AgentError> {
        let stored = items.iter().cloned().map(Record::ResponseItem);
        let records: Vec<_> = stored.chain(events.iter().cloned().map(Record::EventMsg)).collect();
        self.shared.store.append(&records)?;
        self.learn(items);
        Ok(())
    }

    /// Adds what is stored to what the model knows.
    pub(crate) fn learn(&mut self, items: Vec<ResponseItem>) {
        if !items.is_empty() {
            let known = self.known.get_or_insert_default();
            known.uncounted = known.uncounted.saturating_add(compact::estimate(&items));
            Arc::make_mut(&mut known.items).extend(items);
        }
    }

    /// Returns the messages that tell the model what changed around it.
    pub(crate) fn announcements(&mut self) -> Vec<ResponseItem> {
        let told = &mut self.known.get_or_insert_default().announced;
        tokio::task::block_in_place(|| announce::changes(told, &self.settings, &self.shared.parts.docs))
    }

    /// Returns how many tokens the model takes in.
    pub(crate) fn window(&self) -> i64 {
        model::facts(&self.settings.model).usable_window(self.shared.parts.window)
    }

    /// Puts items into what the model knows; no turn, no item of the thread.
    pub(crate) async fn inject(&mut self, items: Vec<ResponseItem>) -> Result<(), AgentError> {
        self.know().await?;
        self.keep(items, &[])?;
        self.shared.update(|seen| seen.materialized |= !seen.ephemeral);
        Ok(())
    }

    /// Takes turns off the end of the history.
    pub(crate) async fn rollback(&mut self, rollback: Rollback) -> Result<(), AgentError> {
        let store = &self.shared.store;
        let num_turns = match (rollback, store.file()) {
            (Rollback::Turns(turns), _) => turns,
            (Rollback::From(turn), Some(path)) => self.shared.manager.turns_from(&path, turn).await?,
            (Rollback::From(turn), None) => return Err(ThreadError::TurnNotFound(turn).into()),
        };
        if store.is_materialized() {
            store.append_event(records::rolled_back(num_turns))?;
            self.known = None;
            *self.shared.client_ids() = ClientIds::default();
        }
        Ok(())
    }

    /// Makes the working state anew after a panic took it along, and closes the turn that it was in.
    pub(crate) async fn after_panic(shared: Arc<Shared>, turn: &str) -> Self {
        let failure = Failure::internal("the server failed inside this turn");
        let now = records::now();
        let end = records::task_complete(turn, None, Some(&failure), now, 0);
        let records = [failure.record(turn), end].map(Record::EventMsg);
        let stored = shared.store.reopen().and_then(|()| {
            if let Some(path) = shared.store.file() {
                shared.manager.deliver(shared.id, &path);
            }
            shared.store.append(&records)
        });
        if let Err(error) = stored {
            tracing::error!(thread = %shared.id, %error, "the end of a lost turn could not be stored");
        }
        let stored = failure.record(turn);
        shared
            .tell(Event::Trouble { turn: turn.to_owned(), failure: stored.clone(), will_retry: false })
            .await;
        shared.set_running(None);
        shared.set_status(Status::SystemError).await;
        let ended = TurnEnded {
            id: turn.to_owned(),
            outcome: Outcome::Failed(stored),
            started_at: now.timestamp(),
            completed_at: now.timestamp(),
            duration_ms: 0,
            last_message: None,
        };
        shared.tell(Event::TurnEnded(ended)).await;
        let settings = shared.snapshot().settings;
        Self::new(shared, settings, None, None)
    }
}

/// Returns the tools of a turn of a thread.
pub(crate) fn tools(
    shared: &Shared,
    settings: &Settings,
    turn: &str,
    host: &Arc<TurnHost>,
    cancel: &CancellationToken,
) -> TurnTools {
    let Settings { cwd, approval, sandbox, mode, .. } = settings.clone();
    let forms = match model::facts(&settings.model).custom_tools {
        true => Forms::Custom,
        false => Forms::Functions,
    };
    let goals = goal::is_worked_on(shared, settings);
    let facts = TurnFacts { id: turn.to_owned(), cwd, approval, sandbox, mode, forms, goals };
    shared.parts.tools.turn(facts, Arc::clone(host) as Arc<dyn Host>, cancel.clone())
}

/// Takes the lock of a turn. Where no lock can be made the turn runs without: the rollout's own lock still keeps lines
/// whole, and a home whose lock folder is read-only is still one to work in.
fn lock(home: &Home, id: ThreadId) -> Result<Option<ThreadLock>, AgentError> {
    match ThreadLock::try_lock(home, id) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(ThreadError::Busy(id).into()),
        Err(error) => {
            tracing::warn!(thread = %id, %error, "a turn runs without its lock");
            Ok(None)
        }
    }
}
