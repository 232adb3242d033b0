//! Questions of tools, put to clients in the words of the protocol.

use protocol::{
    CommandExecutionRequestApproval, DynamicToolCall, FileChangeRequestApproval, McpServerElicitationRequest,
    PermissionsRequestApproval, ServerMethod, ToolRequestUserInput,
};
use threads::ThreadId;
use tokio_util::sync::CancellationToken;
use tools::{Question, Reply};

use super::{Live, questions::Answer};
use crate::wire;

impl Live {
    /// Puts a question, and hands the answer over; returns when it is answered, refused or taken back.
    pub(super) async fn put(&self, thread: ThreadId, turn: String, question: Question) {
        let at = wire::Asker { thread, turn };
        match question {
            Question::Command(asked, reply) => {
                let params = wire::command_question(at, asked);
                self.hand::<CommandExecutionRequestApproval, _>(thread, params, reply, |answer| {
                    Some(wire::command_decision(answer))
                })
                .await;
            }
            Question::Patch(asked, reply) => {
                let params = wire::patch_question(at, asked);
                self.hand::<FileChangeRequestApproval, _>(thread, params, reply, |answer| {
                    Some(wire::patch_decision(answer))
                })
                .await;
            }
            Question::Permissions(asked, reply) => {
                let params = wire::permissions_question(at, asked);
                self.hand::<PermissionsRequestApproval, _>(thread, params, reply, |answer| {
                    Some(wire::grant(answer))
                })
                .await;
            }
            Question::UserInput(asked, reply) => {
                let params = wire::user_input_question(at, asked);
                self.hand::<ToolRequestUserInput, _>(thread, params, reply, |answer| {
                    serde_json::to_value(answer).ok()
                })
                .await;
            }
            Question::Tool(asked, reply) => {
                let params = wire::client_call(at, asked);
                self.hand::<DynamicToolCall, _>(thread, params, reply, |answer| {
                    Some(wire::client_answer(answer))
                })
                .await;
            }
            Question::Elicitation(asked, reply) => {
                // A form that the protocol has no words for is nothing that a client could show.
                let Some(params) = wire::elicitation(at, asked) else { return };
                self.hand::<McpServerElicitationRequest, _>(thread, params, reply, |answer| {
                    Some(wire::elicited(answer))
                })
                .await;
            }
        }
    }

    /// Asks, and hands over what was answered; what was not is dropped, which its asker takes as a refusal.
    async fn hand<M: ServerMethod, T>(
        &self,
        thread: ThreadId,
        params: M::Params,
        reply: Reply<T>,
        read: impl FnOnce(M::Response) -> Option<T>,
    ) {
        let never = CancellationToken::new();
        match self.ask::<M>(thread, &params, &never).await {
            Answer::Given(response) => {
                if let Some(told) = read(response) {
                    drop(reply.send(told));
                }
            }
            Answer::Refused(error) => {
                tracing::debug!(%thread, message = error.message, "a question was refused")
            }
            Answer::Withdrawn => {}
        }
    }
}
