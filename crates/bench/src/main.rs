//! Makes homes of any size, and measures any servers on them, ours beside each other's.
//!
//! The path of one run: [`corpus`] writes a home → [`measure`] drives each [`server`] over its standard input and output
//! → [`usage`] reads what the kernel counted for it → [`sheet`] prints one table with ratios. Nothing is judged here: a
//! time is compared with a time of the same run, or not at all.

mod corpus;
mod measure;
mod server;
mod sheet;
mod usage;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use testkit::MockModel;

use crate::{
    corpus::{Corpus, Giant, Written},
    measure::{forget, write_config},
    server::ServerCommand,
    sheet::Sheet,
};

/// Makes homes full of rollouts, and measures app-servers on them.
///
/// A comparison is one run over several servers: the table shows every quantity for the first server, and behind
/// those of the others how many times the first one's they are. The servers' model is a scripted one on loopback, so
/// that nothing needs a login or a network.
#[derive(Parser)]
#[command(name = "bench", version, about, long_about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a home, and say what is in it
    Home {
        /// The folder; made when it is missing
        home: PathBuf,
        #[command(flatten)]
        corpus: Corpus,
    },
    /// Measure servers, and print the table
    Run(Run),
}

/// What is measured of which servers.
#[derive(Args)]
struct Run {
    /// A server, as NAME=PROGRAM ARGUMENT...; the first one is ours
    #[arg(long = "server", value_name = "NAME=COMMAND", required = true)]
    servers: Vec<ServerCommand>,
    /// What is measured
    #[arg(long, value_enum, value_delimiter = ',', default_value = "turns,lists,giant,idle")]
    only: Vec<Subject>,
    /// Numbers of threads of the homes
    #[arg(long, value_delimiter = ',', default_value = "1000,20000")]
    threads: Vec<usize>,
    /// Size of a thread in KiB, on average
    #[arg(long, default_value_t = 65)]
    kib: usize,
    /// Sizes of giant threads, in MiB
    #[arg(long, value_name = "MIB", value_delimiter = ',', default_value = "1,100")]
    giant: Vec<u64>,
    /// Length of the giant lines in them, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    giant_line: usize,
    /// How many seconds a server is left idle
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    idle: u64,
    /// Where homes are made; they are removed again
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    homes: PathBuf,
    /// Write the values as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Starts, turns, streams and memory on an empty home
    Turns,
    /// Lists and calls on single threads, without an index and with it
    Lists,
    /// Calls on one giant thread
    Giant,
    /// What a server does when nobody asks anything
    Idle,
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Home { home, corpus } => {
            let began = Instant::now();
            let written = corpus.write(&home)?;
            println!("{}", described(&written, began));
            Ok(())
        }
        Command::Run(run) => {
            let sheet = run.measure()?;
            println!("{sheet}");
            match &run.json {
                Some(path) => fs::write(path, sheet.to_json().to_string())
                    .with_context(|| format!("cannot write {}", path.display())),
                None => Ok(()),
            }
        }
    }
}

impl Run {
    fn measure(&self) -> Result<Sheet> {
        let model = MockModel::start();
        let mut sheet = Sheet::new(self.servers.iter().map(|server| server.name.clone()));
        if self.has(Subject::Turns) {
            let empty = Corpus { threads: 0, ..self.corpus(Giant::default()) };
            self.each(&mut sheet, "empty home", &empty, &model, |column, command, home, _| {
                measure::turns::measure(column, command, home, &model)
            })?;
        }
        for &threads in &self.threads {
            if self.has(Subject::Lists) || self.has(Subject::Idle) {
                let corpus = Corpus { threads, ..self.corpus(Giant::default()) };
                self.each(
                    &mut sheet,
                    &format!("{threads} threads"),
                    &corpus,
                    &model,
                    |column, command, home, written| {
                        if self.has(Subject::Lists) {
                            measure::lists::measure(column, command, home, written)?;
                        }
                        if self.has(Subject::Idle) {
                            let thread = written.listed.last().context("the home is empty")?;
                            measure::idle::measure(
                                column,
                                command,
                                home,
                                thread,
                                Duration::from_secs(self.idle),
                            )?;
                        }
                        Ok(())
                    },
                )?;
            }
        }
        for &giant in self.giant.iter().filter(|_| self.has(Subject::Giant)) {
            let corpus = Corpus { threads: 100, ..self.corpus(Giant { giant, giant_line: self.giant_line }) };
            self.each(
                &mut sheet,
                &format!("thread of {giant} MiB"),
                &corpus,
                &model,
                |column, command, home, written| {
                    let giant = written.giant.as_deref().context("no giant thread")?;
                    measure::giant::measure(column, command, home, giant)
                },
            )?;
        }
        Ok(sheet)
    }

    /// Writes a home, and measures one server after the other on it; each finds the rollouts alone.
    fn each(
        &self,
        sheet: &mut Sheet,
        title: &str,
        corpus: &Corpus,
        model: &MockModel,
        measure: impl Fn(&mut sheet::Column<'_>, &ServerCommand, &Path, &Written) -> Result<()>,
    ) -> Result<()> {
        let home = tempfile::Builder::new().prefix("bench-home-").tempdir_in(&self.homes)?;
        let home = home.path().canonicalize()?;
        let began = Instant::now();
        let written = corpus.write(&home)?;
        eprintln!("{title}: {}", described(&written, began));
        for (number, command) in self.servers.iter().enumerate() {
            eprintln!(" {}", command.name);
            forget(&home)?;
            write_config(&home, model.url())?;
            let mut column = sheet.column(title, number);
            if let Err(error) = measure(&mut column, command, &home, &written) {
                column.put("ended early", Err(error));
            }
        }
        Ok(())
    }

    fn corpus(&self, giant: Giant) -> Corpus {
        Corpus { threads: 0, kib: self.kib, archived: 0.05, exec: 0.2, seed: 1, hostile: false, giant }
    }

    fn has(&self, subject: Subject) -> bool {
        self.only.contains(&subject)
    }
}

fn described(written: &Written, began: Instant) -> String {
    let (mebibytes, seconds) = (written.bytes >> 20, began.elapsed().as_secs_f64());
    format!(
        "{} threads, {} of them listed unasked, {mebibytes} MiB, in {seconds:.1} s",
        written.threads,
        written.listed.len()
    )
}
