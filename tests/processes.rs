//! What /proc tells of the processes that a server started.

use std::fs;

use testkit::processes::{self, Process, until};
use testkit::{Daemon, Home};

/// A daemon by the book with a child of its own, a child that ignores SIGTERM, one that has no environment, and a plain
/// one.
pub const FAMILY: &str = r#"(setsid sh -c 'sleep 1000 & exec sleep 1000' &)
sh -c 'trap "" TERM; sleep 1000; :' &
env -i "$(command -v sleep)" 1000 &
sleep 1000 &
"#;

/// How many of [`FAMILY`] sleep.
pub const SLEEPERS: usize = 5;

/// Waits until so many processes of a name run below a server, and returns all that run below it.
pub async fn family(d: &Daemon, name: &str, count: usize) -> Vec<Process> {
    let mut below = Vec::new();
    until(&format!("{count} of {name} below the server"), || {
        below = processes::below(d.pid());
        below.iter().filter(|process| process.name == name).count() == count
    })
    .await;
    below
}

/// Waits until none of a family is there, nor any other process with the environment of a home.
pub async fn until_gone(home: &Home, d: &Daemon, family: &[Process]) {
    processes::until_gone(d.pid(), family).await;
    let mark = home.root().into_os_string().into_encoded_bytes();
    let marked = |pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        *pid != d.pid() && environ.windows(mark.len()).any(|part| part == mark)
    };
    until("no process is the home's", || !processes::all().into_keys().any(|pid| marked(&pid))).await;
}
