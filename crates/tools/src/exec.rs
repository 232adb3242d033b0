//! Commands that are owned: started, watched, and ended together with everything that they start.
//!
//! Between the server and a command stand two small processes of this same program, and a third one that becomes the
//! command:
//!
//! ```text
//! server ── backstop ── supervisor ── launcher, which becomes the command ── whatever it starts
//! ```
//!
//! Server and supervisor share a socket. The server's end of it closes with the server, however that dies, and the
//! supervisor then kills everything below it. (A parent-death signal would not do there: it comes when the *thread*
//! that started the child dies, and those of a runtime come and go.) Orphans become children of the supervisor, which
//! is a subreaper, so that no daemon gets away and none stays a zombie. The backstop does the same for the supervisor:
//! who kills one of the two with SIGKILL leaves the other to clean up. Should both be killed, the kernel kills the
//! command.
//!
//! What a command leaves running when it ends (`npm start &`) goes on, and stays owned until its session is terminated
//! or the server ends.
//!
//! Outside Linux there are neither subreapers nor /proc: there, only the command's process group is signalled, and a
//! daemon that leaves it gets away.

pub mod budget;
mod environment;
mod error;
mod handoff;
mod kept;
mod launch;
mod live;
mod piped;
mod process;
mod report;
mod request;
mod session;
mod sessions;
mod streams;
mod supervisor;
mod utf8;

use std::time::Duration;

pub use environment::{Network, Whereabouts, environment};
pub use error::ExecError;
pub use kept::{Cut, Kept};
pub use launch::{Input, Launch, Output, Size, Stdio, Supervisor};
pub use live::Live;
pub(crate) use piped::{Owner, Piped};
pub use process::{Event, Handle, Process, Stream};
pub use report::Exit;
pub use session::{Collected, Finished, Label, Progress, Session, yield_time};
pub use sessions::Sessions;
pub use supervisor::supervise;

/// How long a process that was asked to end may take before it is killed: long enough to write a file, short enough for
/// who waits.
pub const TERM_GRACE: Duration = Duration::from_secs(2);
