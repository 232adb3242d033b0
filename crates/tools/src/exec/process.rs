//! One running command: what comes out of it, and what it is told.
//!
//! Who holds a [`Process`] owns the command: dropping it kills everything that the command started. Nothing happens
//! between two calls of [`Process::next`]; a command that writes meanwhile waits as soon as its pipe is full.

mod handle;
mod link;
mod start;

use std::{
    collections::VecDeque,
    future::pending,
    io::{self, ErrorKind},
    time::Duration,
};

pub use handle::Handle;
use handle::{Stop, Typed, Wishes};
pub(super) use link::Link;
pub(super) use start::Started;
use tokio::{
    net::unix::pipe::{Receiver, Sender},
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    ExecError, Exit, Launch, Supervisor,
    streams::{Streams, set_size},
};

/// After the end of a command its output is complete when nothing came for this long. It matters only where something
/// that the command left running holds the pipe open; else the pipe ends at once.
const QUIET: Duration = Duration::from_millis(200);

/// How long that may take in all, since what is left running may write for ever.
const LONGEST_GRACE: Duration = Duration::from_millis(500);

/// How much is read at once: what a pipe holds.
const BUFFER: usize = 64 * 1024;

/// What terminals take for the end of their input: Ctrl-D.
const END_OF_INPUT: u8 = 4;

/// A running command, as its owner sees it.
pub struct Process {
    link: Link,
    input: Option<Sender>,
    unwritten: VecDeque<u8>,
    output: Option<Receiver>,
    error_output: Option<Receiver>,
    buffer: Box<[u8]>,
    typed: mpsc::Receiver<Typed>,
    wishes: watch::Receiver<Wishes>,
    handle: Handle,
    life: Life,
}

/// What happens in a [`Process`].
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The command, or something that it started, wrote this.
    Output(Stream, &'a [u8]),
    /// The command has ended, and everything that it wrote was returned before.
    Ended(Exit),
}

/// Where output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The standard output; both outputs where they are joined.
    Stdout,
    /// The error output.
    Stderr,
}

/// How far a command has come.
#[derive(Clone, Copy)]
enum Life {
    Running,
    /// The command has ended, but its output may not all be read.
    Ending {
        exit: Exit,
        quiet: Instant,
        latest: Instant,
    },
    Ended,
}

/// What there is to do.
enum Wake {
    Output(Stream),
    Input,
    Supervisor,
    Typed(Option<Typed>),
    Wished,
    Time,
}

impl Process {
    /// Starts a command and returns when it runs, or why it does not.
    pub async fn start(supervisor: &Supervisor, launch: &Launch) -> Result<Self, ExecError> {
        let Started { link, pid, streams } = Started::new(supervisor, launch).await?;
        let (handle, typed, wishes) = Handle::new(pid, launch.stdio);
        let Streams { input, output, error_output } = streams;
        Ok(Self {
            link,
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

    /// Returns what others may do with the command.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Returns what happens next; `None` once nothing is left of the command and of all that it started.
    ///
    /// There is one [`Event::Ended`]. Output behind it is that of processes that the command left running. The future
    /// may be dropped at any time; nothing is lost.
    pub async fn next(&mut self) -> Option<Event<'_>> {
        let (stream, length) = loop {
            if let Some(exit) = self.complete() {
                self.life = Life::Ended;
                return Some(Event::Ended(exit));
            }
            if !self.link.is_open() && matches!(self.life, Life::Ended) {
                self.link.reap().await;
                return None;
            }
            match self.wake().await {
                Wake::Output(stream) => {
                    if let Some(length) = self.read(stream) {
                        break (stream, length);
                    }
                }
                Wake::Input => self.write(),
                Wake::Supervisor => {
                    if let Some(exit) = self.link.hear() {
                        self.end(exit);
                    }
                }
                Wake::Typed(typed) => self.take(typed),
                Wake::Wished => self.fulfil().await,
                Wake::Time => {}
            }
        };
        Some(Event::Output(stream, &self.buffer[..length]))
    }

    /// Waits for something to do.
    async fn wake(&mut self) -> Wake {
        let Self { link, input, unwritten, output, error_output, typed, wishes, life, .. } = self;
        let grace = match *life {
            Life::Ending { quiet, latest, .. } => Some(quiet.min(latest)),
            Life::Running | Life::Ended => None,
        };
        tokio::select! {
            () = readable(output.as_ref()) => Wake::Output(Stream::Stdout),
            () = readable(error_output.as_ref()) => Wake::Output(Stream::Stderr),
            () = writable(input.as_ref()), if !unwritten.is_empty() => Wake::Input,
            () = link.readable(), if link.is_open() => Wake::Supervisor,
            // One after the other: what waits here makes the next writer wait.
            typed = typed.recv(), if unwritten.is_empty() => Wake::Typed(typed),
            // It lives as long as `handle` does.
            _ = wishes.changed() => Wake::Wished,
            () = sleep_until(grace.unwrap_or_else(Instant::now)), if grace.is_some() => Wake::Time,
        }
    }

    /// Returns how the command ended once all that it wrote was returned.
    fn complete(&mut self) -> Option<Exit> {
        let Life::Ending { exit, quiet, latest } = self.life else { return None };
        let closed = self.output.is_none() && self.error_output.is_none();
        (closed || Instant::now() >= quiet.min(latest)).then_some(exit)
    }

    /// Reads into the buffer, and returns how much, where there was something.
    fn read(&mut self, stream: Stream) -> Option<usize> {
        let end = match stream {
            Stream::Stdout => &mut self.output,
            Stream::Stderr => &mut self.error_output,
        };
        match end.as_ref()?.try_read(&mut self.buffer) {
            Ok(0) => *end = None,
            Ok(length) => {
                if let Life::Ending { quiet, .. } = &mut self.life {
                    *quiet = Instant::now() + QUIET;
                }
                return Some(length);
            }
            Err(error) if is_passing(&error) => {}
            // A terminal that no program holds open any more says EIO.
            Err(_) => *end = None,
        }
        None
    }

    /// Writes some of what was typed.
    fn write(&mut self) {
        let (front, _) = self.unwritten.as_slices();
        let Some(Ok(length)) = self.input.as_ref().map(|input| input.try_write(front)).map(passing) else {
            // The command reads no more.
            return self.close_input();
        };
        self.unwritten.drain(..length);
    }

    /// Takes what was typed, to be written as the command reads.
    fn take(&mut self, typed: Option<Typed>) {
        if self.input.is_none() {
            return;
        }
        match typed {
            Some(Typed::Bytes(bytes)) => self.unwritten.extend(bytes),
            Some(Typed::End) if self.handle.is_terminal() => self.unwritten.push_back(END_OF_INPUT),
            Some(Typed::End) | None => self.close_input(),
        }
    }

    fn close_input(&mut self) {
        self.handle.close();
        self.input = None;
        self.unwritten.clear();
    }

    /// Does what the handles want done.
    async fn fulfil(&mut self) {
        let Wishes { stop, size } = *self.wishes.borrow_and_update();
        if let (Some(size), Some(terminal)) = (size, &self.output) {
            // A terminal that is closed has no size.
            let _ = set_size(terminal, size);
        }
        // A supervisor that is gone has left nothing to end.
        let _ = match stop {
            Stop::No => Ok(()),
            Stop::Terminate => self.link.terminate().await,
            Stop::Kill => self.link.kill().await,
        };
    }

    fn end(&mut self, exit: Exit) {
        let now = Instant::now();
        self.life = Life::Ending { exit, quiet: now + QUIET, latest: now + LONGEST_GRACE };
    }
}

/// Waits for something to read. An error is found by who reads.
async fn readable(pipe: Option<&Receiver>) {
    match pipe {
        Some(pipe) => drop(pipe.readable().await),
        None => pending().await,
    }
}

/// Waits for room to write. An error is found by who writes.
async fn writable(pipe: Option<&Sender>) {
    match pipe {
        Some(pipe) => drop(pipe.writable().await),
        None => pending().await,
    }
}

/// Whether it is worth trying again.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Takes a write that has to be tried again for one that wrote nothing.
fn passing(written: io::Result<usize>) -> io::Result<usize> {
    written.or_else(|error| if is_passing(&error) { Ok(0) } else { Err(error) })
}
