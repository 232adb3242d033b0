//! Goals, and patches of them.

use protocol::{PatchField, ServerNotification, ThreadGoal, ThreadGoalStatus, ThreadGoalUpdatedNotification};
use threads::{Goal, GoalPatch, GoalStatus, Patch, ThreadError, ThreadId};

/// Builds the wire form of a thread's goal.
pub(crate) fn goal(thread: ThreadId, goal: Goal) -> ThreadGoal {
    let time_used_seconds = goal.seconds_used();
    let Goal { objective, status, token_budget, tokens_used, time_used_ms: _, created_at, updated_at } = goal;
    ThreadGoal {
        thread_id: thread.to_string(),
        objective,
        status: match status {
            GoalStatus::Active => ThreadGoalStatus::Active,
            GoalStatus::Paused => ThreadGoalStatus::Paused,
            GoalStatus::Blocked => ThreadGoalStatus::Blocked,
            GoalStatus::UsageLimited => ThreadGoalStatus::UsageLimited,
            GoalStatus::BudgetLimited => ThreadGoalStatus::BudgetLimited,
            GoalStatus::Complete => ThreadGoalStatus::Complete,
        },
        token_budget,
        tokens_used,
        time_used_seconds,
        created_at: created_at.timestamp(),
        updated_at: updated_at.timestamp(),
    }
}

/// Builds what is told of a goal that a turn, or without one a client, changed.
pub(crate) fn goal_updated(thread: ThreadId, turn: Option<String>, changed: Goal) -> ServerNotification {
    ServerNotification::ThreadGoalUpdated(ThreadGoalUpdatedNotification {
        thread_id: thread.to_string(),
        turn_id: turn,
        goal: goal(thread, changed),
    })
}

/// Reads what a client sets of a goal.
pub(crate) fn goal_patch(
    objective: Option<&str>,
    status: Option<ThreadGoalStatus>,
    token_budget: PatchField<i64>,
) -> Result<GoalPatch, ThreadError> {
    let status = status.map(|status| match status {
        ThreadGoalStatus::Active => GoalStatus::Active,
        ThreadGoalStatus::Paused => GoalStatus::Paused,
        ThreadGoalStatus::Blocked => GoalStatus::Blocked,
        ThreadGoalStatus::UsageLimited => GoalStatus::UsageLimited,
        ThreadGoalStatus::BudgetLimited => GoalStatus::BudgetLimited,
        ThreadGoalStatus::Complete => GoalStatus::Complete,
    });
    let token_budget = match token_budget {
        PatchField::Keep => Patch::Keep,
        PatchField::Clear => Patch::Clear,
        PatchField::Set(budget) => Patch::Set(budget),
    };
    GoalPatch::checked(objective, status, token_budget)
}
