//! Signals to everything below this process, found in /proc.
//!
//! Neither a process group nor a session of its own takes a process out of the tree, and orphans come back to it.

use std::{collections::HashMap, fs, io, time::Duration};

use rustix::process::{Pid, Signal, getpid, kill_process};

use super::signals::Children;

/// Whoever dies is heard of, so there is no need to look.
pub(super) const LOOK_AGAIN: Option<Duration> = None;

/// Returns whether every descendant is gone: they are children at the latest when their own parents are gone.
pub(super) fn none_left(_command: Pid, children: Children) -> bool {
    children == Children::None
}

/// Sends signals to every descendant, parents before their children; those that are gone or are not ours to signal are
/// left out.
///
/// `command` is the command itself, which is among them.
pub(super) fn signal(_command: Pid, signals: &[Signal]) -> io::Result<()> {
    for pid in all()? {
        for signal in signals {
            // A process that ended since, and one of another user (sudo): no way to do more.
            let _ = kill_process(pid, *signal);
        }
    }
    Ok(())
}

/// Every descendant of this process.
fn all() -> io::Result<Vec<Pid>> {
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { continue };
        let Ok(stat) = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())) else { continue };
        if let Some(parent) = parent(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = children.remove(&getpid()).unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    Ok(found)
}

/// Reads the parent from the text of a `stat` file: `pid (name) state parent ...`, where the name may hold anything.
fn parent(stat: &[u8]) -> Option<Pid> {
    let behind_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = stat.get(behind_name..)?.split(|byte| *byte == b' ').skip(2);
    std::str::from_utf8(fields.next()?).ok()?.parse().ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        let cases: [(&[u8], _); 5] = [
            (b"7 (sh) S 5 7 7 0 -1", Some(5)),
            (b"7 (a) S 9 (b) R 5 7 7", Some(5)),
            (b"7 (\xff) ) Z 5 7 7", Some(5)),
            (b"1 (init) S 0 1 1", None),
            (b"7 (sh", None),
        ];
        for (stat, expected) in cases {
            assert_eq!(parent(stat), expected.and_then(Pid::from_raw), "{}", stat.escape_ascii());
        }
    }
}
