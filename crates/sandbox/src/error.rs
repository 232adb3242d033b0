//! Why a command is not run.

use std::error::Error;
use std::ffi::OsString;
use std::io;

/// Why a command is not run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The policy holds something back, and nothing on this machine can hold it.
    #[error("the command is not run, because no sandbox works on this system: {why_not}")]
    Unavailable {
        /// The mechanisms, and what each of them says.
        why_not: String,
    },
    /// The policy cannot be handed to the helper.
    #[error("cannot write down the policy (its paths must be UTF-8)")]
    Encode(#[source] serde_json::Error),
    /// The helper was not started by [`crate::Sandbox::plan`].
    #[error("cannot read the order for the sandbox")]
    Order(#[source] serde_json::Error),
    /// The helper's arguments are not `<order> -- argv`.
    #[error("usage: __confine <order> -- [program [argument ...]]")]
    Usage,
    /// The kernel did not do one of the steps.
    #[error("cannot {doing}")]
    Step {
        /// What the step was for.
        doing: String,
        /// What the kernel said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Landlock is there, but leaves too much open.
    #[error("Landlock version {found} is too old, version {needed} is needed")]
    LandlockTooOld {
        /// What the kernel has; 0 is none.
        found: i32,
        /// What guards all that must be guarded.
        needed: i32,
    },
    /// All steps were done, and yet something was possible.
    #[error("the sandbox does not hold: {0} was possible")]
    Leak(&'static str),
    /// The command itself cannot be run.
    #[error("cannot run {}", program.display())]
    Run {
        /// What was asked for.
        program: OsString,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is nothing for this system.
    #[error("there is a sandbox for Linux on x86-64, ARM64 and RISC-V only")]
    Unsupported,
}

impl SandboxError {
    /// Returns the message with all causes behind it, as a person reads it.
    pub fn report(&self) -> String {
        let causes = std::iter::successors(self.source(), |error: &&dyn Error| (*error).source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}

/// Says what was being done when something failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl Into<String>) -> Result<T, SandboxError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Into<String>) -> Result<T, SandboxError> {
        self.map_err(|error| SandboxError::Step { doing: what.into(), source: error.into() })
    }
}
