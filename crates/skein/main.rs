//! The program: arguments, environment and logging; everything else is in the crates.

mod cli;
mod logging;
mod try_out;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "the reason why nothing was started")]
            {
                eprintln!("Error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
