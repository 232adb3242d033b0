//! A turn as its tools see it: they tell, store and ask through it, also when the turn is long over.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{FutureExt, future::BoxFuture};
use rollout::Event as StoredEvent;
use tools::{Began, Change, Goal, GoalStep, Host, News, Question, WaitsOn};

use crate::{
    AgentError,
    event::{Event, Status, Stored, Waiting},
    goal, records,
    shared::Shared,
};

/// The host of one turn.
pub(crate) struct TurnHost {
    shared: Arc<Shared>,
    turn: String,
    waits: Mutex<Waits>,
    /// Why something could not be stored; the turn ends for it.
    lost: Mutex<Option<AgentError>>,
}

/// How often the person is waited for at once.
#[derive(Default)]
struct Waits {
    approvals: usize,
    user_inputs: usize,
}

impl TurnHost {
    pub(crate) fn new(shared: Arc<Shared>, turn: String) -> Self {
        Self { shared, turn, waits: Mutex::default(), lost: Mutex::default() }
    }

    /// Counts a wait; returns what the turn waits for then, where that is something else than before.
    fn count(&self, on: WaitsOn, change: Change) -> Option<Waiting> {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let before = waits.now();
        let count = match on {
            WaitsOn::Approval => &mut waits.approvals,
            WaitsOn::UserInput => &mut waits.user_inputs,
        };
        *count = match change {
            Change::Begins => *count + 1,
            Change::Ends => count.saturating_sub(1),
        };
        Some(waits.now()).filter(|now| *now != before)
    }

    /// Returns why something could not be stored, where something could not.
    pub(crate) fn lost(&self) -> Option<AgentError> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Waits {
    fn now(&self) -> Waiting {
        Waiting { approval: self.approvals > 0, user_input: self.user_inputs > 0 }
    }
}

impl Host for TurnHost {
    fn tell(&self, news: News) -> BoxFuture<'_, ()> {
        self.shared.tell(Event::News { turn: self.turn.clone(), news }).boxed()
    }

    fn complete(&self, item: StoredEvent, began: Began) -> BoxFuture<'_, ()> {
        async move {
            if let Err(error) = self.shared.store.append_event(item.clone()) {
                tracing::error!(thread = %self.shared.id, %error, "an item could not be stored");
                *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
                return;
            }
            let now = records::now().timestamp_millis();
            let (opened, began_ms) = match began {
                Began::At(ms) => (true, ms),
                Began::Unannounced => (false, now),
            };
            let stored =
                Stored { turn: self.turn.clone(), events: vec![item], opened, span_ms: (began_ms, now) };
            self.shared.tell(Event::Stored(stored)).await;
        }
        .boxed()
    }

    fn waits(&self, on: WaitsOn, change: Change) -> BoxFuture<'_, ()> {
        async move {
            let waiting = self.count(on, change);
            // A turn that is over waits for nobody, whoever asked in its name.
            let runs = self.shared.snapshot().running.as_deref() == Some(self.turn.as_str());
            if let Some(waiting) = waiting.filter(|_| runs) {
                self.shared.set_status(Status::Active(waiting)).await;
            }
        }
        .boxed()
    }

    fn ask(&self, question: Question) -> BoxFuture<'_, ()> {
        self.shared.ask(self.turn.clone(), question).boxed()
    }

    fn goal(&self, step: GoalStep) -> BoxFuture<'_, Result<Option<Goal>, String>> {
        goal::take(&self.shared, &self.turn, step).boxed()
    }
}
