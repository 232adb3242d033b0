//! The one place where errors become wire codes; clients match on the texts.

use agent::{AgentError, Closed};
use jsonrpc::RpcError;
use protocol::{CodexErrorInfo, NonSteerableTurnKind, TurnError};
use serde_json::json;
use threads::ThreadError;
pub(crate) use tools::with_causes;

/// A request that cannot be served as it is.
pub(crate) fn invalid(message: impl Into<String>) -> RpcError {
    RpcError::invalid_request(message)
}

/// Something that failed on our side, with its causes.
pub(crate) fn internal(error: &dyn std::error::Error) -> RpcError {
    RpcError::internal(with_causes(error))
}

pub(crate) fn of_thread(error: &ThreadError) -> RpcError {
    match error {
        ThreadError::NotFound(_)
        | ThreadError::Archived(_)
        | ThreadError::NotArchived(_)
        | ThreadError::Busy(_)
        | ThreadError::TurnNotFound(_)
        | ThreadError::EmptyName
        | ThreadError::EmptyPatch
        | ThreadError::BlankField(_)
        | ThreadError::NoSuchSection(_)
        | ThreadError::BeforeItself(_)
        | ThreadError::BeforeElsewhere { .. }
        | ThreadError::EmptyObjective
        | ThreadError::LongObjective(_)
        | ThreadError::EmptyBudget
        | ThreadError::HasGoal(_)
        | ThreadError::NoGoal(_)
        | ThreadError::InvalidCursor(_) => invalid(error.to_string()),
        ThreadError::EmptySectionName
        | ThreadError::SectionNotFound(_)
        | ThreadError::BuiltInSection(_)
        | ThreadError::EmptyWord(_)
        | ThreadError::LongWord { .. }
        | ThreadError::LargePayload(_)
        | ThreadError::TooManyAttachments(_) => RpcError::invalid_params(error.to_string()),
        ThreadError::NoSession(_)
        | ThreadError::Rollout(_)
        | ThreadError::History(_)
        | ThreadError::Io { .. }
        | ThreadError::Worker => internal(error),
    }
}

/// What calls about attachments say: a thread that is nowhere is a wrong param to them.
pub(crate) fn of_attachment(error: &ThreadError) -> RpcError {
    match error {
        ThreadError::NotFound(id) => RpcError::invalid_params(format!("thread not found: {id}")),
        error => of_thread(error),
    }
}

pub(crate) fn of_agent(error: &AgentError) -> RpcError {
    match error {
        AgentError::NotSteerable(closed) => not_steerable(error, *closed),
        AgentError::NotLoaded(_)
        | AgentError::NoTurnToSteer
        | AgentError::NoTurnToInterrupt
        | AgentError::OtherTurn { .. }
        | AgentError::TurnInProgress
        | AgentError::Provider(_)
        | AgentError::Ephemeral(_) => invalid(error.to_string()),
        AgentError::Thread(error) => of_thread(error),
        AgentError::Rollout(_) => internal(error),
    }
}

/// What a program may act on is the error of a turn.
fn not_steerable(error: &AgentError, closed: Closed) -> RpcError {
    let turn_kind = match closed {
        Closed::Review => NonSteerableTurnKind::Review,
        Closed::Compact => NonSteerableTurnKind::Compact,
    };
    let data = TurnError {
        message: error.to_string(),
        codex_error_info: Some(CodexErrorInfo::ActiveTurnNotSteerable { turn_kind }),
        additional_details: None,
    };
    invalid(error.to_string()).with_data(json!(data))
}
