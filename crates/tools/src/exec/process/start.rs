//! Starting a command: its supervisor, what that is passed, and what it answers.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    os::{fd::OwnedFd, unix::net::UnixStream as Socket},
    process,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::UnixStream,
    process::{Child, Command},
    time::timeout,
};

use super::{Handle, Life, Process};
use crate::exec::{
    ExecError, Launch, Supervisor,
    handoff::Handoff,
    report::{LENGTH, Report, Step},
    request,
    streams::Streams,
    supervisor::NAME,
};

/// How long three small programs may take to start. They take milliseconds; machines get busy.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// How much is read at once: what a pipe holds.
const BUFFER: usize = 64 * 1024;

impl Process {
    /// Starts a command and returns when it runs, or why it does not.
    pub async fn start(supervisor: &Supervisor, launch: &Launch) -> Result<Self, ExecError> {
        let silent = || ExecError::Silent { program: launch.program(), after: START_DEADLINE };
        timeout(START_DEADLINE, start(supervisor, launch)).await.unwrap_or_else(|_| Err(silent()))
    }
}

async fn start(supervisor: &Supervisor, launch: &Launch) -> Result<Process, ExecError> {
    if launch.argv.is_empty() {
        return Err(ExecError::NoCommand);
    }
    let bytes = request::encode(launch)?;
    let (streams, files) = Streams::open(launch.stdio)
        .map_err(|source| ExecError::Streams { program: launch.program(), source })?;
    let failed = |source| ExecError::Supervisor { program: supervisor.program.clone(), source };
    let (backstop, mut socket) = backstop(supervisor).map_err(failed)?;
    let sent = send(&mut socket, Handoff { files, bytes }).await;
    let mut answer = [0; LENGTH];
    // A supervisor that could not take what was sent may have said why.
    let report = match socket.read_exact(&mut answer).await {
        Ok(_) => Report::decode(answer),
        Err(error) => return Err(failed(sent.err().unwrap_or(error))),
    };
    let pid = match report {
        Some(Report::Started(pid)) => pid.unsigned_abs(),
        Some(Report::Failed(step, errno)) => return Err(refusal(launch, supervisor, step, errno)),
        Some(Report::Ended(_)) | None => return Err(failed(ErrorKind::InvalidData.into())),
    };
    let (handle, typed, wishes) = Handle::new(pid, launch.stdio);
    let Streams { input, output, error_output } = streams;
    Ok(Process {
        backstop,
        supervisor: socket,
        reports: Vec::new(),
        supervised: true,
        input,
        unwritten: VecDeque::new(),
        output: Some(output),
        error_output,
        buffer: vec![0; BUFFER].into(),
        typed,
        wishes,
        handle,
        life: Life::Running,
    })
}

/// Starts the outermost process, which starts the others.
fn backstop(Supervisor { program, args }: &Supervisor) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = Socket::pair()?;
    ours.set_nonblocking(true)?;
    let child = Command::new(program)
        .arg0(NAME)
        .args(args)
        // The command's environment is none of its business, nor is ours.
        .env_clear()
        .stdin(OwnedFd::from(theirs))
        .stdout(process::Stdio::null())
        // What is typed as Ctrl-C where the server runs is for the server.
        .process_group(0)
        .spawn()?;
    Ok((child, UnixStream::from_std(ours)?))
}

async fn send(socket: &mut UnixStream, handoff: Handoff) -> io::Result<()> {
    socket.async_io(Interest::WRITABLE, || handoff.send_files(&*socket)).await?;
    socket.write_all(&handoff.bytes).await
}

fn refusal(launch: &Launch, supervisor: &Supervisor, step: Step, errno: i32) -> ExecError {
    let source = io::Error::from_raw_os_error(errno);
    match step {
        Step::Process => ExecError::Supervisor { program: supervisor.program.clone(), source },
        Step::Folder => ExecError::Folder { cwd: launch.cwd.clone(), source },
        Step::Program => ExecError::Program { program: launch.program(), source },
    }
}
