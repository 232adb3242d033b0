//! `thread/goal/set`: gives a thread a goal, or changes the one that it has.

use jsonrpc::RpcError;
use protocol::{ThreadGoalSetParams as Params, ThreadGoalSetResponse as Response};
use threads::GoalStatus;

use super::goal;
use crate::{
    context::Context,
    error::{of_agent, of_thread},
    wire,
};

/// Patches the goal and tells every client; a loaded thread whose goal is active then works on it.
///
/// A thread that has no rollout yet gets one, since its goal is to last.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let Params { thread_id, objective, status, token_budget } = params;
    let id = wire::thread_id(&thread_id)?;
    let patch = wire::goal_patch(objective.as_deref(), status, token_budget);
    let patch = patch.map_err(|error| of_thread(&error))?;
    let loaded = goal::owner(&cx, id).await?;
    if let (Some(thread), Some(objective)) = (&loaded, patch.objective()) {
        thread.materialize_about(objective).await.map_err(|error| of_agent(&error))?;
    }
    let goal = cx.threads.set_goal(id, patch).await.map_err(|error| of_thread(&error))?;
    cx.after_reply_to_all(wire::goal_updated(id, None, goal.clone()));
    if let Some(thread) = loaded.filter(|_| goal.status == GoalStatus::Active) {
        cx.pursue_after_reply(thread);
    }
    Ok(Response { goal: wire::goal(id, goal) })
}
