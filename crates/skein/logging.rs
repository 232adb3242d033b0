//! Logging: to standard error, since standard output is the wire.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// Sets logging up by `RUST_LOG` (what is logged; warnings and errors by default) and `LOG_FORMAT=json`.
///
/// Quiet by default: a client that never reads our standard error must not stop us by that.
pub(crate) fn start(filter: Option<&str>, format: Option<&str>) {
    let filter = filter.map_or_else(|| EnvFilter::new("warn"), EnvFilter::new);
    let lines =
        fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A second start, as in tests, keeps the first one's settings.
    let _ = match format {
        Some("json") => lines.json().try_init().is_ok(),
        _ => lines.try_init().is_ok(),
    };
}
