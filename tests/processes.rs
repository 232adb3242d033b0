//! What /proc tells of the processes that a server started.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use testkit::{Daemon, Home};
use tokio::time::{sleep, timeout};

/// Whatever takes longer than this hangs.
const HUNG: Duration = Duration::from_secs(20);

/// A daemon by the book with a child of its own, a child that ignores SIGTERM, one that has no environment, and a plain
/// one.
pub const FAMILY: &str = r#"(setsid sh -c 'sleep 1000 & exec sleep 1000' &)
sh -c 'trap "" TERM; sleep 1000; :' &
env -i "$(command -v sleep)" 1000 &
sleep 1000 &
"#;

/// How many of [`FAMILY`] sleep.
pub const SLEEPERS: usize = 5;

/// A process, told from a later one with the same number by its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pid: u32,
    start: u64,
    name: String,
    parent: u32,
    state: char,
}

/// Waits until so many processes of a name run below a server, and returns all that run below it.
pub async fn family(d: &Daemon, name: &str, count: usize) -> Vec<Process> {
    let mut below = Vec::new();
    until(&format!("{count} of {name} below the server"), || {
        below = descendants(d.pid());
        below.iter().filter(|process| process.name == name).count() == count
    })
    .await;
    below
}

/// Waits until none of a family is there, nor any other process with the environment of a home.
pub async fn until_gone(home: &Home, d: &Daemon, family: &[Process]) {
    until_family_gone(d, family).await;
    let mark = home.root().into_os_string().into_encoded_bytes();
    let marked = |pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        *pid != d.pid() && environ.windows(mark.len()).any(|part| part == mark)
    };
    until("no process is the home's", || !all().into_keys().any(|pid| marked(&pid))).await;
}

/// Waits until none of a family is there.
///
/// Nor a zombie, unless nobody of the family is left to take note of its end.
pub async fn until_family_gone(d: &Daemon, family: &[Process]) {
    let ours = |pid: u32| pid == d.pid() || family.iter().any(|process| process.pid == pid);
    let is_there = |process: &Process| {
        let now = read(process.pid).filter(|now| now.start == process.start);
        now.is_some_and(|now| now.state != 'Z' || ours(now.parent))
    };
    until(&format!("{family:?} are gone"), || !family.iter().any(is_there)).await;
}

fn descendants(root: u32) -> Vec<Process> {
    let all = all();
    let children = |parent: u32| all.values().filter(move |process| process.parent == parent).cloned();
    let mut found: Vec<_> = children(root).collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.pid) {
        found.extend(children(parent));
        next += 1;
    }
    found
}

fn all() -> BTreeMap<u32, Process> {
    let entries =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    entries.filter_map(read).map(|process| (process.pid, process)).collect()
}

fn read(pid: u32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (head, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<_> = rest.split(' ').collect();
    Some(Process {
        pid,
        start: fields[19].parse().unwrap(),
        name: head.split_once('(')?.1.to_owned(),
        parent: fields[1].parse().unwrap(),
        state: fields[0].parse().unwrap(),
    })
}

/// Looks again and again, since nobody announces it.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let looked = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(HUNG, looked).await.is_ok(), "never: {what}");
}
