//! What joins a turn while it runs: words of the client, and items that somebody put into the rollout beside it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use items::ResponseItem;

use crate::{AgentError, turn::Task, words::Words};

/// The inputs that are to join a running turn.
pub(crate) struct Steering(Mutex<Steered>);

#[derive(Default)]
struct Steered {
    /// The ids of all that clients said in the turn, heard by now or not.
    client_ids: Vec<String>,
    waiting: VecDeque<Words>,
    /// What was put into the rollout beside the turn, and is yet to be put into what the model knows.
    injected: Vec<ResponseItem>,
    closed: bool,
}

impl Steering {
    /// Makes the queue of a turn; closed from the beginning where nothing can join what it does.
    pub(crate) fn of(task: &Task) -> Self {
        let client_ids = task.client_id().into_iter().map(str::to_owned).collect();
        let closed = !matches!(task, Task::Inputs { .. } | Task::Goal(_));
        Self(Mutex::new(Steered { client_ids, closed, ..Steered::default() }))
    }

    /// Hands words to the turn, once they are put down; tells whether it takes any.
    pub(crate) fn push(
        &self,
        words: Words,
        put_down: impl FnOnce(&Words) -> Result<(), AgentError>,
    ) -> Result<bool, AgentError> {
        // Held meanwhile: what is put down behind the end of the turn would be found when that is long over.
        let mut steered = self.lock();
        if !steered.closed {
            put_down(&words)?;
            steered.client_ids.extend(words.client_id.clone());
            steered.waiting.push_back(words);
        }
        Ok(!steered.closed)
    }

    /// Tells whether a client said something in the turn under this id.
    pub(crate) fn holds(&self, client_id: &str) -> bool {
        self.lock().client_ids.iter().any(|id| id == client_id)
    }

    /// Takes in what stands in the rollout by now.
    pub(crate) fn inject(&self, items: Vec<ResponseItem>) {
        self.lock().injected.extend(items);
    }

    pub(crate) fn take_injected(&self) -> Vec<ResponseItem> {
        std::mem::take(&mut self.lock().injected)
    }

    pub(crate) fn take(&self) -> VecDeque<Words> {
        std::mem::take(&mut self.lock().waiting)
    }

    /// Returns what waits; closes the queue when nothing does.
    pub(crate) fn take_or_close(&self) -> Option<VecDeque<Words>> {
        let mut steered = self.lock();
        steered.closed = steered.waiting.is_empty();
        (!steered.closed).then(|| std::mem::take(&mut steered.waiting))
    }

    /// Closes the queue and returns what waited in it.
    pub(crate) fn close(&self) -> VecDeque<Words> {
        let mut steered = self.lock();
        steered.closed = true;
        std::mem::take(&mut steered.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, Steered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
