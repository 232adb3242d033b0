//! What our own program becomes when it is started again as the helper: it confines itself, then becomes the command.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
mod linux;

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
mod linux {
    //! Every other system: nothing is confined, so nothing is run.

    use std::convert::Infallible;
    use std::ffi::OsString;

    use crate::error::SandboxError;
    use crate::order::Order;

    pub(super) fn run(_: Order, _: &[OsString]) -> Result<Infallible, SandboxError> {
        Err(SandboxError::Unsupported)
    }

    pub(super) fn check(_: Order) -> Result<(), SandboxError> {
        Err(SandboxError::Unsupported)
    }
}

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::error::SandboxError;
use crate::order::Order;

/// The first argument of the helper; what follows is for [`main`].
pub const ARGUMENT: &str = "__confine";

/// The exit codes of a launch that came to nothing, as `env` and `nice` have them.
const NOT_CONFINED: u8 = 125;
const NOT_RUNNABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Confines this process as the order says and becomes the command; returns only when that fails.
///
/// `args` is what follows [`ARGUMENT`]: the order, `--`, and the command. Without a command the sandbox is tried from
/// inside, and what was found is printed. The process must have one thread only, and nothing to lose: descriptors
/// above the standard streams are closed.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match run(args.into_iter().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told if stderr is gone too.
            let _ = writeln!(io::stderr(), "sandbox: {}", error.report());
            ExitCode::from(match error {
                SandboxError::Run { source, .. } if source.kind() == io::ErrorKind::NotFound => NOT_FOUND,
                SandboxError::Run { .. } => NOT_RUNNABLE,
                _ => NOT_CONFINED,
            })
        }
    }
}

fn run(args: Vec<OsString>) -> Result<(), SandboxError> {
    let [order, separator, argv @ ..] = &args[..] else { return Err(SandboxError::Usage) };
    if separator != "--" {
        return Err(SandboxError::Usage);
    }
    let order: Order = serde_json::from_slice(order.as_encoded_bytes()).map_err(SandboxError::Order)?;
    if argv.is_empty() { linux::check(order) } else { match linux::run(order, argv)? {} }
}
