//! Starting a command: its supervisor, what that is passed, and what it answers.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use tokio::time::timeout;

use super::link::Link;
use crate::exec::{
    ExecError, Launch, Supervisor,
    handoff::Handoff,
    report::{Report, Step},
    request,
    streams::Streams,
};

/// How long three small programs may take to start. They take milliseconds; machines get busy.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// A command that runs: the line to its owners, its number, and what it is spoken to through.
pub(in crate::exec) struct Started {
    pub(in crate::exec) link: Link,
    pub(in crate::exec) pid: u32,
    pub(in crate::exec) streams: Streams,
}

impl Started {
    /// Starts a command and returns when it runs, or why it does not.
    pub(in crate::exec) async fn new(supervisor: &Supervisor, launch: &Launch) -> Result<Self, ExecError> {
        let silent = || ExecError::Silent { program: launch.program(), after: START_DEADLINE };
        timeout(START_DEADLINE, start(supervisor, launch)).await.unwrap_or_else(|_| Err(silent()))
    }
}

async fn start(supervisor: &Supervisor, launch: &Launch) -> Result<Started, ExecError> {
    if launch.argv.is_empty() {
        return Err(ExecError::NoCommand);
    }
    let bytes = request::encode(launch)?;
    let (streams, files) = Streams::open(launch.stdio)
        .map_err(|source| ExecError::Streams { program: launch.program(), source })?;
    let failed = |source| ExecError::Supervisor { program: supervisor.program.clone(), source };
    let mut link = Link::open(supervisor).map_err(failed)?;
    match link.begin(Handoff { files, bytes }).await.map_err(failed)? {
        Some(Report::Started(pid)) => Ok(Started { link, pid: pid.unsigned_abs(), streams }),
        Some(Report::Failed(step, errno)) => Err(refusal(launch, supervisor, step, errno)),
        Some(Report::Ended(_)) | None => Err(failed(ErrorKind::InvalidData.into())),
    }
}

fn refusal(launch: &Launch, supervisor: &Supervisor, step: Step, errno: i32) -> ExecError {
    let source = io::Error::from_raw_os_error(errno);
    match step {
        Step::Process => ExecError::Supervisor { program: supervisor.program.clone(), source },
        Step::Folder => ExecError::Folder { cwd: launch.cwd.clone(), source },
        Step::Program => ExecError::Program { program: launch.program(), source },
    }
}
