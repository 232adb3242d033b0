//! The one list of what the server asks of clients: a name, what it tells them, what they answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::methods::decode_object;
use crate::*;

/// What the server asks of a client: a unit type that stands for its name, params and response.
pub trait ServerMethod: 'static {
    /// The name on the wire.
    const NAME: &'static str;
    /// The params that are experimental; they go to all clients, and only the schema is silent about them.
    const EXPERIMENTAL_FIELDS: &'static [&'static str];
    /// What the client is told.
    type Params: Serialize + DeserializeOwned + JsonSchema + TS + Send + 'static;
    /// What the client answers.
    type Response: Serialize + DeserializeOwned + JsonSchema + TS + Send + 'static;
}

/// Sees the type of each request of the server in turn.
pub trait ServerMethodVisitor {
    /// Sees one request.
    fn visit<M: ServerMethod>(&mut self);
}

/// Declares the requests: a unit type, the name, what it tells and what it is answered, in one line; then, where there
/// are any, the experimental params.
macro_rules! server_methods {
    ($($method:ident = $name:literal, $params:ident => $response:ident $(, experimental $fields:tt)?;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            #[derive(Clone, Copy, Debug)]
            pub struct $method;

            impl ServerMethod for $method {
                const NAME: &'static str = $name;
                const EXPERIMENTAL_FIELDS: &'static [&'static str] = server_methods!(@fields $($fields)?);
                type Params = $params;
                type Response = $response;
            }
        )*

        /// Shows every request of the server, in the order of the list.
        pub fn visit_server_methods(visitor: &mut impl ServerMethodVisitor) {
            $(visitor.visit::<$method>();)*
        }
    };
    (@fields) => { &[] };
    (@fields $fields:tt) => { &$fields };
}

server_methods! {
    CommandExecutionRequestApproval = "item/commandExecution/requestApproval", CommandExecutionRequestApprovalParams => CommandExecutionRequestApprovalResponse,
        experimental ["additionalPermissions", "availableDecisions"];
    FileChangeRequestApproval = "item/fileChange/requestApproval", FileChangeRequestApprovalParams => FileChangeRequestApprovalResponse;
    PermissionsRequestApproval = "item/permissions/requestApproval", PermissionsRequestApprovalParams => PermissionsRequestApprovalResponse;
    ToolRequestUserInput = "item/tool/requestUserInput", ToolRequestUserInputParams => ToolRequestUserInputResponse;
    DynamicToolCall = "item/tool/call", DynamicToolCallParams => DynamicToolCallResponse;
    McpServerElicitationRequest = "mcpServer/elicitation/request", McpServerElicitationRequestParams => McpServerElicitationRequestResponse;
}

/// Reads what a client answered. What does not fit is no answer: whoever asked takes it as a refusal.
pub fn decode_answer<M: ServerMethod>(result: &RawValue) -> Result<M::Response, InvalidRequest> {
    decode_object(result.get())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::CommandExecutionApprovalDecision as Decision;

    fn decided(answer: &str) -> Option<Decision> {
        let answer = RawValue::from_string(answer.to_owned()).unwrap();
        let read = decode_answer::<CommandExecutionRequestApproval>(&answer);
        read.ok().map(|response| response.decision)
    }

    #[test]
    fn every_published_decision_is_understood() {
        let words = || vec!["touch".to_owned(), "made".to_owned()];
        let rule = || NetworkPolicyAmendment { host: "h".to_owned(), action: NetworkPolicyRuleAction::Deny };
        for (decision, meant) in [
            (r#""accept""#, Decision::Accept),
            (r#""acceptForSession""#, Decision::AcceptForSession),
            (
                r#"{"acceptWithExecpolicyAmendment":{"execpolicy_amendment":["touch","made"]}}"#,
                Decision::AcceptWithExecpolicyAmendment { execpolicy_amendment: words() },
            ),
            (
                r#"{"applyNetworkPolicyAmendment":{"network_policy_amendment":{"host":"h","action":"deny"}}}"#,
                Decision::ApplyNetworkPolicyAmendment { network_policy_amendment: rule() },
            ),
            (r#""decline""#, Decision::Decline),
            (r#""cancel""#, Decision::Cancel),
        ] {
            assert_eq!(decided(&format!(r#"{{"decision":{decision},"more":1}}"#)), Some(meant));
        }
    }

    #[test]
    fn what_is_no_published_decision_is_no_answer() {
        for answer in [
            "null",
            "{}",
            r#""accept""#,
            r#"["accept"]"#,
            r#"{"decision":null}"#,
            r#"{"decision":"allow"}"#,
            r#"{"decision":"Accept"}"#,
            r#"{"decision":{"accept":{}}}"#,
            r#"{"decision":"acceptWithExecpolicyAmendment"}"#,
            r#"{"decision":{"acceptWithExecpolicyAmendment":{}}}"#,
        ] {
            assert_eq!(decided(answer), None, "{answer}");
        }
    }

    #[test]
    fn permissions_are_granted_for_the_turn_unless_more_is_said() {
        let answer = RawValue::from_string(r#"{"permissions":{}}"#.to_owned()).unwrap();
        let read = decode_answer::<PermissionsRequestApproval>(&answer).unwrap();
        assert_eq!(read, PermissionsRequestApprovalResponse::default());
        assert_eq!(read.scope, PermissionGrantScope::Turn);
    }
}
