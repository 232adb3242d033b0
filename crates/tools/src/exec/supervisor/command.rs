//! The process that watches the command: it does what the server asks, and ends everything when the server is gone.

use std::{
    ffi::OsString,
    io::{self, ErrorKind, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, WaitStatus},
};

use super::{
    LAUNCHER, Rounds, adopt_orphans, descendants, die_with,
    signals::{Signals, reap},
    start,
};
use crate::exec::{
    TERM_GRACE,
    handoff::Handoff,
    report::{Exit, LENGTH, Report, Step},
};

/// What the server sends to have everything ended with [`TERM_GRACE`]. Closing its side ends everything at once.
pub(in crate::exec) const TERMINATE: u8 = b'T';

/// Starts the command that the server passes, and ends when nothing is left of it and of what it started.
pub(super) fn run(words: &[OsString], parent: Pid) -> io::Result<()> {
    let signals = Signals::catch()?;
    // The signal is caught by now, and everything is ended as if somebody had sent it.
    die_with(parent, Signal::TERM)?;
    adopt_orphans()?;
    let mut server = super::socket()?;
    let handoff = Handoff::receive(&server)?;
    let (answer, theirs) = UnixStream::pair()?;
    let command = match start(words, LAUNCHER, OwnedFd::from(theirs).into()) {
        Ok(child) => super::id(&child)?,
        Err(error) => {
            let failed = Report::Failed(Step::Process, error.raw_os_error().unwrap_or_default());
            return server.write_all(&failed.encode());
        }
    };
    handoff.send(&answer)?;
    // From here on only the command holds its files.
    drop(handoff);
    let watch = Watch {
        server,
        listening: true,
        answer: Some(answer),
        command,
        ended: false,
        phase: Phase::Running,
        rounds: Rounds::default(),
    };
    watch.until_nothing_is_left(&signals)
}

/// A command that is watched.
struct Watch {
    server: UnixStream,
    /// Whether the server may still ask for something.
    listening: bool,
    /// From the process that becomes the command: why it could not, or just an end.
    answer: Option<UnixStream>,
    command: Pid,
    /// Whether the command has ended; a later process may have its number.
    ended: bool,
    phase: Phase,
    rounds: Rounds,
}

enum Phase {
    Running,
    /// Everything was asked to end and is killed at this time.
    Asked(Instant),
    Killing,
}

impl Watch {
    fn until_nothing_is_left(mut self, signals: &Signals) -> io::Result<()> {
        loop {
            let mut command = None;
            let children = reap(|pid, status| {
                if pid == self.command && !self.ended {
                    command = exit(status);
                }
            })?;
            if let Some(exit) = command {
                self.ended = true;
                self.settle()?;
                self.report(Report::Ended(exit));
            }
            if descendants::none_left(self.command, children) {
                return Ok(());
            }
            let time = self.advance()?;
            let answer = self.answer.as_ref().map(AsFd::as_fd);
            let server = self.listening.then(|| self.server.as_fd());
            let files: Vec<_> = answer.into_iter().chain(server).collect();
            if signals.wait(&files, time)? {
                self.ask()?;
            }
            self.hear()?;
        }
    }

    /// Kills what is left when its time is up, and returns how long to wait for something else to do.
    fn advance(&mut self) -> io::Result<Option<Duration>> {
        if let Phase::Asked(until) = self.phase {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Ok(Some(left));
            }
            self.phase = Phase::Killing;
        }
        match self.phase {
            Phase::Killing => self.rounds.kill(self.command).map(Some),
            _ => Ok(descendants::LOOK_AGAIN),
        }
    }

    /// Asks everything to end, once.
    fn ask(&mut self) -> io::Result<()> {
        if matches!(self.phase, Phase::Running) {
            // A stopped process hears nothing before it goes on.
            descendants::signal(self.command, &[Signal::TERM, Signal::CONT])?;
            self.phase = Phase::Asked(Instant::now() + TERM_GRACE);
        }
        Ok(())
    }

    /// Takes what the launcher and the server have to say, if anything.
    fn hear(&mut self) -> io::Result<()> {
        if self.answer.as_ref().is_some_and(readable) {
            self.settle()?;
        }
        if !self.listening || !readable(&self.server) {
            return Ok(());
        }
        let mut words = [0; 16];
        match self.server.read(&mut words) {
            Ok(length) if words[..length].contains(&TERMINATE) => self.ask()?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // The server is gone, or wants everything gone.
            Ok(0) | Err(_) => {
                self.listening = false;
                self.phase = Phase::Killing;
            }
            Ok(_) => {}
        }
        Ok(())
    }

    /// Tells the server whether the command has started, once that is known.
    fn settle(&mut self) -> io::Result<()> {
        let Some(mut answer) = self.answer.take() else { return Ok(()) };
        let mut failed = Vec::with_capacity(LENGTH);
        answer.read_to_end(&mut failed)?;
        let failed = <[u8; LENGTH]>::try_from(failed).ok().and_then(Report::decode);
        self.report(failed.unwrap_or(Report::Started(self.command.as_raw_nonzero().get())));
        Ok(())
    }

    /// Tells the server; where it is gone, its end of the socket says so soon.
    fn report(&mut self, report: Report) {
        let _ = self.server.write_all(&report.encode());
    }
}

fn readable(socket: &UnixStream) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
}

fn exit(status: WaitStatus) -> Option<Exit> {
    status.exit_status().map(Exit::Code).or(status.terminating_signal().map(Exit::Signal))
}
