//! The goal of a thread as its turns see it: what the model is told of it, and what it takes to work on it.
//!
//! The goal stands with the stored threads and changes while a turn runs, so it is read anew wherever it matters. A turn
//! puts down what it took after each round of calls, so that the budget is held, and at its end.
//! Not here: whether a turn begins for a goal (the actor's).

use chrono::{DateTime, Utc};
use items::{ResponseItem, Role};
use threads::{Goal, GoalPatch, GoalStatus, Patch, Spending, Spent, ThreadId};
use tools::{GoalEnd, GoalStep, Mode};

use crate::{
    event::Event,
    records,
    session::Session,
    settings::Settings,
    shared::Shared,
    steering::Steering,
    turn::{Progress, Stop},
};

/// How the model is to work on a goal.
const PROMPT: &str = include_str!("prompts/goal.md");

/// What the model is told in the turn that uses the budget up.
const BUDGET_IS_USED_UP: &str = "The token budget of this thread's goal is used up. Begin nothing new for it: bring what is under way into a state \
     that can be left, then say what was reached, what is still open, and what you would do next.";

/// Up to where a turn has put down what it took.
pub(crate) struct Account {
    /// What the thread had cost by then.
    cost: i64,
    at: DateTime<Utc>,
}

impl Account {
    /// Opens the account of a turn that is about to take something.
    pub(crate) fn open(session: &Session, at: DateTime<Utc>) -> Self {
        Self { cost: cost(session), at }
    }
}

/// Tells whether a thread works on a goal where it has one, and its model can end that.
pub(crate) fn is_worked_on(shared: &Shared, settings: &Settings) -> bool {
    let can_have_one = shared.parts.tools.offers_goals() && !shared.snapshot().ephemeral;
    // In plan mode nothing is changed, so that nothing is reached either.
    can_have_one && settings.mode == Mode::Default
}

/// Takes a step that the model wants to take with the goal.
pub(crate) async fn take(shared: &Shared, turn: &str, step: GoalStep) -> Result<Option<tools::Goal>, String> {
    let (manager, thread) = (&shared.manager, shared.id);
    let taken = match step {
        GoalStep::Read => {
            let goal = manager.goal(thread).await.map_err(|error| error.to_string())?;
            return Ok(goal.as_ref().map(|goal| seen(thread, goal)));
        }
        GoalStep::Create { objective, token_budget } => {
            let budget = token_budget.map_or(Patch::Keep, Patch::Set);
            match GoalPatch::checked(Some(&objective), None, budget) {
                Ok(patch) => manager.create_goal(thread, patch).await,
                Err(error) => Err(error),
            }
        }
        GoalStep::End(end) => {
            let status = match end {
                GoalEnd::Complete => GoalStatus::Complete,
                GoalEnd::Blocked => GoalStatus::Blocked,
            };
            match GoalPatch::checked(None, Some(status), Patch::Keep) {
                Ok(patch) => manager.set_goal(thread, patch).await,
                Err(error) => Err(error),
            }
        }
    };
    let goal = taken.map_err(|error| error.to_string())?;
    let seen = seen(thread, &goal);
    shared.tell(Event::Goal { turn: turn.to_owned(), goal }).await;
    Ok(Some(seen))
}

/// Returns a goal as the model is told of it.
fn seen(thread: ThreadId, goal: &Goal) -> tools::Goal {
    tools::Goal {
        thread_id: thread.to_string(),
        objective: goal.objective.clone(),
        status: match goal.status {
            GoalStatus::Active => "active",
            GoalStatus::Paused => "paused",
            GoalStatus::Blocked => "blocked",
            GoalStatus::UsageLimited => "usageLimited",
            GoalStatus::BudgetLimited => "budgetLimited",
            GoalStatus::Complete => "complete",
        },
        token_budget: goal.token_budget,
        tokens_used: goal.tokens_used,
        time_used_seconds: goal.seconds_used(),
        created_at: goal.created_at.timestamp(),
        updated_at: goal.updated_at.timestamp(),
    }
}

impl Session {
    /// Tells the model of the goal and has it work on it. No person said that, so nothing of it is shown.
    pub(crate) async fn pursue(
        &mut self,
        progress: &mut Progress,
        steering: &Steering,
        goal: &Goal,
    ) -> Result<(), Stop> {
        self.keep(vec![context(&told(goal))], &[])?;
        self.work(progress, steering, None).await
    }

    /// Puts down what the turn took by now; a model whose budget that used up is told so before it goes on.
    pub(crate) async fn spend(&mut self, progress: &mut Progress) -> Result<(), Stop> {
        let spent = self.put_down(progress, None).await;
        let is_used_up =
            |spent: Spent| spent.was == GoalStatus::Active && spent.goal.status == GoalStatus::BudgetLimited;
        if spent.is_some_and(is_used_up) {
            self.keep(vec![context(BUDGET_IS_USED_UP)], &[])?;
        }
        Ok(())
    }

    /// Puts down what the turn took to its end. A turn that failed would fail again: the goal is worked on no more until
    /// somebody says so.
    pub(crate) async fn spend_last(&self, progress: &mut Progress, ended: &Result<(), Stop>) {
        let setback = match ended {
            Err(Stop::Failed(failure)) if failure.is_usage_limit() => Some(GoalStatus::UsageLimited),
            Err(Stop::Failed(_)) => Some(GoalStatus::Blocked),
            Ok(()) | Err(Stop::Interrupted) => None,
        };
        self.put_down(progress, setback).await;
    }

    /// Puts down what the turn took by now, before the goal that it was for becomes another.
    pub(crate) async fn settle(&self, progress: &mut Progress) {
        self.put_down(progress, None).await;
    }

    async fn put_down(&self, progress: &mut Progress, setback: Option<GoalStatus>) -> Option<Spent> {
        let now = Account::open(self, records::now());
        let tokens = now.cost - progress.account.cost;
        let spending = Spending { tokens, since: progress.account.at, setback };
        let spent = match self.shared.manager.spend_on_goal(self.shared.id, spending).await {
            Ok(spent) => spent,
            Err(error) => {
                tracing::warn!(thread = %self.shared.id, %error, "what a turn took is not put down yet");
                return None;
            }
        };
        progress.account = now;
        if let Some(Spent { goal, .. }) = &spent {
            self.shared.tell(Event::Goal { turn: progress.id.clone(), goal: goal.clone() }).await;
        }
        spent
    }
}

/// What the thread has cost so far: without what the provider had cached, which would be counted with every request.
fn cost(session: &Session) -> i64 {
    let total = session.known.as_ref().map(|known| &known.total);
    total.map_or(0, |total| (total.input_tokens - total.cached_input_tokens).max(0) + total.output_tokens)
}

/// Words of the server's own, marked as published servers mark them.
fn context(text: &str) -> ResponseItem {
    let text = format!("<codex_internal_context source=\"goal\">\n{text}\n</codex_internal_context>");
    ResponseItem::message(Role::User, text)
}

fn told(goal: &Goal) -> String {
    let budget = match goal.token_budget {
        Some(budget) => format!("{} of {budget} tokens", goal.tokens_used),
        None => format!("{} tokens, which no budget limits", goal.tokens_used),
    };
    let seconds = goal.seconds_used();
    format!(
        "{PROMPT}\n<objective>\n{}\n</objective>\n\nUsed for it so far: {budget}, {seconds} seconds.",
        goal.objective
    )
}
