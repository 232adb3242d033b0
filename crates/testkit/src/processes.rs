//! What /proc tells of processes.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Whatever takes longer than this hangs.
const HUNG: Duration = Duration::from_secs(20);

/// A process, told from a later one with the same number by its start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    start: u64,
    /// The name of its program.
    pub name: String,
    /// Whose child it is.
    pub parent: u32,
    /// What it does, as a letter; `Z` for one that has ended and was not taken note of.
    pub state: char,
}

/// Returns every process there is, by its number.
pub fn all() -> BTreeMap<u32, Process> {
    let entries =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    entries.filter_map(read).map(|process| (process.pid, process)).collect()
}

/// Returns the process of a number.
pub fn read(pid: u32) -> Option<Process> {
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

/// Returns everything below a process, parents before their children.
pub fn below(root: u32) -> Vec<Process> {
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

/// Waits until none of a family is there, not even as a zombie, unless neither `reaper` nor anybody of the family is left
/// to take note of its end.
pub async fn until_gone(reaper: u32, family: &[Process]) {
    let ours = |pid: u32| pid == reaper || family.iter().any(|process| process.pid == pid);
    let is_there = |process: &Process| {
        let now = read(process.pid).filter(|now| now.start == process.start);
        now.is_some_and(|now| now.state != 'Z' || ours(now.parent))
    };
    until(&format!("{family:?} are gone"), || !family.iter().any(is_there)).await;
}

/// Waits for something that nobody announces.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let looked = async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(HUNG, looked).await.is_ok(), "never: {what}");
}
