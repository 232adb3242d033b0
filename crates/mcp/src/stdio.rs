//! Speaking with servers that are programs, over their pipes.

use std::{
    io,
    pin::Pin,
    process::ExitStatus,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use memchr::{memchr, memrchr};
use rmcp::{RoleClient, transport::async_rw::AsyncRwTransport};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{MAX_MESSAGE, Owned, Started, stderr::Stderr};

/// How long a program has to leave by itself when its input ends. Less than what a server has to shut down.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// How long what a dead program wrote may take to arrive. Its pipe stays open where a child of its own still has it.
const STDERR_GRACE: Duration = Duration::from_millis(200);

/// What a program is spoken to through.
pub(crate) type Pipes = AsyncRwTransport<RoleClient, Watched, Box<dyn AsyncWrite + Send + Unpin>>;

/// A program that runs. Killed with all that it started when dropped.
pub(crate) struct Process {
    owned: Box<dyn Owned>,
    /// How it left, once that is known.
    left: Option<ExitStatus>,
    stderr: Arc<Stderr>,
    drain: AbortOnDropHandle<()>,
}

/// What happens on the output of a program that the transport does not tell.
#[derive(Clone)]
pub(crate) struct Signs {
    /// Told of each line that is too long, and lost: who waits for what was in it would wait in vain.
    pub(crate) too_long: Arc<Notify>,
    /// Cancelled when the output ends.
    pub(crate) gone: CancellationToken,
}

/// Takes over a program that was started.
pub(crate) fn open(name: &str, started: Started, signs: Signs) -> (Pipes, Process) {
    let Started { stdin, stdout, stderr: errors, owned } = started;
    let stderr = Arc::new(Stderr::default());
    let drain = tokio::spawn(Arc::clone(&stderr).drain(name.to_owned(), errors));
    let pipes = AsyncRwTransport::new(Watched { inner: stdout, line: 0, signs }, stdin)
        .with_max_line_length(MAX_MESSAGE);
    (pipes, Process { owned, left: None, stderr, drain: AbortOnDropHandle::new(drain) })
}

impl Process {
    /// Waits until the program has left by itself. Children of it may go on.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        match self.left {
            Some(status) => status,
            None => *self.left.insert(self.owned.ended().await),
        }
    }

    /// Waits until the program has left, whose pipes are closed; makes it, if it does not. Returns what there is to add
    /// to an error: how it left, if it did so by itself, and its last words.
    pub(crate) async fn end(mut self) -> String {
        let left = timeout(LEAVE_GRACE, self.ended()).await;
        let Self { owned, left: _, stderr, mut drain } = self;
        owned.end().await;
        let _ = timeout(STDERR_GRACE, &mut drain).await;
        let how = left.map_or_else(|_| String::new(), |status| format!("; it exited ({status})"));
        match stderr.last_lines() {
            words if words.is_empty() => how,
            words => format!("{how}: {words}"),
        }
    }
}

/// Standard output, watched.
pub(crate) struct Watched {
    inner: Box<dyn AsyncRead + Send + Unpin>,
    /// How much of a line came so far.
    line: usize,
    signs: Signs,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let new = buf.filled().get(before..).unwrap_or_default();
        self.see(new);
        Poll::Ready(Ok(()))
    }
}

impl Watched {
    fn see(&mut self, new: &[u8]) {
        if new.is_empty() {
            self.signs.gone.cancel();
        }
        let was = self.line;
        let line = was + memchr(b'\n', new).unwrap_or(new.len());
        self.line = memrchr(b'\n', new).map_or(line, |end| new.len() - end - 1);
        // The transport counts the line's end, too.
        if was < MAX_MESSAGE && line >= MAX_MESSAGE {
            self.signs.too_long.notify_waiters();
        }
    }
}
