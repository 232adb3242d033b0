//! What tools ask of clients, and what those answer.

use std::path::PathBuf;

use chrono::Utc;
use protocol::{
    AbsolutePathBuf, AdditionalFileSystemPermissions, AdditionalNetworkPermissions,
    CommandExecutionApprovalDecision, CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse, DynamicToolCallParams, DynamicToolCallResponse,
    FileChangeApprovalDecision, FileChangeRequestApprovalParams, FileChangeRequestApprovalResponse,
    McpServerElicitationAction, McpServerElicitationRequestKind, McpServerElicitationRequestParams,
    McpServerElicitationRequestResponse, PermissionGrantScope, PermissionsRequestApprovalParams,
    PermissionsRequestApprovalResponse, RequestPermissionProfile, ToolRequestUserInputParams,
    ToolRequestUserInputQuestion,
};
use serde_json::Value;
use threads::ThreadId;
use tools::{
    ClientAnswer, ClientCall, CommandQuestion, Decision, ElicitationQuestion, Elicited, Grant, GrantScope,
    PatchQuestion, Permissions, PermissionsQuestion, UserInputQuestion,
};

/// Who asks.
pub(crate) struct Asker {
    pub(crate) thread: ThreadId,
    pub(crate) turn: String,
}

pub(crate) fn command_question(at: Asker, asked: CommandQuestion) -> CommandExecutionRequestApprovalParams {
    let CommandQuestion { item, reason, command, cwd, actions, amendment } = asked;
    let rule = amendment.clone().map(|words| {
        CommandExecutionApprovalDecision::AcceptWithExecpolicyAmendment { execpolicy_amendment: words }
    });
    let decisions = [
        Some(CommandExecutionApprovalDecision::Accept),
        rule,
        Some(CommandExecutionApprovalDecision::Cancel),
    ];
    CommandExecutionRequestApprovalParams {
        thread_id: at.thread.to_string(),
        turn_id: at.turn,
        item_id: item,
        started_at_ms: Utc::now().timestamp_millis(),
        reason,
        command: Some(command),
        cwd: Some(cwd.to_string_lossy().into_owned()),
        command_actions: Some(actions.iter().map(history::command_action).collect()),
        proposed_execpolicy_amendment: amendment,
        available_decisions: Some(decisions.into_iter().flatten().collect()),
        ..CommandExecutionRequestApprovalParams::default()
    }
}

pub(crate) fn command_decision(answer: CommandExecutionRequestApprovalResponse) -> Decision {
    match answer.decision {
        CommandExecutionApprovalDecision::Accept => Decision::Accept,
        CommandExecutionApprovalDecision::AcceptForSession => Decision::AcceptForSession,
        CommandExecutionApprovalDecision::AcceptWithExecpolicyAmendment { execpolicy_amendment } => {
            Decision::AcceptWithRule(execpolicy_amendment)
        }
        // Nothing of ours asks about the network by host.
        CommandExecutionApprovalDecision::ApplyNetworkPolicyAmendment { .. } => Decision::Unusable,
        CommandExecutionApprovalDecision::Decline => Decision::Decline,
        CommandExecutionApprovalDecision::Cancel => Decision::Cancel,
    }
}

pub(crate) fn patch_question(at: Asker, asked: PatchQuestion) -> FileChangeRequestApprovalParams {
    let PatchQuestion { item, reason } = asked;
    FileChangeRequestApprovalParams {
        thread_id: at.thread.to_string(),
        turn_id: at.turn,
        item_id: item,
        started_at_ms: Utc::now().timestamp_millis(),
        reason,
        grant_root: None,
    }
}

pub(crate) fn patch_decision(answer: FileChangeRequestApprovalResponse) -> Decision {
    match answer.decision {
        FileChangeApprovalDecision::Accept => Decision::Accept,
        FileChangeApprovalDecision::AcceptForSession => Decision::AcceptForSession,
        FileChangeApprovalDecision::Decline => Decision::Decline,
        FileChangeApprovalDecision::Cancel => Decision::Cancel,
    }
}

pub(crate) fn permissions_question(
    at: Asker,
    asked: PermissionsQuestion,
) -> PermissionsRequestApprovalParams {
    let PermissionsQuestion { item, reason, cwd, wanted } = asked;
    let Permissions { read, write, network } = wanted;
    let folders = |paths: Option<Vec<PathBuf>>| {
        paths.map(|paths| paths.iter().filter_map(|path| AbsolutePathBuf::new(path)).collect::<Vec<_>>())
    };
    let file_system = (read.is_some() || write.is_some()).then(|| AdditionalFileSystemPermissions {
        read: folders(read),
        write: folders(write),
        ..AdditionalFileSystemPermissions::default()
    });
    PermissionsRequestApprovalParams {
        thread_id: at.thread.to_string(),
        turn_id: at.turn,
        item_id: item,
        started_at_ms: Utc::now().timestamp_millis(),
        cwd: cwd.to_string_lossy().into_owned(),
        reason,
        permissions: RequestPermissionProfile {
            network: network.map(|enabled| AdditionalNetworkPermissions { enabled: Some(enabled) }),
            file_system,
        },
        ..PermissionsRequestApprovalParams::default()
    }
}

pub(crate) fn grant(answer: PermissionsRequestApprovalResponse) -> Grant {
    let folders = |paths: Option<Vec<AbsolutePathBuf>>| {
        paths.map(|paths| paths.into_iter().map(AbsolutePathBuf::into_path_buf).collect())
    };
    let (read, write) =
        answer.permissions.file_system.map_or((None, None), |files| (files.read, files.write));
    Grant {
        permissions: Permissions {
            read: folders(read),
            write: folders(write),
            network: answer.permissions.network.and_then(|network| network.enabled),
        },
        scope: match answer.scope {
            PermissionGrantScope::Turn => GrantScope::Turn,
            PermissionGrantScope::Session => GrantScope::Session,
        },
    }
}

pub(crate) fn user_input_question(at: Asker, asked: UserInputQuestion) -> ToolRequestUserInputParams {
    let read = |mut question: serde_json::Map<String, Value>| {
        question.insert("isOther".to_owned(), true.into());
        serde_json::from_value::<ToolRequestUserInputQuestion>(question.into()).ok()
    };
    ToolRequestUserInputParams {
        thread_id: at.thread.to_string(),
        turn_id: at.turn,
        item_id: asked.item,
        questions: asked.questions.into_iter().filter_map(read).collect(),
        is_blocking: true,
    }
}

pub(crate) fn client_call(at: Asker, asked: ClientCall) -> DynamicToolCallParams {
    let ClientCall { call, namespace, tool, arguments } = asked;
    DynamicToolCallParams {
        thread_id: at.thread.to_string(),
        turn_id: at.turn,
        call_id: call,
        namespace,
        tool,
        arguments,
    }
}

pub(crate) fn client_answer(answer: DynamicToolCallResponse) -> ClientAnswer {
    let DynamicToolCallResponse { content_items, success } = answer;
    let parts = content_items.iter().filter_map(|part| serde_json::to_value(part).ok()).collect();
    ClientAnswer { parts, success }
}

/// `None` for a form that the protocol has no words for.
pub(crate) fn elicitation(
    at: Asker,
    asked: ElicitationQuestion,
) -> Option<McpServerElicitationRequestParams> {
    let ElicitationQuestion { server, message, schema, meta } = asked;
    Some(McpServerElicitationRequestParams {
        thread_id: at.thread.to_string(),
        turn_id: Some(at.turn),
        server_name: server,
        request: McpServerElicitationRequestKind::Form {
            meta,
            message,
            requested_schema: serde_json::from_value(schema).ok()?,
        },
    })
}

pub(crate) fn elicited(answer: McpServerElicitationRequestResponse) -> Elicited {
    let McpServerElicitationRequestResponse { action, content, meta } = answer;
    match action {
        McpServerElicitationAction::Accept => Elicited::Accept { content, meta },
        McpServerElicitationAction::Decline => Elicited::Decline,
        McpServerElicitationAction::Cancel => Elicited::Cancel,
    }
}
