//! The process that becomes the command.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    process::Command,
};

use rustix::process::{Pid, Signal, ioctl_tiocsctty, setsid};

use super::{die_with, socket};
use crate::exec::{
    handoff::Handoff,
    report::{Report, Step},
    request::{self, Request, Terminal},
};

/// Takes what is to be run from the standard input, and becomes it.
///
/// Returns only when that failed, which the other side of the socket is told. Else the socket closes as the program
/// starts.
pub(super) fn run(parent: Pid) -> io::Result<()> {
    die_with(parent, Signal::KILL)?;
    let mut socket = socket()?;
    let handoff = Handoff::receive(&socket)?;
    let (step, error) = replace(handoff);
    let failed = Report::Failed(step, error.raw_os_error().unwrap_or_default());
    socket.write_all(&failed.encode())
}

/// Runs the command in place of this process, and returns the step that failed, and why.
fn replace(Handoff { files: [stdin, stdout, stderr], bytes }: Handoff) -> (Step, io::Error) {
    let Some(Request { terminal, cwd, argv, env }) = request::decode(&bytes) else {
        return (Step::Process, io::ErrorKind::InvalidData.into());
    };
    let [program, arguments @ ..] = argv.as_slice() else {
        return (Step::Program, io::ErrorKind::NotFound.into());
    };
    // A session of its own, hence a group of its own. What is typed as Ctrl-C reaches it and nothing above it.
    let session = setsid().and_then(|_| match terminal {
        Terminal::Own => ioctl_tiocsctty(&stdin),
        Terminal::None => Ok(()),
    });
    if let Err(error) = session {
        return (Step::Process, error.into());
    }
    if let Err(error) = std::env::set_current_dir(cwd) {
        return (Step::Folder, error);
    }
    // This also puts signals back to what they are for a new program.
    let error = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(env)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr)
        .exec();
    (Step::Program, error)
}
