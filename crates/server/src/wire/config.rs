//! What is wrong with the config, told to clients.

use config::ConfigError;
use jsonrpc::RpcError;
use protocol::{ConfigWarningNotification, ServerNotification, TextPosition, TextRange};
use tools::{Rules, with_causes};

use crate::error::invalid;

/// The warning that follows the handshake; until the file is mended the server runs on defaults.
pub(crate) fn config_warning(error: &ConfigError) -> ServerNotification {
    ServerNotification::ConfigWarning(ConfigWarningNotification {
        summary: "Invalid configuration; using defaults.".to_owned(),
        details: Some(error.to_string()),
        path: error.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        range: error.range.map(|range| TextRange { start: position(range.start), end: position(range.end) }),
    })
}

/// The warning about rules that are not understood, if there are any: of all of them, and where the first one is.
pub(crate) fn rules_warning(rules: &Rules) -> Option<ServerNotification> {
    let errors = rules.errors();
    let (path, line) = errors.first()?.place();
    let at = |line| TextPosition { line, column: 1 };
    let details: Vec<_> = errors.iter().map(|error| with_causes(error)).collect();
    Some(ServerNotification::ConfigWarning(ConfigWarningNotification {
        summary: "Invalid rules about commands; none that allows is in force.".to_owned(),
        details: Some(details.join("\n")),
        path: path.map(|path| path.to_string_lossy().into_owned()),
        range: line.map(|line| TextRange { start: at(line), end: at(line) }),
    }))
}

/// The answer to what cannot be done without a config.
pub(crate) fn config_error(error: &ConfigError) -> RpcError {
    invalid(format!("failed to load configuration: {error}"))
}

fn position(config::Position { line, column }: config::Position) -> TextPosition {
    TextPosition { line, column }
}
