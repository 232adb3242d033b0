//! Which thread has which goal.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rollout::ThreadId;
use serde::{Deserialize, Serialize};

use crate::{Goal, GoalStatus};

/// The goal of each thread that has one.
#[derive(Default)]
pub(crate) struct Goals(HashMap<ThreadId, Goal>);

/// How a goal stands; apart from its words, which may be long, since every turn changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    pub(crate) status: GoalStatus,
    pub(crate) tokens_used: i64,
    pub(crate) time_used_ms: i64,
}

impl Used {
    /// Returns how a goal stands.
    pub(crate) fn of(goal: &Goal) -> Self {
        let Goal { status, tokens_used, time_used_ms, .. } = *goal;
        Self { status, tokens_used, time_used_ms }
    }
}

impl Goals {
    /// Returns the goal of a thread.
    pub(crate) fn get(&self, thread: ThreadId) -> Option<&Goal> {
        self.0.get(&thread)
    }

    /// Returns the goal of a thread if what its turns take is put down.
    pub(crate) fn counting(&self, thread: ThreadId) -> Option<&Goal> {
        self.get(thread).filter(|goal| goal.counts())
    }

    pub(super) fn put(&mut self, thread: ThreadId, goal: Goal) {
        self.0.insert(thread, goal);
    }

    /// Takes in how a goal stands; an entry for one that was cleared meanwhile is for none.
    pub(super) fn spend(&mut self, thread: ThreadId, used: Used, at: DateTime<Utc>) {
        let Used { status, tokens_used, time_used_ms } = used;
        if let Some(goal) = self.0.get_mut(&thread) {
            *goal = Goal { status, tokens_used, time_used_ms, updated_at: at, ..goal.clone() };
        }
    }

    pub(super) fn forget(&mut self, thread: ThreadId) {
        self.0.remove(&thread);
    }
}
