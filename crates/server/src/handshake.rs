//! The handshake: who the client is, and who we are.

use std::{collections::HashSet, sync::Arc};

use jsonrpc::{RequestId, RpcError};
use protocol::{Initialize, InitializeResponse};
use serde_json::value::RawValue;

use crate::{
    PROTOCOL_RELEASE,
    connection::{Client, Connection},
    context::App,
    error, routes, wire,
};

pub(crate) const METHOD: &str = "initialize";

/// Answers `initialize`; what is wrong with the config and the rules follows the answer.
pub(crate) async fn serve(
    app: &App,
    connection: &Arc<Connection>,
    id: &RequestId,
    params: Option<&RawValue>,
) {
    let outcome = introduce(app, connection, params);
    let introduced = outcome.is_ok();
    connection.answer(id, outcome).await;
    if introduced {
        app.live.connect(connection);
        let config = app.options.config.load(&serde_json::Map::new());
        let about_config = config.err().map(|error| wire::config_warning(&error));
        let about_rules = wire::rules_warning(&app.workshop.load_rules());
        for warning in about_config.into_iter().chain(about_rules) {
            connection.notify(&warning).await;
        }
    }
}

fn introduce(
    app: &App,
    connection: &Connection,
    params: Option<&RawValue>,
) -> Result<InitializeResponse, RpcError> {
    let params = routes::decode::<Initialize>(params)?;
    if connection.client().is_some() {
        return Err(RpcError::invalid_request("Already initialized"));
    }
    let name = params.client_info.name;
    if !is_header_value(&name) {
        return Err(error::invalid(format!(
            "Invalid clientInfo.name: '{name}'. Must be a valid HTTP header value."
        )));
    }
    let capabilities = params.capabilities.unwrap_or_default();
    let version = params.client_info.version;
    let user_agent = user_agent(app, &name, &version);
    let unwanted: HashSet<_> = capabilities.opt_out_notification_methods.into_iter().flatten().collect();
    let experimental = capabilities.experimental_api.unwrap_or(false);
    connection.introduce(Client { name, version, experimental, unwanted });
    Ok(InitializeResponse {
        user_agent,
        codex_home: app.threads.home().root().to_string_lossy().into_owned(),
        platform_family: std::env::consts::FAMILY.to_owned(),
        platform_os: std::env::consts::OS.to_owned(),
    })
}

/// What is told to clients and to providers; clients take the version from behind the first slash.
pub(crate) fn user_agent(app: &App, name: &str, version: &str) -> String {
    let originator = app.options.originator.as_deref().unwrap_or(name);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!(
        "{originator}/{PROTOCOL_RELEASE} ({os}; {arch}) skein/{} ({name}; {version})",
        env!("CARGO_PKG_VERSION")
    )
}

/// The name goes into a header of the requests to the provider.
fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}
