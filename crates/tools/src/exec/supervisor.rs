//! The processes between the server and a command. See the drawing in the module above.
//!
//! All three are this program, started anew, and say little: no runtime, no threads, no environment of the command.
//! Which of them it is stands in its last arguments.

#[cfg(target_os = "linux")]
mod backstop;
mod command;
#[cfg(target_os = "linux")]
mod descendants;
#[cfg(not(target_os = "linux"))]
mod group;
mod launcher;
mod signals;

use std::{
    ffi::{OsStr, OsString},
    io::{self, ErrorKind},
    os::{
        fd::AsFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

pub(super) use command::TERMINATE;
use rustix::process::{Pid, Signal};

#[cfg(not(target_os = "linux"))]
use group as descendants;

/// As what `ps` shows the processes between the server and a command.
///
/// Not the name of the program: who kills that by name shall not kill those who clean up after it.
pub(super) const NAME: &str = "exec-owner";

/// Owns one command, until nothing of it is left.
///
/// The program calls this, and nothing else, when its arguments begin with `words`, which are those of
/// [`Supervisor::args`]; `rest` are the arguments behind them. The standard input is a socket to the server. It has to
/// be called before any thread is started.
///
/// [`Supervisor::args`]: super::Supervisor::args
pub fn supervise(words: &[OsString], rest: &[OsString]) -> io::Result<()> {
    name_process();
    match rest {
        #[cfg(target_os = "linux")]
        [] => backstop::run(words),
        #[cfg(not(target_os = "linux"))]
        [] => command::run(words, rustix::process::getppid().ok_or(ErrorKind::BrokenPipe)?),
        [role, parent] if role == SUPERVISOR => command::run(words, pid(parent)?),
        [role, parent] if role == LAUNCHER => launcher::run(pid(parent)?),
        _ => Err(ErrorKind::InvalidInput.into()),
    }
}

/// The argument of the process that watches the command.
const SUPERVISOR: &str = "watch";

/// The argument of the process that becomes the command.
const LAUNCHER: &str = "become";

/// Starts this program anew as one of the others; it is told who its parent is.
fn start(words: &[OsString], role: &str, stdin: Stdio) -> io::Result<Child> {
    let parent = rustix::process::getpid().as_raw_nonzero().to_string();
    Command::new(program()?)
        .arg0(NAME)
        .args(words)
        .args([OsStr::new(role), OsStr::new(&parent)])
        .stdin(stdin)
        .stdout(Stdio::null())
        .spawn()
}

/// The very program that runs, whatever has become of its file.
fn program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// Asks for a signal when the parent dies; fails when it is dead already.
fn die_with(parent: Pid, signal: Signal) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(signal))?;
    #[cfg(not(target_os = "linux"))]
    let _ = signal;
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(ErrorKind::BrokenPipe.into()) }
}

/// Becomes the parent of every orphan among its descendants.
fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// Killing in rounds, since what is killed may be starting others at that moment.
#[derive(Default)]
struct Rounds(u32);

impl Rounds {
    /// The pause before the second round; the pause doubles.
    const FIRST_PAUSE: Duration = Duration::from_millis(10);

    /// What cannot be killed (a process of another user, one that waits for a dead disk) is worth no more than this.
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);

    /// Kills whatever is left now, and returns when the next round is due. A death wakes the caller before that.
    fn kill(&mut self, command: Pid) -> io::Result<Duration> {
        descendants::signal(command, &[Signal::KILL])?;
        let pause = Self::FIRST_PAUSE * 2_u32.saturating_pow(self.0).min(1000);
        self.0 += 1;
        Ok(pause.min(Self::LONGEST_PAUSE))
    }
}

/// Takes a second hold of the standard input, closed where a program is started.
fn socket() -> io::Result<UnixStream> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

fn name_process() {
    #[cfg(target_os = "linux")]
    if let Ok(name) = std::ffi::CString::new(NAME) {
        // Only for who looks at a list of processes: going on without it is right.
        let _ = rustix::thread::set_name(&name);
    }
}

fn id(child: &Child) -> io::Result<Pid> {
    child.id().try_into().ok().and_then(Pid::from_raw).ok_or_else(|| ErrorKind::InvalidData.into())
}

fn pid(text: &OsStr) -> io::Result<Pid> {
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.and_then(Pid::from_raw).ok_or_else(|| ErrorKind::InvalidInput.into())
}
