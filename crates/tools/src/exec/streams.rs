//! The pipes and terminals of commands, at the server's end.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{Mode, OFlags},
    io::ioctl_fionbio,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use tokio::net::unix::pipe::{Receiver, Sender};

use super::{Input, Output, Size, Stdio, handoff::Files};

/// What the server holds of the input and outputs of a command.
pub(super) struct Streams {
    pub input: Option<Sender>,
    /// The output, or both outputs together.
    pub output: Receiver,
    /// The error output where it comes apart.
    pub error_output: Option<Receiver>,
}

impl Streams {
    /// Makes what a command wants; the files are its own ends.
    pub(super) fn open(stdio: Stdio) -> io::Result<(Self, Files)> {
        match stdio {
            Stdio::Terminal(size) => terminal(size),
            Stdio::Pipes { input, output } => pipes(input, output),
        }
    }
}

fn pipes(input: Input, output: Output) -> io::Result<(Streams, Files)> {
    let (stdin, input) = match input {
        Input::Nothing => (File::open("/dev/null")?.into(), None),
        Input::Open => {
            let (reader, writer) = io::pipe()?;
            (reader.into(), Some(Sender::from_owned_fd(writer.into())?))
        }
    };
    let (reader, stdout) = io::pipe()?;
    let output_reader = Receiver::from_owned_fd(reader.into())?;
    let (stderr, error_output) = match output {
        Output::Joined => (stdout.try_clone()?, None),
        Output::Apart => {
            let (reader, writer) = io::pipe()?;
            (writer, Some(Receiver::from_owned_fd(reader.into())?))
        }
    };
    Ok((Streams { input, output: output_reader, error_output }, [stdin, stdout.into(), stderr.into()]))
}

fn terminal(size: Size) -> io::Result<(Streams, Files)> {
    let ours = open_terminal()?;
    set_size(&ours, size)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(ptsname(&ours, Vec::new())?, flags, Mode::empty())?;
    // A terminal is polled, read and written as a pipe is; only the check that it is one would fail.
    ioctl_fionbio(&ours, true)?;
    let input = Some(Sender::from_owned_fd_unchecked(ours.try_clone()?)?);
    let output = Receiver::from_owned_fd_unchecked(ours)?;
    let files = [theirs.try_clone()?, theirs.try_clone()?, theirs];
    Ok((Streams { input, output, error_output: None }, files))
}

#[cfg(target_os = "linux")]
fn open_terminal() -> io::Result<OwnedFd> {
    Ok(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?)
}

#[cfg(not(target_os = "linux"))]
fn open_terminal() -> io::Result<OwnedFd> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // A program that another thread starts just now gets it as well: there is no flag against that here.
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    Ok(ours)
}

/// Sets the size of a terminal; the programs in it are told.
pub(super) fn set_size(terminal: impl AsFd, Size { rows, cols }: Size) -> io::Result<()> {
    let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(terminal, size)?)
}
