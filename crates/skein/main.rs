//! The program: arguments, environment and logging; everything else is in the crates.

mod cli;
mod doctor;
mod logging;
mod try_out;

use std::{env, ffi::OsString, process::ExitCode};

use clap::Parser;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    // Before anything else, since both need a process of one thread.
    match args.split_first() {
        Some((first, rest)) if first == server::SUPERVISE => {
            return done(server::supervise(&args[..1], rest).map(|()| ExitCode::SUCCESS).map_err(Into::into));
        }
        Some((first, rest)) if first == server::CONFINE => return server::confine(rest.iter().cloned()),
        _ => {}
    }
    done(cli::Cli::parse().run())
}

fn done(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "the reason why nothing was started")]
            {
                eprintln!("Error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
