//! `turn/start`: says something to the agent; in a running turn the words join it.

use agent::{Overrides, Started, TurnRequest};
use jsonrpc::RpcError;
use protocol::{
    CollaborationMode, ModeKind, PatchField, TurnStartParams as Params, TurnStartResponse as Response,
    TurnStatus,
};

use crate::{context::Context, error::of_agent, live, opening::refuse_unbuilt, wire};

/// Answers at once with the turn; what happens in it follows the answer.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    let inputs = wire::inputs(params.input)?;
    let plan = |mode: &CollaborationMode| mode.mode == ModeKind::Plan;
    refuse_unbuilt(&[
        ("collaborationMode", params.collaboration_mode.as_ref().is_some_and(plan)),
        ("permissions", params.permissions.is_some()),
        ("runtimeWorkspaceRoots", params.runtime_workspace_roots.is_some_and(|roots| !roots.is_empty())),
        ("additionalContext", params.additional_context.is_some_and(|context| !context.is_empty())),
    ])?;
    let mode = params.collaboration_mode.map(|mode| mode.settings);
    let (mode_model, mode_effort) =
        mode.map_or((None, None), |mode| (Some(mode.model), mode.reasoning_effort));
    let overrides = Overrides {
        model: mode_model.or(params.model),
        cwd: params.cwd.map(Into::into),
        approval: params.approval_policy.map(wire::approval_from_wire),
        sandbox: params.sandbox_policy.map(wire::sandbox_from_wire),
        effort: mode_effort.or(params.effort).as_ref().map(wire::effort_from_wire),
        summary: params.summary.map(wire::summary_word),
        service_tier: match params.service_tier {
            PatchField::Set(tier) => Some(wire::service_tier_from_wire(&tier)),
            PatchField::Keep | PatchField::Clear => None,
        },
    };
    let request = TurnRequest {
        inputs,
        client_id: params.client_user_message_id,
        overrides,
        output_schema: params.output_schema,
    };
    let (Started { turn }, answered) = thread.start_turn(request).await.map_err(|error| of_agent(&error))?;
    cx.begin_after_reply(answered);
    Ok(Response { turn: live::turn(turn, TurnStatus::InProgress) })
}
