//! Signals to the process group of the command: what there is where orphans cannot be adopted.

use std::{io, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::signals::Children;

/// How often to look whether anything is left: the deaths of grandchildren are not heard of.
pub(super) const LOOK_AGAIN: Option<Duration> = Some(Duration::from_secs(1));

/// Returns whether the command is reaped and its group is empty.
pub(super) fn none_left(command: Pid, children: Children) -> bool {
    children == Children::None && test_kill_process_group(command).is_err()
}

/// Sends signals to the group that the command leads. What left that group is not reached.
pub(super) fn signal(command: Pid, signals: &[Signal]) -> io::Result<()> {
    for signal in signals {
        // An empty group: there is nobody left to signal.
        let _ = kill_process_group(command, *signal);
    }
    Ok(())
}
