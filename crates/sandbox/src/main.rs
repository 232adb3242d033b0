//! The helper on its own: what the tests of this crate start, and a way to try a sandbox by hand.

use std::env;
use std::process::ExitCode;

use sandbox::confine;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1).peekable();
    args.next_if(|arg| arg == confine::ARGUMENT);
    confine::main(args)
}
