//! `skein doctor`: looks a home over and says what is wrong with it.

use std::{
    env,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use doctor::{Progress, Repair, Report};

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Write the report as one JSON object.
    #[arg(long)]
    json: bool,
    /// Build the index anew if it needs it; rollouts and logs are never changed, and servers may run.
    #[arg(long)]
    repair: bool,
    /// Tell on standard error how far it is, though that is no terminal.
    #[arg(long)]
    progress: bool,
}

/// The exit code where nothing could be checked.
const COULD_NOT: u8 = 2;

/// Checks a home, repairs it if that is wanted, and reports how it is then.
pub(crate) fn run(options: &Doctor, home: &Path) -> ExitCode {
    match report(options, home) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "the reason why nothing was checked")]
            {
                eprintln!("Error: {error:#}");
            }
            ExitCode::from(COULD_NOT)
        }
    }
}

fn report(Doctor { json, repair, progress }: &Doctor, home: &Path) -> anyhow::Result<bool> {
    let ticker = Ticker::new(*progress);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (report, repair) = runtime.block_on(async {
        let scratch = env::temp_dir();
        let check = || {
            let mut ticker = ticker.clone();
            doctor::check(home, &scratch, move |progress| ticker.tell_of(progress))
        };
        let report = check().await?;
        if !repair {
            return anyhow::Ok((report, None));
        }
        let repaired = doctor::repair(&report, |_| {}).await;
        Ok((check().await?, Some(repaired)))
    })?;
    print(&report, repair.as_ref(), *json).context("cannot print")?;
    Ok(report.healthy)
}

fn print(report: &Report, repair: Option<&Repair>, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let mut told = serde_json::to_value(report)?;
        if let Some(repair) = repair {
            told["repair"] = serde_json::to_value(repair)?;
        }
        writeln!(out, "{told}")?;
    } else {
        if let Some(repair) = repair {
            writeln!(out, "{repair}")?;
        }
        write!(out, "{report}")?;
    }
    Ok(out.flush()?)
}

/// Tells how far a long check is, now and then.
#[derive(Clone)]
struct Ticker {
    next: Instant,
    show: Show,
}

#[derive(Clone, Copy, PartialEq)]
enum Show {
    /// One line, written over.
    Terminal,
    /// A line each time.
    Lines,
    Nothing,
}

impl Ticker {
    /// A short check needs no word.
    const AFTER: Duration = Duration::from_secs(1);
    const EVERY: Duration = Duration::from_millis(500);

    fn new(wanted: bool) -> Self {
        let show = match (io::stderr().is_terminal(), wanted) {
            (true, _) => Show::Terminal,
            (false, true) => Show::Lines,
            (false, false) => Show::Nothing,
        };
        Self { next: Instant::now() + Self::AFTER, show }
    }

    fn tell_of(&mut self, Progress { files, bytes }: Progress) {
        if self.show == Show::Nothing || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + Self::EVERY;
        let (start, end) = if self.show == Show::Terminal { ("\r", "") } else { ("", "\n") };
        let line = format!("{start}{files} rollouts, {} MB read{end}", bytes / 1_000_000);
        // Nobody has to listen.
        drop(io::stderr().write_all(line.as_bytes()));
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if self.show == Show::Terminal {
            drop(io::stderr().write_all(b"\r\x1b[K"));
        }
    }
}
