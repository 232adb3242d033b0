//! The process that watches the supervisor, and ends what it leaves behind.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::Stdio,
};

use rustix::process::{Signal, kill_process};

use super::{
    Rounds, SUPERVISOR, adopt_orphans,
    signals::{Children, Signals, reap},
    start,
};
use crate::exec::report::{Report, Step};

/// Starts the supervisor and ends when nothing is left of it and of what it started.
pub(super) fn run(words: &[OsString]) -> io::Result<()> {
    let signals = Signals::catch()?;
    adopt_orphans()?;
    let supervisor = match start(words, SUPERVISOR, Stdio::inherit()) {
        Ok(child) => super::id(&child)?,
        Err(error) => {
            let failed = Report::Failed(Step::Process, error.raw_os_error().unwrap_or_default());
            return super::socket()?.write_all(&failed.encode());
        }
    };
    let mut alone = false;
    let mut rounds = Rounds::default();
    loop {
        if reap(|pid, _| alone |= pid == supervisor)? == Children::None {
            return Ok(());
        }
        let time = if alone { Some(rounds.kill(supervisor)?) } else { None };
        let asked_to_end = signals.wait(&[], time)?;
        if asked_to_end && !alone {
            kill_process(supervisor, Signal::TERM)?;
        }
    }
}
