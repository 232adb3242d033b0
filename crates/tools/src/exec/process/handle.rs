//! What may be done with a running command by others than its owner.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use crate::exec::{ExecError, Size, Stdio};

/// How many writes may wait for a command to read: enough for typing, and each is as small as a message.
pub(super) const MOST_TYPED: usize = 16;

/// How long a write waits for a command to read what came before it. Nobody's request may hang on a deaf command.
const INPUT_DEADLINE: Duration = Duration::from_secs(5);

/// Writes to a command, resizes its terminal, ends it. What it asks for is done by whoever owns the process.
#[derive(Clone, Debug)]
pub struct Handle {
    pid: u32,
    terminal: bool,
    typed: mpsc::Sender<Typed>,
    wishes: watch::Sender<Wishes>,
    input_open: Arc<AtomicBool>,
}

/// Input for a command.
#[derive(Debug)]
pub(super) enum Typed {
    Bytes(Vec<u8>),
    End,
}

/// What is wanted of a command, the newest of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    pub stop: Stop,
    pub size: Option<Size>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    #[default]
    No,
    Terminate,
    Kill,
}

impl Handle {
    /// Returns a handle and what its owner listens to.
    pub(super) fn new(pid: u32, stdio: Stdio) -> (Self, mpsc::Receiver<Typed>, watch::Receiver<Wishes>) {
        let (typed, typed_at) = mpsc::channel(MOST_TYPED);
        let (wishes, wished) = watch::channel(Wishes::default());
        let closed = matches!(stdio, Stdio::Pipes { input: crate::exec::Input::Nothing, .. });
        let terminal = matches!(stdio, Stdio::Terminal(_));
        let input_open = Arc::new(AtomicBool::new(!closed));
        (Self { pid, terminal, typed, wishes, input_open }, typed_at, wished)
    }

    /// Returns the system's number of the command, which leads a session and a process group.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Has the command read this; waits where the command has not read what came before.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<(), ExecError> {
        if !self.input_open.load(Ordering::Relaxed) {
            return Err(ExecError::InputClosed);
        }
        self.send(Typed::Bytes(bytes)).await
    }

    /// Ends the input of the command behind all that was written. A terminal is sent Ctrl-D and stays open.
    pub async fn close_input(&self) -> Result<(), ExecError> {
        if !self.terminal && !self.input_open.swap(false, Ordering::Relaxed) {
            return Err(ExecError::InputClosed);
        }
        self.send(Typed::End).await
    }

    /// Changes the size of the command's terminal.
    pub fn resize(&self, size: Size) -> Result<(), ExecError> {
        if !self.terminal {
            return Err(ExecError::NoTerminal);
        }
        self.wishes.send_modify(|wishes| wishes.size = Some(size));
        Ok(())
    }

    /// Asks the command and everything that it started to end, and has what is left killed after
    /// [`TERM_GRACE`](crate::exec::TERM_GRACE).
    pub fn terminate(&self) {
        self.stop(Stop::Terminate);
    }

    /// Has the command and everything that it started killed at once.
    pub fn kill(&self) {
        self.stop(Stop::Kill);
    }

    fn stop(&self, stop: Stop) {
        self.wishes.send_modify(|wishes| wishes.stop = wishes.stop.max(stop));
    }

    async fn send(&self, typed: Typed) -> Result<(), ExecError> {
        match timeout(INPUT_DEADLINE, self.typed.send(typed)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(ExecError::InputClosed),
            Err(_) => Err(ExecError::InputFull(INPUT_DEADLINE)),
        }
    }

    /// Whether the command has a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Refuses further input.
    pub(super) fn close(&self) {
        self.input_open.store(false, Ordering::Relaxed);
    }
}
