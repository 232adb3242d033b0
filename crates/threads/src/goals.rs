//! Goals: what a thread is to reach, over as many turns as that takes, and what was used for it.
//!
//! They stand in the journal, so that clients can change them whether the thread is loaded or not. A turn that works
//! on one puts down here what it took.
//! Not here: when a turn begins for a goal, and what its model is told.

use chrono::{DateTime, Duration, Utc};
use rollout::ThreadId;
use serde::{Deserialize, Serialize};

use crate::{
    Patch, ThreadError, ThreadManager,
    journal::{Entry, Used},
};

/// How many characters an objective may have: the published server's bound. Every turn for the goal tells the model.
const MAX_OBJECTIVE: usize = 4000;

/// The goal of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// What is to be reached, in the words of whoever set it.
    pub objective: String,
    /// Whether it is worked on.
    pub status: GoalStatus,
    /// How many tokens may be used for it.
    pub token_budget: Option<i64>,
    /// How many tokens were used for it, without what the provider had cached.
    pub tokens_used: i64,
    /// For how long turns worked on it, in milliseconds.
    pub time_used_ms: i64,
    /// When the thread was given a goal; to change it is not to give it another one.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Whether a goal is worked on, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalStatus {
    /// It is.
    Active,
    /// Somebody put it aside.
    Paused,
    /// It cannot be worked on until something changes.
    Blocked,
    /// The provider gives no more for now.
    UsageLimited,
    /// Its budget is used up.
    BudgetLimited,
    /// It is reached.
    Complete,
}

/// What a client sets of a goal, whose words and numbers are right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoalPatch {
    objective: Option<String>,
    status: Option<GoalStatus>,
    token_budget: Patch<i64>,
}

/// What a turn took since it last put something down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// How many tokens.
    pub tokens: i64,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What keeps the goal from being worked on from now on, where something does.
    pub setback: Option<GoalStatus>,
}

/// A goal that stands otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// How it stands.
    pub goal: Goal,
    /// How it stood.
    pub was: GoalStatus,
}

impl ThreadManager {
    /// Returns the goal of a thread.
    pub async fn goal(&self, thread: ThreadId) -> Result<Option<Goal>, ThreadError> {
        self.blocking(move |stores| Ok(stores.journal.with(|journal| journal.goals.get(thread).cloned())))
            .await
    }

    /// Gives a thread that the caller knows to exist a goal, or changes the one that it has.
    pub async fn set_goal(&self, thread: ThreadId, patch: GoalPatch) -> Result<Goal, ThreadError> {
        self.blocking(move |stores| {
            stores.journal.note(|journal, now| {
                let goal = patch.apply(journal.goals.get(thread), now).ok_or(ThreadError::NoGoal(thread))?;
                Ok((vec![Entry::Goal { thread_id: thread, goal: goal.clone() }], goal))
            })
        })
        .await
    }

    /// Gives a thread that the caller knows to exist a goal of its own, unless it has one that is not complete.
    pub async fn create_goal(&self, thread: ThreadId, patch: GoalPatch) -> Result<Goal, ThreadError> {
        self.blocking(move |stores| {
            stores.journal.note(|journal, now| {
                if journal.goals.get(thread).is_some_and(|goal| goal.status != GoalStatus::Complete) {
                    return Err(ThreadError::HasGoal(thread));
                }
                let goal = patch.apply(None, now).ok_or(ThreadError::NoGoal(thread))?;
                Ok((vec![Entry::Goal { thread_id: thread, goal: goal.clone() }], goal))
            })
        })
        .await
    }

    /// Takes the goal of a thread away; tells whether it had one.
    pub async fn clear_goal(&self, thread: ThreadId) -> Result<bool, ThreadError> {
        self.blocking(move |stores| {
            stores.journal.note(|journal, _| {
                let had = journal.goals.get(thread).is_some();
                Ok((had.then_some(Entry::GoalCleared { thread_id: thread }).into_iter().collect(), had))
            })
        })
        .await
    }

    /// Puts down what a turn took, where the thread has a goal that counts it.
    ///
    /// Returns the goal where clients see another one than before: less than a second alone is put down and not told.
    pub async fn spend_on_goal(
        &self,
        thread: ThreadId,
        spending: Spending,
    ) -> Result<Option<Spent>, ThreadError> {
        self.blocking(move |stores| {
            // Most threads have no goal: they are not to wait for those that write.
            if stores.journal.with(|journal| journal.goals.counting(thread).is_none()) {
                return Ok(None);
            }
            stores.journal.note(|journal, now| {
                let Some(before) = journal.goals.counting(thread) else { return Ok((vec![], None)) };
                let goal = before.after(spending, now);
                let used = Used::of(&goal);
                let entry =
                    (used != Used::of(before)).then_some(Entry::GoalSpent { thread_id: thread, used });
                let seen = |goal: &Goal| (goal.status, goal.tokens_used, goal.seconds_used());
                let is_seen = seen(&goal) != seen(before);
                let spent = is_seen.then_some(Spent { was: before.status, goal });
                Ok((entry.into_iter().collect(), spent))
            })
        })
        .await
    }
}

impl Goal {
    /// Returns for how many whole seconds turns worked on the goal.
    pub fn seconds_used(&self) -> i64 {
        self.time_used_ms / 1000
    }

    /// Tells whether what turns take is put down: also where they go on although the budget is used up.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.status, GoalStatus::Active | GoalStatus::BudgetLimited)
    }

    fn after(&self, spending: Spending, now: DateTime<Utc>) -> Self {
        let Spending { tokens, since, setback } = spending;
        let time = (now - since.max(self.created_at)).max(Duration::zero());
        let mut goal = Self {
            tokens_used: self.tokens_used.saturating_add(tokens.max(0)),
            time_used_ms: self.time_used_ms.saturating_add(time.num_milliseconds()),
            updated_at: now,
            ..self.clone()
        }
        .within_budget();
        if let Some(setback) = setback.filter(|_| goal.status == GoalStatus::Active) {
            goal.status = setback;
        }
        goal
    }

    /// Ends the work on a goal whose budget is used up, whoever says that it is active.
    fn within_budget(mut self) -> Self {
        let is_used_up = self.token_budget.is_some_and(|budget| self.tokens_used >= budget);
        if is_used_up && self.status == GoalStatus::Active {
            self.status = GoalStatus::BudgetLimited;
        }
        self
    }
}

impl GoalPatch {
    /// Makes a patch of an objective that is neither blank nor too long, and of a budget that allows something.
    pub fn checked(
        objective: Option<&str>,
        status: Option<GoalStatus>,
        token_budget: Patch<i64>,
    ) -> Result<Self, ThreadError> {
        let objective = objective.map(str::trim);
        match objective {
            Some("") => return Err(ThreadError::EmptyObjective),
            Some(text) if text.chars().count() > MAX_OBJECTIVE => {
                return Err(ThreadError::LongObjective(MAX_OBJECTIVE));
            }
            _ => {}
        }
        match token_budget {
            Patch::Set(..=0) => Err(ThreadError::EmptyBudget),
            token_budget => Ok(Self { objective: objective.map(str::to_owned), status, token_budget }),
        }
    }

    /// Returns the objective that the patch sets.
    pub fn objective(&self) -> Option<&str> {
        self.objective.as_deref()
    }

    /// Applies the patch to the goal of a thread; `None` where it has none and is not given one.
    fn apply(self, goal: Option<&Goal>, now: DateTime<Utc>) -> Option<Goal> {
        let Self { objective, status, token_budget } = self;
        let mut goal = match (goal, objective) {
            (Some(goal), objective) => {
                Goal { objective: objective.unwrap_or_else(|| goal.objective.clone()), ..goal.clone() }
            }
            (None, Some(objective)) => Goal {
                objective,
                status: GoalStatus::Active,
                token_budget: None,
                tokens_used: 0,
                time_used_ms: 0,
                created_at: now,
                updated_at: now,
            },
            (None, None) => return None,
        };
        goal.status = status.unwrap_or(goal.status);
        token_budget.apply(&mut goal.token_budget);
        goal.updated_at = now;
        Some(goal.within_budget())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(ms).unwrap()
    }

    fn patch(objective: Option<&str>, status: Option<GoalStatus>, budget: Patch<i64>) -> GoalPatch {
        GoalPatch::checked(objective, status, budget).unwrap()
    }

    fn goal(budget: Option<i64>) -> Goal {
        let budget = budget.map_or(Patch::Keep, Patch::Set);
        patch(Some("ship"), None, budget).apply(None, at(1000)).unwrap()
    }

    fn spending(tokens: i64, setback: Option<GoalStatus>) -> Spending {
        Spending { tokens, since: at(2000), setback }
    }

    #[test]
    fn what_is_no_goal_is_refused() {
        let long = "ü".repeat(MAX_OBJECTIVE + 1);
        for (objective, budget, refusal) in [
            (Some(" \n"), Patch::Keep, "goal objective must not be empty"),
            (Some(long.as_str()), Patch::Keep, "goal objective must be at most 4000 characters"),
            (None, Patch::Set(0), "goal budgets must be positive when provided"),
            (Some("x"), Patch::Set(-1), "goal budgets must be positive when provided"),
        ] {
            let refused = GoalPatch::checked(objective, None, budget).unwrap_err();
            assert_eq!(refused.to_string(), refusal);
        }
        let just = format!(" {} ", &long[2..]);
        assert_eq!(patch(Some(&just), None, Patch::Keep).objective(), Some(just.trim()));
    }

    #[test]
    fn a_patch_changes_what_it_names_and_what_was_used_stays() {
        let used = Goal { tokens_used: 25, time_used_ms: 1500, ..goal(Some(50)) };
        assert_eq!(patch(None, None, Patch::Keep).apply(None, at(5)), None);
        let changed =
            patch(Some("land"), Some(GoalStatus::Paused), Patch::Clear).apply(Some(&used), at(9000));
        let expected = Goal {
            objective: "land".to_owned(),
            status: GoalStatus::Paused,
            token_budget: None,
            updated_at: at(9000),
            ..used.clone()
        };
        assert_eq!(changed, Some(expected));
        let kept = patch(None, None, Patch::Keep).apply(Some(&used), at(9000));
        assert_eq!(kept, Some(Goal { updated_at: at(9000), ..used }));
    }

    #[test]
    fn a_goal_is_not_active_beyond_its_budget() {
        use GoalStatus::{Active, BudgetLimited, Complete, Paused};
        let used = Goal { tokens_used: 25, status: Paused, ..goal(None) };
        for (status, budget, expected) in [
            (Some(Active), 25, BudgetLimited),
            (Some(Active), 26, Active),
            (Some(Complete), 1, Complete),
            (None, 1, Paused),
        ] {
            let patched = patch(None, status, Patch::Set(budget)).apply(Some(&used), at(1)).unwrap();
            assert_eq!(patched.status, expected, "{status:?} {budget}");
        }
    }

    #[test]
    fn what_a_turn_took_is_added_up() {
        use GoalStatus::{Active, Blocked, BudgetLimited};
        for (goal, spending, now, (status, tokens, ms)) in [
            (goal(None), spending(15, None), 2700, (Active, 15, 700)),
            (goal(None), spending(0, Some(Blocked)), 2000, (Blocked, 0, 0)),
            (goal(Some(15)), spending(15, None), 2000, (BudgetLimited, 15, 0)),
            (goal(Some(15)), spending(15, Some(Blocked)), 2000, (BudgetLimited, 15, 0)),
            // A clock that was set back takes nothing off.
            (goal(None), spending(-1, None), 1500, (Active, 0, 0)),
            // What the turn did before there was a goal was not for it.
            (Goal { created_at: at(2500), ..goal(None) }, spending(1, None), 2700, (Active, 1, 200)),
        ] {
            let after = goal.after(spending, at(now));
            assert_eq!((after.status, after.tokens_used, after.time_used_ms), (status, tokens, ms));
        }
    }
}
