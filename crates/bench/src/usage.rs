//! What a process and its children have used, as `/proc` tells it.
//!
//! A server may be started through a launcher, and may start helpers: the sums are of all of them, the peaks of the
//! largest one.

use std::{fs, ops::Sub, path::PathBuf, time::Duration};

/// How many ticks of processor time `/proc` counts in a second, on every Linux.
const TICKS: u32 = 100;

/// Memory of the largest process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident now.
    pub resident: u64,
    /// The most that was ever resident.
    pub peak: u64,
}

/// What only grows, of a process and its children together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Processor time.
    pub cpu: Duration,
    /// Bytes that `read` and its like returned, from the page cache too.
    pub read: u64,
    /// Bytes given to `write` and its like, pipes and wake-ups among them.
    pub written: u64,
    /// Bytes that are to go to a disk, counted in pages as they change.
    pub stored: u64,
    /// How many of those calls there were.
    pub calls: u64,
}

impl Usage {
    /// Reads the usage of a process and its children; a process that is gone counts for nothing.
    pub fn of(pid: u32) -> Self {
        let mut usage = Self::default();
        for pid in family(pid) {
            let status = proc_file(pid, "status");
            let field = |name| field(&status, name).unwrap_or_default() << 10;
            usage.resident = usage.resident.max(field("VmRSS:"));
            usage.peak = usage.peak.max(field("VmHWM:"));
        }
        usage
    }
}

impl Counters {
    /// Reads the counters of a process and its children.
    pub fn of(pid: u32) -> Self {
        let mut sum = Self::default();
        for pid in family(pid) {
            let io = proc_file(pid, "io");
            let field = |name| field(&io, name).unwrap_or_default();
            sum.read += field("rchar:");
            sum.written += field("wchar:");
            sum.stored += field("write_bytes:");
            sum.calls += field("syscr:") + field("syscw:");
            sum.cpu += cpu(&proc_file(pid, "stat")).unwrap_or_default();
        }
        sum
    }
}

impl Sub for Counters {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            read: self.read.saturating_sub(before.read),
            written: self.written.saturating_sub(before.written),
            stored: self.stored.saturating_sub(before.stored),
            calls: self.calls.saturating_sub(before.calls),
        }
    }
}

/// The process and everything below it.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&pid) = all.get(next) {
        next += 1;
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for children in threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok()) {
            all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    all
}

fn proc_file(pid: u32, name: &str) -> String {
    fs::read_to_string(PathBuf::from(format!("/proc/{pid}/{name}"))).unwrap_or_default()
}

/// Finds `NAME NUMBER` in a file of such lines.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Reads the processor time of a process from its `stat`.
fn cpu(stat: &str) -> Option<Duration> {
    // The program's name comes before, in brackets, and may hold anything.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(Duration::from_secs(1) * ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_process_has_memory_and_has_read_something() {
        let pid = std::process::id();
        let usage = Usage::of(pid);
        assert!(usage.peak >= usage.resident && usage.resident > 0, "{usage:?}");
        assert!(Counters::of(pid).read > 0);
    }

    #[test]
    fn a_name_with_a_bracket_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_process_that_is_gone_has_used_nothing() {
        assert_eq!(Usage::of(u32::MAX), Usage::default());
    }
}
