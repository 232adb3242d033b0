//! What the tests of goals have in common.

use protocol::{
    PatchField, ServerNotification, ThreadGoal, ThreadGoalGet, ThreadGoalSet, ThreadGoalSetParams,
    ThreadGoalStatus, ThreadStatus,
};
use testkit::{Daemon, of};

/// A goal to set, which is worked on unless it is paused.
pub fn to_reach(thread: impl AsRef<str>, objective: &str) -> ThreadGoalSetParams {
    ThreadGoalSetParams { objective: Some(objective.into()), ..of(thread).into() }
}

/// A goal to set that no turn begins for.
pub fn put_aside(thread: impl AsRef<str>, objective: &str) -> ThreadGoalSetParams {
    ThreadGoalSetParams { status: Some(ThreadGoalStatus::Paused), ..to_reach(thread, objective) }
}

/// A change of the status alone.
pub fn to_be(thread: impl AsRef<str>, status: ThreadGoalStatus) -> ThreadGoalSetParams {
    ThreadGoalSetParams { status: Some(status), ..of(thread).into() }
}

/// The same with a budget.
pub fn with_budget(params: ThreadGoalSetParams, tokens: i64) -> ThreadGoalSetParams {
    ThreadGoalSetParams { token_budget: PatchField::Set(tokens), ..params }
}

pub async fn set(d: &mut Daemon, params: ThreadGoalSetParams) -> ThreadGoal {
    d.call::<ThreadGoalSet>(params).await.goal
}

pub async fn get(d: &mut Daemon, thread: impl AsRef<str>) -> Option<ThreadGoal> {
    d.call::<ThreadGoalGet>(of(thread)).await.goal
}

/// How a goal stands: its status, and the tokens that were used.
pub fn stands(goal: Option<ThreadGoal>) -> (ThreadGoalStatus, i64) {
    let goal = goal.expect("there is a goal");
    (goal.status, goal.tokens_used)
}

/// What was told of turns and of goals, from the `from`th notification on, in short.
pub fn told(d: &Daemon, from: usize) -> Vec<String> {
    let notes = d.notes().into_iter().skip(from);
    let short = |note| match note {
        ServerNotification::TurnStarted(_) => Some("turn".to_owned()),
        ServerNotification::TurnCompleted(note) => Some(format!("end {:?}", note.turn.status)),
        ServerNotification::ThreadStatusChanged(note) => match note.status {
            ThreadStatus::Active { .. } => Some("active".to_owned()),
            ThreadStatus::SystemError => Some("error".to_owned()),
            ThreadStatus::Idle => Some("idle".to_owned()),
            ThreadStatus::NotLoaded => Some("not loaded".to_owned()),
        },
        ServerNotification::ThreadGoalUpdated(note) => {
            let by = if note.turn_id.is_some() { "turn" } else { "client" };
            Some(format!("{by}: {:?} {}", note.goal.status, note.goal.tokens_used))
        }
        ServerNotification::ThreadGoalCleared(_) => Some("cleared".to_owned()),
        _ => None,
    };
    notes.filter_map(short).collect()
}
