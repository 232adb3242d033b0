//! What /proc tells of processes.

use std::process::Command;

pub use testkit::processes::{Process, all};
use testkit::processes::{below, read, until};

/// A process and everything below it.
pub fn tree(root: u32) -> Vec<Process> {
    read(root).into_iter().chain(below(root)).collect()
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
    testkit::processes::until_gone(std::process::id(), processes).await;
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
