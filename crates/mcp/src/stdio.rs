//! Servers that are programs: started with pipes, ended with all that they started.

use std::{
    ffi::OsString,
    io,
    pin::Pin,
    process::Stdio,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use memchr::{memchr, memrchr};
use rmcp::{RoleClient, transport::async_rw::AsyncRwTransport};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, ReadBuf},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Notify,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{MAX_MESSAGE, launch::Program, stderr::Stderr};

/// How long a program has to leave by itself when its input ends, and how long after it was asked to by a signal.
/// Together less than what a server has to shut down.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// How long what a dead program wrote may take to arrive. Its pipe stays open where a child of its own still has it.
const STDERR_GRACE: Duration = Duration::from_millis(200);

/// What a program is spoken to through.
pub(crate) type Pipes = AsyncRwTransport<RoleClient, Watched, ChildStdin>;

/// A program that runs. Killed when dropped, with its children when [ended](Self::end).
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
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

/// Starts a program; what stands before its command sees to it that it does not outlive us.
pub(crate) fn open(
    name: &str,
    supervise: &[OsString],
    program: &Program,
    signs: Signs,
) -> io::Result<(Pipes, Process)> {
    let command = OsString::from(&program.command);
    let args = program.args.iter().map(OsString::from);
    let mut words = supervise.iter().cloned().chain([command]).chain(args);
    // Never empty: it ends in the command.
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env_clear().envs(&program.env);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    if let Some(cwd) = &program.cwd {
        command.current_dir(cwd);
    }
    let mut child = command.spawn()?;
    let (Some(stdin), Some(stdout), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("no pipes"));
    };
    let stderr = Arc::new(Stderr::default());
    let drain = tokio::spawn(Arc::clone(&stderr).drain(name.to_owned(), errors));
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let pipes = AsyncRwTransport::new(Watched { inner: stdout, line: 0, signs }, stdin)
        .with_max_line_length(MAX_MESSAGE);
    Ok((pipes, Process { child, group, stderr, drain: AbortOnDropHandle::new(drain) }))
}

impl Process {
    /// Waits until the program has left, whose pipes are closed; makes it, if it does not. Returns what there is to add
    /// to an error: how it left, if it did so by itself, and its last words.
    pub(crate) async fn end(mut self) -> String {
        let left = timeout(LEAVE_GRACE, self.child.wait()).await;
        if left.is_err() {
            self.signal(Signal::TERM);
            // Whether it left or not: what remains of its group is killed.
            let _ = timeout(LEAVE_GRACE, self.child.wait()).await;
        }
        self.signal(Signal::KILL);
        let _ = timeout(LEAVE_GRACE, self.child.wait()).await;
        let _ = timeout(STDERR_GRACE, &mut self.drain).await;
        let how = match left {
            Ok(Ok(status)) => format!("; it exited ({status})"),
            _ => String::new(),
        };
        match self.stderr.last_lines() {
            words if words.is_empty() => how,
            words => format!("{how}: {words}"),
        }
    }

    fn signal(&self, signal: Signal) {
        // A group that is gone needs no signal. Its number is not taken again so soon: numbers go round.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
    }
}

/// Standard output, watched.
pub(crate) struct Watched {
    inner: ChildStdout,
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
