//! A program whose pipes are read and written by somebody else: it is owned, and no more.

use std::io;

use tokio::{
    net::unix::pipe::{Receiver, Sender},
    time::timeout,
};

use super::{
    ExecError, Exit, Launch, Supervisor,
    process::{Link, Started},
    session::END_DEADLINE,
    streams::Streams,
};

/// A running program with a pipe for each of its three files.
pub(crate) struct Piped {
    pub(crate) stdin: Sender,
    pub(crate) stdout: Receiver,
    pub(crate) stderr: Receiver,
    pub(crate) owner: Owner,
}

/// Owns a program: dropping it kills everything that the program started.
pub(crate) struct Owner {
    link: Link,
    has_ended: bool,
}

impl Piped {
    /// Starts a program and returns when it runs, or why it does not; the launch has to ask for three pipes.
    pub(crate) async fn start(supervisor: &Supervisor, launch: &Launch) -> Result<Self, ExecError> {
        let Started { link, streams, .. } = Started::new(supervisor, launch).await?;
        let Streams { input: Some(stdin), output: stdout, error_output: Some(stderr) } = streams else {
            let source = io::ErrorKind::InvalidInput.into();
            return Err(ExecError::Streams { program: launch.program(), source });
        };
        Ok(Self { stdin, stdout, stderr, owner: Owner { link, has_ended: false } })
    }
}

impl Owner {
    /// Waits for the program to end, and returns how it did. May be dropped and called again, until it returned.
    pub(crate) async fn exit(&mut self) -> Exit {
        let exit = self.link.exit().await;
        self.has_ended = true;
        exit
    }

    /// Ends the program and all that it started, and kills what does not; what the program left behind is killed at
    /// once.
    pub(crate) async fn end(mut self) {
        // Where the owners are gone, nothing is left.
        let _ = match self.has_ended {
            true => self.link.kill().await,
            false => self.link.terminate().await,
        };
        let _ = timeout(END_DEADLINE, self.link.gone()).await;
    }
}
