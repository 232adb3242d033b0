//! What the helper does instead of a command when it is only to find out whether the sandbox works here.

use std::fs::File;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::unix::fs::OpenOptionsExt;

use nix::unistd::alarm;

use crate::error::{Doing, SandboxError};
use crate::order::Report;

/// How many seconds a trial may take: a launch takes milliseconds, on a machine under load some hundreds.
const DEADLINE: u32 = 5;

/// Has the kernel end this process, and what it becomes, if the trial does not come to an end.
pub(super) fn set_deadline() {
    alarm::set(DEADLINE);
}

/// Tries what nobody may do under the strictest policy, then prints the report.
pub(super) fn run(report: &Report) -> Result<(), SandboxError> {
    if UdpSocket::bind("127.0.0.1:0").is_ok() {
        return Err(SandboxError::Leak("a socket"));
    }
    // A file without a name: should it be made, it is gone again at once.
    if File::options().write(true).custom_flags(libc::O_TMPFILE).open("/").is_ok() {
        return Err(SandboxError::Leak("a new file in /"));
    }
    serde_json::to_writer(io::stdout(), report)
        .map_err(io::Error::from)
        .and_then(|()| io::stdout().flush())
        .doing("print the report")
}
