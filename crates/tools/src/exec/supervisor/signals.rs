//! What wakes a supervisor: signals, as bytes in sockets, and other files that have something to read.

use std::{
    io::{self, ErrorKind, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, WaitOptions, WaitStatus},
};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM},
    low_level::pipe,
};

/// The signals that a supervisor lives by.
pub(super) struct Signals {
    /// A child died.
    children: UnixStream,
    /// Somebody wants the supervisor to end.
    end: UnixStream,
}

impl Signals {
    /// Catches them from now on. Programs that are started later get them as ever.
    pub(super) fn catch() -> io::Result<Self> {
        let catch = |signals: &[i32]| {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            for signal in signals {
                pipe::register(*signal, writer.try_clone()?)?;
            }
            io::Result::Ok(reader)
        };
        Ok(Self { children: catch(&[SIGCHLD])?, end: catch(&[SIGTERM, SIGINT, SIGHUP])? })
    }

    /// Waits for a signal or for one of the files, and returns whether the supervisor was asked to end.
    pub(super) fn wait(&self, files: &[BorrowedFd<'_>], time: Option<Duration>) -> io::Result<bool> {
        let files = files.iter().copied().chain([self.children.as_fd(), self.end.as_fd()]);
        let mut files: Vec<_> = files.map(|file| PollFd::from_borrowed_fd(file, PollFlags::IN)).collect();
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut files, time.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        drain(&self.children)?;
        drain(&self.end)
    }
}

/// Reads whatever is there, and returns whether there was anything.
fn drain(mut socket: &UnixStream) -> io::Result<bool> {
    let mut found = false;
    loop {
        match socket.read(&mut [0; 64]) {
            Ok(_) => found = true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(found),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether a process has any children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Children {
    Some,
    None,
}

/// Takes note of every child that has died, and returns whether any is left.
///
/// Since orphans become children, no children means no descendants.
pub(super) fn reap(mut died: impl FnMut(Pid, WaitStatus)) -> io::Result<Children> {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => died(pid, status),
            Ok(None) => return Ok(Children::Some),
            Err(Errno::CHILD) => return Ok(Children::None),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
