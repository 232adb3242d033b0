//! What /proc tells of processes.

use std::{collections::BTreeMap, fs, process::Command};

use super::until;

/// A process, told from a later one with the same number by its start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: u32,
    start: u64,
    pub name: String,
    pub parent: u32,
    pub state: char,
}

/// Every process there is.
pub fn all() -> BTreeMap<u32, Process> {
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

/// A process and everything below it.
pub fn tree(root: u32) -> Vec<Process> {
    let all = all();
    let mut found: Vec<_> = all.get(&root).cloned().into_iter().collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.pid) {
        found.extend(all.values().filter(|process| process.parent == parent).cloned());
        next += 1;
    }
    found
}

/// Everything that owns a command, the command, and everything below it.
pub fn owned(command: u32) -> Vec<Process> {
    tree(backstop(command))
}

pub fn parent(pid: u32) -> u32 {
    read(pid).unwrap().parent
}

/// The process that watches the command.
pub fn supervisor(command: u32) -> u32 {
    parent(command)
}

/// The process that watches the one that watches the command.
pub fn backstop(command: u32) -> u32 {
    parent(supervisor(command))
}

/// The names among some processes, in order.
pub fn names(processes: &[Process]) -> Vec<&str> {
    let mut names: Vec<_> = processes.iter().map(|process| process.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// Waits until none of them is there, not even as a zombie, unless nobody of them is left to take note of it.
pub async fn until_gone(processes: &[Process]) {
    let ours = |pid: u32| pid == std::process::id() || processes.iter().any(|process| process.pid == pid);
    let is_there = |process: &Process| {
        let now = read(process.pid).filter(|now| now.start == process.start);
        now.is_some_and(|now| now.state != 'Z' || ours(now.parent))
    };
    until(&format!("{processes:?} are gone"), || !processes.iter().any(is_there)).await;
}

/// Waits until a process has so many descendants with this name.
pub async fn until_below(root: u32, name: &str, count: usize) {
    let below = || tree(root).iter().filter(|process| process.name == name).count();
    until(&format!("{count} of {name} below {root}"), || below() == count).await;
}

pub fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -{name} {pid}");
}
