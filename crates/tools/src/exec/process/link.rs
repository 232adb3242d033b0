//! The line to the processes that own a command: what they report, and what they are told.
//!
//! Dropping it closes the line, and everything that the command started is killed.

use std::{
    io,
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

use super::is_passing;
use crate::exec::{
    Exit, Supervisor,
    handoff::Handoff,
    report::{LENGTH, Report},
    supervisor::{NAME, TERMINATE},
};

/// How long the backstop's own end is waited for once its socket is closed: it has nothing left to do.
const REAP_DEADLINE: Duration = Duration::from_secs(5);

/// The line to the owners of one command.
pub(in crate::exec) struct Link {
    backstop: Child,
    socket: UnixStream,
    /// What was told and nobody has looked at yet.
    reports: Vec<u8>,
    /// Whether the supervisor is there, and with it anything of the command.
    open: bool,
    /// Whether the end of the command was told.
    ended: bool,
}

impl Link {
    /// Starts the outermost of the owners, which starts the others.
    pub(super) fn open(Supervisor { program, args }: &Supervisor) -> io::Result<Self> {
        let (ours, theirs) = Socket::pair()?;
        ours.set_nonblocking(true)?;
        let backstop = Command::new(program)
            .arg0(NAME)
            .args(args)
            // The command's environment is none of its business, nor is ours.
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(process::Stdio::null())
            // What is typed as Ctrl-C where the server runs is for the server.
            .process_group(0)
            .spawn()?;
        let socket = UnixStream::from_std(ours)?;
        Ok(Self { backstop, socket, reports: Vec::new(), open: true, ended: false })
    }

    /// Passes the command, and returns the first report on it.
    pub(super) async fn begin(&mut self, handoff: Handoff) -> io::Result<Option<Report>> {
        let sent = self.send(handoff).await;
        let mut answer = [0; LENGTH];
        match self.socket.read_exact(&mut answer).await {
            Ok(_) => Ok(Report::decode(answer)),
            // A supervisor that could not take what was sent may have said why.
            Err(error) => Err(sent.err().unwrap_or(error)),
        }
    }

    async fn send(&mut self, handoff: Handoff) -> io::Result<()> {
        let Self { socket, .. } = self;
        socket.async_io(Interest::WRITABLE, || handoff.send_files(&*socket)).await?;
        socket.write_all(&handoff.bytes).await
    }

    /// Returns whether anything of the command may be left.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Waits until there is something to hear.
    pub(super) async fn readable(&self) {
        // What is wrong is found by who hears.
        let _ = self.socket.readable().await;
    }

    /// Takes what is told, without waiting; returns how the command ended, once.
    pub(super) fn hear(&mut self) -> Option<Exit> {
        let mut bytes = [0; 4 * LENGTH];
        match self.socket.try_read(&mut bytes) {
            Ok(0) => self.open = false,
            Ok(length) => self.reports.extend_from_slice(&bytes[..length]),
            Err(error) if is_passing(&error) => {}
            Err(_) => self.open = false,
        }
        let mut exit = None;
        while let Some(report) = self.report() {
            if let Report::Ended(told) = report {
                exit = Some(told);
            }
        }
        if !self.open && !self.ended {
            exit = exit.or(Some(Exit::LOST));
        }
        self.ended |= exit.is_some();
        exit
    }

    /// Waits for the end of the command, and returns how it was. May be dropped and called again, until it returned.
    pub(in crate::exec) async fn exit(&mut self) -> Exit {
        loop {
            self.readable().await;
            if let Some(exit) = self.hear() {
                return exit;
            }
        }
    }

    /// Waits until nothing is left of the command and of all that it started.
    pub(in crate::exec) async fn gone(&mut self) {
        while self.open {
            self.readable().await;
            self.hear();
        }
        self.reap().await;
    }

    /// Takes note of the end of the owners, once the line is closed.
    pub(super) async fn reap(&mut self) {
        // Should it take longer, the runtime takes note of its end.
        let _ = timeout(REAP_DEADLINE, self.backstop.wait()).await;
    }

    /// Has everything asked to end, and killed some time later.
    pub(in crate::exec) async fn terminate(&mut self) -> io::Result<()> {
        // It does not wait: a socket has room for a byte.
        self.socket.write_all(&[TERMINATE]).await
    }

    /// Has everything killed.
    pub(in crate::exec) async fn kill(&mut self) -> io::Result<()> {
        self.socket.shutdown().await
    }

    /// Takes the first whole report.
    fn report(&mut self) -> Option<Report> {
        let first = self.reports.first_chunk::<LENGTH>().copied()?;
        self.reports.drain(..LENGTH);
        Report::decode(first)
    }
}
