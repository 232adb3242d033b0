//! One request and its answer, as plain JSON: servers send more than the protocol crate has types for, and what is
//! malformed in one tool must not cost the others.

use std::{future::pending, pin::pin, time::Duration};

use rmcp::{
    RoleClient,
    model::{ClientRequest, CustomRequest},
    service::{Peer, PeerRequestOptions},
};
use serde_json::{Map, Value, json};
use tokio::{sync::mpsc, time::timeout};

use crate::{MAX_MESSAGE, McpError, progress, server::Server};

/// How long it may take to tell a server that its answer is not wanted any more; one that does not read is not told.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// What to ask.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
    pub(crate) meta: Option<Map<String, Value>>,
    /// Where to say how far it is.
    pub(crate) progress: Option<mpsc::Sender<String>>,
}

impl Request {
    /// Makes a request for one page of a list.
    pub(crate) fn page(method: &'static str, cursor: Option<String>) -> Self {
        let params = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
        Self { method, params, meta: None, progress: None }
    }
}

impl Server {
    /// Sends a request and returns its answer, unless something ends it before; then the server is told.
    pub(crate) async fn request(
        &self,
        peer: &Peer<RoleClient>,
        request: Request,
        end: impl Future<Output = McpError>,
    ) -> Result<Value, McpError> {
        let Request { method, params, meta, progress } = request;
        let mut options = PeerRequestOptions::no_options();
        options.meta = meta.map(Into::into);
        let request = ClientRequest::CustomRequest(CustomRequest::new(method, Some(params)));
        let failed = |error| McpError::of_service(self.name(), error);
        let mut end = pin!(end);
        let mut too_long = pin!(self.too_long.notified());
        too_long.as_mut().enable();
        // From before it is sent, so that nothing is missed.
        let said = self.progress.subscribe();
        let mut sent = tokio::select! {
            sent = peer.send_request_with_option(request, options) => sent.map_err(failed)?,
            why = &mut end => return Err(why),
        };
        let token = sent.progress_token.clone();
        let hand_on = async {
            match &progress {
                Some(to) => progress::hand_on(said, &token, to).await,
                None => pending().await,
            }
        };
        let why = tokio::select! {
            never = hand_on => match never {},
            answer = &mut sent.rx => {
                let answer = answer.map_err(|_| McpError::Closed { server: self.name().to_owned() })?;
                return Ok(serde_json::to_value(answer.map_err(failed)?).unwrap_or_default());
            }
            why = end => why,
            () = too_long => McpError::TooLong { server: self.name().to_owned(), limit: MAX_MESSAGE },
        };
        let _ = timeout(CANCEL_GRACE, sent.cancel(Some(why.to_string()))).await;
        Err(why)
    }
}
