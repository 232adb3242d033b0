//! From a request to its answer: exactly one, whatever happens in between.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use jsonrpc::{RequestId, RpcError};
use serde_json::value::RawValue;

use crate::{
    connection::Connection,
    context::{App, Context},
    lanes::Lanes,
    routes::{self, Call},
};

/// Gives a request its lane, or answers why it has none.
pub(crate) async fn request(
    app: &Arc<App>,
    connection: &Arc<Connection>,
    lanes: &Lanes,
    id: RequestId,
    method: &str,
    params: Option<&RawValue>,
) {
    let call = match admit(connection, method, params) {
        Ok(call) => call,
        Err(error) => return connection.answer::<()>(&id, Err(error)).await,
    };
    let Call { lane, run } = call;
    let context = Context::new(Arc::clone(app), Arc::clone(connection));
    let refused = (Arc::clone(connection), id.clone());
    let job = async move {
        let outcome = AssertUnwindSafe(run(context.clone())).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| {
            Err(RpcError::internal("the server failed inside this request; nothing else is affected"))
        });
        context.connection.answer(&id, outcome).await;
        context.follow_up().await;
    };
    if lanes.run(lane, job.boxed()).is_err() {
        let (connection, id) = refused;
        connection.answer::<()>(&id, Err(RpcError::overloaded())).await;
    }
}

/// Decides whether a request is served at all, and decodes its params.
fn admit(connection: &Connection, method: &str, params: Option<&RawValue>) -> Result<Call, RpcError> {
    let known = routes::known(method)?;
    let client = connection.client().ok_or_else(|| RpcError::invalid_request("Not initialized"))?;
    if !client.experimental {
        known.check_stable(params).map_err(|refusal| RpcError::invalid_request(refusal.to_string()))?;
    }
    routes::find(method)?.decode(params)
}
