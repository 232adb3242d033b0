//! Says in words for people why the protocol crate did not get through.

use std::{error::Error, fmt::Write, io};

use rmcp::{
    service::ClientInitializeError,
    transport::{DynamicTransportError, streamable_http_client::StreamableHttpError},
};

/// Says why a server did not start.
pub(crate) fn of_start(error: ClientInitializeError) -> String {
    let login = error.is_authorization_required();
    match error {
        ClientInitializeError::TransportError { .. } if login => needs_login(),
        ClientInitializeError::TransportError { error, .. } => of_transport(error),
        ClientInitializeError::ConnectionClosed(_) => gone(),
        ClientInitializeError::JsonRpcError(error) => format!("it refused to start: {}", error.message),
        // The others print the whole answer.
        _ => "its answer to `initialize` cannot be understood".to_owned(),
    }
}

/// Says why a request did not get through.
pub(crate) fn of_transport(error: DynamicTransportError) -> String {
    match error.error.downcast::<StreamableHttpError<reqwest::Error>>() {
        Ok(error) => match *error {
            // The URL may hold a key.
            StreamableHttpError::Client(error) => causes(&error.without_url()),
            StreamableHttpError::AuthRequired(_) => needs_login(),
            // Without a challenge the status stands in the text only.
            StreamableHttpError::UnexpectedServerResponse(text) if text.starts_with("HTTP 401") => {
                needs_login()
            }
            error => causes(&error),
        },
        Err(error) => match error.downcast_ref::<io::Error>() {
            // Whether it is seen when writing or when reading is chance.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => gone(),
            _ => causes(error.as_ref()),
        },
    }
}

fn gone() -> String {
    "it closed the connection".to_owned()
}

fn needs_login() -> String {
    "it wants a login (HTTP 401); name the variable that holds a token in `bearer_token_env_var`".to_owned()
}

fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Writing to a string does not fail.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}
