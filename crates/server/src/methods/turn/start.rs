//! `turn/start`: says something to the agent; in a running turn the words join it.

use agent::{Overrides, Started, TurnRequest};
use jsonrpc::RpcError;
use protocol::{
    CollaborationMode, ModeKind, PatchField, ReasoningEffort, TurnStartParams as Params,
    TurnStartResponse as Response, TurnStatus,
};
use tools::Mode;

use crate::{context::Context, error::of_agent, live, opening::refuse_unbuilt, wire};

/// Answers at once with the turn; what happens in it follows the answer.
pub(crate) async fn handle(cx: Context, params: Params) -> Result<Response, RpcError> {
    let thread = cx.agents.require(wire::thread_id(&params.thread_id)?).map_err(|error| of_agent(&error))?;
    let inputs = wire::inputs(params.input)?;
    refuse_unbuilt(&[
        ("permissions", params.permissions.is_some()),
        ("runtimeWorkspaceRoots", params.runtime_workspace_roots.is_some_and(|roots| !roots.is_empty())),
        ("additionalContext", params.additional_context.is_some_and(|context| !context.is_empty())),
    ])?;
    let Asked { mode, model, effort } = params.collaboration_mode.map_or_else(Asked::default, asked);
    let overrides = Overrides {
        model: model.or(params.model),
        cwd: params.cwd.map(Into::into),
        approval: params.approval_policy.map(wire::approval_from_wire),
        sandbox: params.sandbox_policy.map(wire::sandbox_from_wire),
        effort: effort.or(params.effort).as_ref().map(wire::effort_from_wire),
        summary: params.summary.map(wire::summary_word),
        service_tier: match params.service_tier {
            PatchField::Set(tier) => Some(wire::service_tier_from_wire(&tier)),
            PatchField::Keep | PatchField::Clear => None,
        },
        mode,
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

/// What a collaboration mode asks for; it outranks what is asked for beside it.
#[derive(Default)]
struct Asked {
    mode: Option<(Mode, Option<String>)>,
    model: Option<String>,
    effort: Option<ReasoningEffort>,
}

fn asked(asked: CollaborationMode) -> Asked {
    let CollaborationMode { mode, settings } = asked;
    let mode = match mode {
        ModeKind::Plan => Mode::Plan,
        ModeKind::Default => Mode::Default,
    };
    Asked {
        mode: Some((mode, settings.developer_instructions)),
        model: Some(settings.model),
        effort: settings.reasoning_effort,
    }
}
