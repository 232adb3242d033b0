//! What a server keeps in memory of threads that are loaded, and of those that were.

use std::env;
use std::fs;

use protocol::{
    ThreadResume, ThreadResumeParams, ThreadStatus, ThreadStatusChangedNotification, ThreadUnsubscribe,
};
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::start;

/// Memory that a server has, in bytes: `VmRSS` now, `VmHWM` at most so far.
pub fn memory(d: &Daemon, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", d.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[tokio::test]
async fn a_loaded_thread_takes_little() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    for _ in 0..20 {
        start(&mut d).await;
    }
    let before = memory(&d, "VmRSS");
    for _ in 0..200 {
        start(&mut d).await;
    }
    let each = memory(&d, "VmRSS").saturating_sub(before) / 200;
    assert!(each < 200 << 10, "{each} bytes a thread");
}

#[tokio::test]
async fn a_thread_that_is_let_go_leaves_nothing_behind() {
    let cycles = if env::var_os("SKEIN_LONG_TESTS").is_some() { 10_000 } else { 300 };
    let home = Home::new()
        .with_tables("[skein]\nidle_unload_minutes = 0")
        .with_rollout(Rollout::new().turn("t", "q", "a"));
    let mut d = Daemon::start(&home).await;
    let thread = home.thread(0);
    let mut settled = 0;
    for cycle in 0..cycles {
        let resume = ThreadResumeParams { exclude_turns: Some(true), ..of(thread).into() };
        d.call::<ThreadResume>(resume).await;
        d.call::<ThreadUnsubscribe>(of(thread)).await;
        let unloaded = |note: &ThreadStatusChangedNotification| note.status == ThreadStatus::NotLoaded;
        d.note_where::<ThreadStatusChangedNotification>(unloaded).await;
        if cycle == cycles / 3 {
            settled = memory(&d, "VmRSS");
        }
    }
    let grown = memory(&d, "VmRSS").saturating_sub(settled);
    assert!(grown < 2 << 20, "{grown} bytes more after {cycles} times");
}
