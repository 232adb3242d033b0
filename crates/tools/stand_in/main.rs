//! Stands in for the program in the tests of process ownership: as its supervisor, and as a server that gets killed.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Write},
};

use tools::exec::{Input, Label, Launch, Output, Sessions, Size, Stdio, Supervisor, supervise};

/// The argument that makes this a supervisor.
const SUPERVISE: &str = "supervise";

fn main() -> io::Result<()> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        [SUPERVISE, ..] => supervise(&arguments[..1], &arguments[1..]),
        ["serve", "terminal", script] => serve(Stdio::Terminal(Size::default()), script),
        ["serve", "pipes", script] => {
            serve(Stdio::Pipes { input: Input::Nothing, output: Output::Joined }, script)
        }
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Runs a script as a server would, passes on what it writes, and says how much memory that took when it has ended.
#[tokio::main]
async fn serve(stdio: Stdio, script: &str) -> io::Result<()> {
    let supervisor = Supervisor { program: env::current_exe()?, args: vec![SUPERVISE.into()] };
    let sessions = Sessions::new(supervisor, 1);
    let launch = Launch {
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        cwd: env::current_dir()?,
        env: env::vars_os().collect(),
        stdio,
    };
    let label = Label { item: "item".into(), command: script.into() };
    let (session, mut live) = sessions.start(launch, label).await.map_err(io::Error::other)?;
    let mut stdout = io::stdout();
    while let Some(text) = live.next().await {
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
    }
    session.exit().await;
    writeln!(stdout, "\nread {} bytes", session.output().bytes())?;
    let status = fs::read_to_string("/proc/self/status")?;
    writeln!(stdout, "{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default())?;
    session.gone().await;
    Ok(())
}
