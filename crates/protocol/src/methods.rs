//! The one list of the methods that are built: a name, what it takes, what it answers.
//!
//! The router, the schema export and the test client all go by it. A method that is not here but in
//! [`KNOWN_METHODS`](crate::KNOWN_METHODS) exists in a published release and is not built yet.

use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::*;

/// A method: a unit type that stands for its name, params and response.
pub trait Method: 'static {
    /// The name on the wire.
    const NAME: &'static str;
    /// Whether a request must have params.
    const PARAMS: ParamsRule;
    /// What a request takes.
    type Params: Serialize + DeserializeOwned + JsonSchema + TS + Send + 'static;
    /// What it is answered with.
    type Response: Serialize + DeserializeOwned + JsonSchema + TS + Send + 'static;
}

/// Whether a request must have params.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamsRule {
    /// An object, be it an empty one.
    Required,
    /// The method takes none: absent, `null` and `{}` are all right.
    None,
}

/// The params of a method that takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct NoParams {}

/// Sees the type of each method in turn.
pub trait MethodVisitor {
    /// Sees one method.
    fn visit<M: Method>(&mut self);
}

/// Declares the methods: a unit type, the name, what it takes and what it answers, in one line.
macro_rules! methods {
    ($($method:ident = $name:literal, $params:ident => $response:ident;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            #[derive(Clone, Copy, Debug)]
            pub struct $method;

            impl Method for $method {
                const NAME: &'static str = $name;
                const PARAMS: ParamsRule = methods!(@rule $params);
                type Params = $params;
                type Response = $response;
            }
        )*

        /// Shows every method that is built, in the order of the list.
        pub fn visit_methods(visitor: &mut impl MethodVisitor) {
            $(visitor.visit::<$method>();)*
        }
    };
    (@rule NoParams) => { ParamsRule::None };
    (@rule $params:ident) => { ParamsRule::Required };
}

methods! {
    Initialize = "initialize", InitializeParams => InitializeResponse;
    ThreadStart = "thread/start", ThreadStartParams => ThreadStartResponse;
    ThreadResume = "thread/resume", ThreadResumeParams => ThreadResumeResponse;
    ThreadFork = "thread/fork", ThreadForkParams => ThreadForkResponse;
    ThreadArchive = "thread/archive", ThreadArchiveParams => ThreadArchiveResponse;
    ThreadDelete = "thread/delete", ThreadDeleteParams => ThreadDeleteResponse;
    ThreadUnsubscribe = "thread/unsubscribe", ThreadUnsubscribeParams => ThreadUnsubscribeResponse;
    ThreadNameSet = "thread/name/set", ThreadSetNameParams => ThreadSetNameResponse;
    ThreadGoalSet = "thread/goal/set", ThreadGoalSetParams => ThreadGoalSetResponse;
    ThreadGoalGet = "thread/goal/get", ThreadGoalGetParams => ThreadGoalGetResponse;
    ThreadGoalClear = "thread/goal/clear", ThreadGoalClearParams => ThreadGoalClearResponse;
    ThreadMetadataUpdate = "thread/metadata/update", ThreadMetadataUpdateParams => ThreadMetadataUpdateResponse;
    ThreadAttachmentAdd = "thread/attachment/add", ThreadAttachmentAddParams => ThreadAttachmentAddResponse;
    ThreadAttachmentList = "thread/attachment/list", ThreadAttachmentListParams => ThreadAttachmentListResponse;
    ThreadAttachmentOwnerList = "thread/attachmentOwner/list", ThreadAttachmentOwnerListParams => ThreadAttachmentOwnerListResponse;
    ThreadAttachmentRemove = "thread/attachment/remove", ThreadAttachmentRemoveParams => ThreadAttachmentRemoveResponse;
    ThreadSectionMove = "thread/section/move", ThreadSectionMoveParams => ThreadSectionMoveResponse;
    ThreadUnarchive = "thread/unarchive", ThreadUnarchiveParams => ThreadUnarchiveResponse;
    ThreadBackgroundTerminalsClean = "thread/backgroundTerminals/clean", ThreadBackgroundTerminalsCleanParams => ThreadBackgroundTerminalsCleanResponse;
    ThreadBackgroundTerminalsList = "thread/backgroundTerminals/list", ThreadBackgroundTerminalsListParams => ThreadBackgroundTerminalsListResponse;
    ThreadBackgroundTerminalsTerminate = "thread/backgroundTerminals/terminate", ThreadBackgroundTerminalsTerminateParams => ThreadBackgroundTerminalsTerminateResponse;
    ThreadCompactStart = "thread/compact/start", ThreadCompactStartParams => ThreadCompactStartResponse;
    ThreadShellCommand = "thread/shellCommand", ThreadShellCommandParams => ThreadShellCommandResponse;
    ThreadRollback = "thread/rollback", ThreadRollbackParams => ThreadRollbackResponse;
    ThreadRevert = "thread/revert", ThreadRevertParams => ThreadRevertResponse;
    ThreadList = "thread/list", ThreadListParams => ThreadListResponse;
    ThreadSectionList = "threadSection/list", ThreadSectionListParams => ThreadSectionListResponse;
    ThreadSectionCreate = "threadSection/create", ThreadSectionCreateParams => ThreadSectionCreateResponse;
    ThreadSectionUpdate = "threadSection/update", ThreadSectionUpdateParams => ThreadSectionUpdateResponse;
    ThreadSectionDelete = "threadSection/delete", ThreadSectionDeleteParams => ThreadSectionDeleteResponse;
    ThreadLoadedList = "thread/loaded/list", ThreadLoadedListParams => ThreadLoadedListResponse;
    ThreadRead = "thread/read", ThreadReadParams => ThreadReadResponse;
    ThreadTurnsList = "thread/turns/list", ThreadTurnsListParams => ThreadTurnsListResponse;
    ThreadItemsList = "thread/items/list", ThreadItemsListParams => ThreadItemsListResponse;
    ThreadInjectItems = "thread/inject_items", ThreadInjectItemsParams => ThreadInjectItemsResponse;
    FsReadFile = "fs/readFile", FsReadFileParams => FsReadFileResponse;
    FsGetMetadata = "fs/getMetadata", FsGetMetadataParams => FsGetMetadataResponse;
    TurnStart = "turn/start", TurnStartParams => TurnStartResponse;
    TurnSteer = "turn/steer", TurnSteerParams => TurnSteerResponse;
    TurnInterrupt = "turn/interrupt", TurnInterruptParams => TurnInterruptResponse;
    ReviewStart = "review/start", ReviewStartParams => ReviewStartResponse;
    McpServerReload = "config/mcpServer/reload", NoParams => McpServerRefreshResponse;
    McpServerStatusList = "mcpServerStatus/list", ListMcpServerStatusParams => ListMcpServerStatusResponse;
    McpServerResourceRead = "mcpServer/resource/read", McpResourceReadParams => McpResourceReadResponse;
    McpServerToolCall = "mcpServer/tool/call", McpServerToolCallParams => McpServerToolCallResponse;
    ConfigRequirementsRead = "configRequirements/read", NoParams => ConfigRequirementsReadResponse;
}

/// Reads the params of a request.
pub fn decode_params<M: Method>(params: Option<&RawValue>) -> Result<M::Params, InvalidRequest> {
    let text = match (M::PARAMS, params.map(RawValue::get)) {
        (ParamsRule::Required, None) => return Err(InvalidRequest::new("missing field `params`")),
        (ParamsRule::None, None | Some("null")) => "{}",
        (_, Some(text)) => text,
    };
    decode_object(text)
}

/// Reads an object. Derived structs also take an array of their fields, which is no part of the protocol.
pub(crate) fn decode_object<T: DeserializeOwned>(text: &str) -> Result<T, InvalidRequest> {
    if text.starts_with('[') {
        return Err(InvalidRequest::new("invalid type: sequence, expected a map"));
    }
    Ok(serde_json::from_str(text)?)
}

/// A request that does not fit its type; the text is that of the published server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRequest {
    reason: String,
}

impl InvalidRequest {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// The refusal of a method that neither release knows; it names all that are known.
    pub fn unknown_method(name: &str) -> Self {
        let known: Vec<_> = KNOWN_METHODS.iter().map(|method| format!("`{}`", method.name)).collect();
        Self::new(format!("unknown variant `{name}`, expected one of {}", known.join(", ")))
    }
}

impl From<serde_json::Error> for InvalidRequest {
    /// Keeps what is wrong and drops where: lines and columns of a message mean nothing to who sent it.
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        Self::new(text.strip_suffix(&place).unwrap_or(&text))
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid request: {}", self.reason)
    }
}

impl std::error::Error for InvalidRequest {}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn refusal<M: Method>(params: Option<&str>) -> Option<String> {
        let params = params.map(|text| RawValue::from_string(text.to_owned()).unwrap());
        decode_params::<M>(params.as_deref()).err().map(|refusal| refusal.to_string())
    }

    #[test]
    fn every_method_is_known() {
        struct IsKnown;
        impl MethodVisitor for IsKnown {
            fn visit<M: Method>(&mut self) {
                assert!(known_method(M::NAME).is_some(), "{}", M::NAME);
            }
        }
        visit_methods(&mut IsKnown);
    }

    #[test]
    fn a_request_that_does_not_fit_is_refused_in_the_words_of_the_published_server() {
        for (params, text) in [
            (None, "missing field `params`"),
            (Some("{}"), "missing field `threadId`"),
            (Some("null"), "invalid type: null, expected struct ThreadRollbackParams"),
            (Some(r#"["t",1]"#), "invalid type: sequence, expected a map"),
            (Some(r#"{"threadId":5}"#), "invalid type: integer `5`, expected a string"),
            (Some(r#"{"threadId":"t"}"#), "missing field `numTurns`"),
            (Some(r#"{"threadId":"t","numTurns":-1}"#), "invalid value: integer `-1`, expected u32"),
            (
                Some(r#"{"threadId":"t","numTurns":4294967296}"#),
                "invalid value: integer `4294967296`, expected u32",
            ),
            (Some(r#"{"threadId":"t","numTurns":1.5}"#), "invalid type: floating point `1.5`, expected u32"),
            (Some(r#"{"threadId":"t","numTurns":"2"}"#), r#"invalid type: string "2", expected u32"#),
        ] {
            assert_eq!(
                refusal::<ThreadRollback>(params),
                Some(format!("Invalid request: {text}")),
                "{params:?}"
            );
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        let of_start = refusal::<ThreadStart>;
        let of_list = refusal::<ThreadList>;
        let of_turn = refusal::<TurnStart>;
        for (of, params, text) in [
            (
                of_start as fn(Option<&str>) -> _,
                r#"{"cwd":5}"#,
                "invalid type: integer `5`, expected a string",
            ),
            (of_start, r#"{"config":[]}"#, "invalid type: sequence, expected a map"),
            (of_start, r#"{"ephemeral":"x"}"#, r#"invalid type: string "x", expected a boolean"#),
            (
                of_start,
                r#"{"sandbox":"x"}"#,
                "unknown variant `x`, expected one of `read-only`, `workspace-write`, `danger-full-access`",
            ),
            (
                of_start,
                r#"{"approvalPolicy":"x"}"#,
                "unknown variant `x`, expected one of `untrusted`, `on-failure`, `on-request`, `granular`, `never`",
            ),
            (of_list, r#"{"limit":-1}"#, "invalid value: integer `-1`, expected u32"),
            (of_list, r#"{"cwd":5}"#, "data did not match any variant of untagged enum ThreadListCwdFilter"),
            (of_turn, r#"{"threadId":"t"}"#, "missing field `input`"),
            (of_turn, r#"{"threadId":"t","input":[{}]}"#, "missing field `type`"),
            (of_turn, r#"{"threadId":"t","input":[{"type":"text"}]}"#, "missing field `text`"),
            (
                of_turn,
                r#"{"threadId":"t","input":[{"type":"x"}]}"#,
                "unknown variant `x`, expected one of `text`, `image`, `localImage`, `skill`, `mention`",
            ),
            (of_turn, r#"{"threadId":"t","input":[],"effort":""}"#, "reasoning_effort must not be empty"),
            (
                of_turn,
                r#"{"threadId":"t","input":[],"effort":5}"#,
                "invalid type: integer `5`, expected a string",
            ),
        ] {
            assert_eq!(of(Some(params)), Some(format!("Invalid request: {text}")), "{params}");
        }
    }

    #[test]
    fn unknown_fields_are_ignored_and_null_is_absent() {
        for params in [r#"{"threadId":"t","fromTheFuture":{}}"#, r#"{"threadId":"t","includeTurns":null}"#] {
            assert_eq!(refusal::<ThreadRead>(Some(params)), None, "{params}");
        }
        let all_null = r#"{"model":null,"config":null,"sandbox":null,"serviceTier":null,"ephemeral":null}"#;
        assert_eq!(refusal::<ThreadStart>(Some(all_null)), None);
    }

    #[test]
    fn a_method_without_params_takes_none_null_or_an_empty_object() {
        for params in [None, Some("null"), Some("{}")] {
            assert_eq!(refusal::<ConfigRequirementsRead>(params), None, "{params:?}");
        }
        let refused = Some("Invalid request: invalid type: sequence, expected a map".to_owned());
        assert_eq!(refusal::<ConfigRequirementsRead>(Some("[]")), refused);
    }

    #[test]
    fn an_unknown_method_is_told_all_that_are_known() {
        let text = InvalidRequest::unknown_method("no/such").to_string();
        let opening = "Invalid request: unknown variant `no/such`, expected one of `initialize`, ";
        assert!(text.starts_with(opening), "{text}");
        assert!(text.contains("`thread/rollback`") && text.contains("`thread/revert`"), "{text}");
    }
}
