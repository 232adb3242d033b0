//! What servers may ask of us: to put a question to the person, and nothing else.

use std::sync::Arc;

use rmcp::{
    model::{
        ClientCapabilities, ClientConfig, ClientResult, CustomRequest, ElicitResult, ElicitationAction,
        ElicitationCapability, ErrorCode, ErrorData, Implementation, ProtocolVersion, ServerNotification,
        ServerRequest,
    },
    service::{NotificationContext, RequestContext, RoleClient, Service},
};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{Answer, Question, progress::Progress, server::Server};

/// Serves one connection of a server.
pub(crate) struct Handler {
    pub(crate) server: Arc<Server>,
    /// Cancelled when nobody is there to be answered. The connection is closed only when everything is answered, so
    /// what waits for a person would keep it, and everybody who waits for the server.
    pub(crate) gone: CancellationToken,
}

impl Service<RoleClient> for Handler {
    async fn handle_request(
        &self,
        request: ServerRequest,
        context: RequestContext<RoleClient>,
    ) -> Result<ClientResult, ErrorData> {
        let params = match request {
            ServerRequest::PingRequest(_) => return Ok(ClientResult::empty(())),
            ServerRequest::ElicitRequest(request) => serde_json::to_value(request.params).unwrap_or_default(),
            // A form that the protocol does not foresee, though a client may well show it.
            ServerRequest::CustomRequest(CustomRequest { method, params, .. })
                if method == "elicitation/create" =>
            {
                params.unwrap_or_default()
            }
            _ => return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "method not found", None)),
        };
        let answer = match self.question(params, context.meta.0.0)? {
            Some(question) => tokio::select! {
                answer = self.server.calls.ask(question, &context.ct) => answer,
                () = self.gone.cancelled() => Answer::Cancel,
            },
            None => Answer::Decline,
        };
        Ok(ClientResult::ElicitResult(result(answer)))
    }

    async fn handle_notification(
        &self,
        notification: ServerNotification,
        _: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        match notification {
            ServerNotification::ToolListChangedNotification(_) => self.server.tools_changed.notify_one(),
            // There is nobody to hear it where nothing is open.
            ServerNotification::ProgressNotification(note) => {
                drop(self.server.progress.send(Progress::of(note.params)));
            }
            _ => {}
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(ElicitationCapability::new());
        let client = Implementation::new("skein", env!("CARGO_PKG_VERSION"));
        // As published releases introduce themselves.
        ClientConfig::new(capabilities, client).with_protocol_version(ProtocolVersion::V_2025_06_18)
    }
}

impl Handler {
    /// Reads a question; `None` is one of a kind that we did not say we could answer.
    fn question(&self, params: Value, meta: Map<String, Value>) -> Result<Option<Question>, ErrorData> {
        if params.get("mode").is_some_and(|mode| mode != "form") {
            return Ok(None);
        }
        let message = params.get("message").and_then(Value::as_str);
        let schema = params.get("requestedSchema").filter(|schema| schema.is_object());
        let Some((message, schema)) = message.zip(schema) else {
            return Err(ErrorData::invalid_params("a message and a requestedSchema are needed", None));
        };
        Ok(Some(Question {
            server: self.server.name().to_owned(),
            message: message.to_owned(),
            requested_schema: schema.clone(),
            meta: Some(meta).filter(|meta| !meta.is_empty()),
        }))
    }
}

fn result(answer: Answer) -> ElicitResult {
    match answer {
        Answer::Accept { content } => {
            let mut result = ElicitResult::new(ElicitationAction::Accept);
            result.content = content;
            result
        }
        Answer::Decline => ElicitResult::new(ElicitationAction::Decline),
        Answer::Cancel => ElicitResult::new(ElicitationAction::Cancel),
    }
}
