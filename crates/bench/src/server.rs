//! Any server that speaks the protocol, driven over its standard input and output as an editor would.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    str::FromStr,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::usage::{Counters, Usage};

/// How long a server may take for one answer; the slowest known one needs four minutes to start on a large home.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// How long a server may take to end once its input has.
const END_WITHIN: Duration = Duration::from_secs(20);

/// A name for the table, and the command that starts a server: `NAME=PROGRAM ARGUMENT...`.
#[derive(Clone, Debug)]
pub struct ServerCommand {
    /// What the table calls the server.
    pub name: String,
    program: String,
    args: Vec<String>,
}

impl FromStr for ServerCommand {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, command) = text.split_once('=').context("not of the form NAME=PROGRAM ARGUMENT...")?;
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = words.next().context("the command is empty")?;
        Ok(Self { name: name.to_owned(), program, args: words.collect() })
    }
}

/// A server that runs, and has shaken hands. It is killed when it is dropped.
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    started: Instant,
    asked: u64,
    answers: HashMap<u64, Value>,
    notes: Vec<Value>,
}

impl Server {
    /// Starts a server on a home, and waits for the answer to `initialize`. Returns it with the time that took.
    pub fn start(command: &ServerCommand, home: &Path) -> Result<(Self, Duration)> {
        let log = File::create(home.join(format!("bench-{}.log", command.name)))?;
        let started = Instant::now();
        let mut child = Command::new(&command.program)
            .args(&command.args)
            .current_dir(home)
            .env_clear()
            .envs(
                ["PATH", "LANG", "TZ"]
                    .map(|name| (name, std::env::var_os(name).unwrap_or_else(OsString::new))),
            )
            .env("CODEX_HOME", home)
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", command.program))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the server has no output")?;
        let (sender, lines) = channel();
        // Ends with the server's output; unbounded, since a server must not wait for who measures it.
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if let Ok(message) = serde_json::from_slice(&line)
                    && sender.send(message).is_err()
                {
                    break;
                }
            }
        });
        let (answers, notes) = (HashMap::new(), Vec::new());
        let mut server = Self { child, stdin, lines, started, asked: 0, answers, notes };
        server.call(
            "initialize",
            json!({
                "clientInfo": { "name": "bench", "title": null, "version": "0.1.0" },
                "capabilities": { "experimentalApi": true },
            }),
        )?;
        let took = server.started.elapsed();
        server.write(&json!({ "method": "initialized" }))?;
        Ok((server, took))
    }

    /// Calls a method; an error that is answered is one here.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        let id = self.send(method, params)?;
        self.answer(id).with_context(|| method.to_owned())
    }

    /// Calls a method, and tells how long the answer took.
    pub fn timed(&mut self, method: &str, params: Value) -> Result<(Duration, Value)> {
        let asked = Instant::now();
        let answer = self.call(method, params)?;
        Ok((asked.elapsed(), answer))
    }

    /// Sends a request without waiting for its answer.
    pub fn send(&mut self, method: &str, params: Value) -> Result<u64> {
        self.asked += 1;
        self.write(&json!({ "id": self.asked, "method": method, "params": params }))?;
        Ok(self.asked)
    }

    /// Waits for the answer to a request.
    pub fn answer(&mut self, id: u64) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(mut answer) = self.answers.remove(&id) {
                ensure!(answer.get("error").is_none(), "answered an error: {}", answer["error"]);
                return Ok(answer["result"].take());
            }
            self.take_in(deadline)?;
        }
    }

    /// Waits for a notification that fits, and takes it; returns its params.
    pub fn note(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = 0;
        loop {
            let found =
                self.notes[seen..].iter().position(|note| note["method"] == method && fits(&note["params"]));
            if let Some(at) = found {
                return Ok(self.notes.remove(seen + at)["params"].take());
            }
            seen = self.notes.len();
            self.take_in(deadline).with_context(|| format!("no {method}"))?;
        }
    }

    /// Forgets the notifications seen so far; returns how many there were of a method.
    pub fn forget_notes(&mut self, method: &str) -> usize {
        self.notes.drain(..).filter(|note| note["method"] == method).count()
    }

    /// Returns what the server and its children have used so far.
    pub fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }

    /// Returns what the kernel has counted for the server and its children so far.
    pub fn counters(&self) -> Counters {
        Counters::of(self.child.id())
    }

    /// Ends the server's input, and waits for its end.
    pub fn stop(mut self) -> Result<()> {
        drop(self.stdin.take());
        let deadline = Instant::now() + END_WITHIN;
        while Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(2));
        }
        bail!("it does not end when its input does")
    }

    fn write(&mut self, message: &Value) -> Result<()> {
        let stdin = self.stdin.as_mut().context("its input has ended")?;
        stdin.write_all(format!("{message}\n").as_bytes())?;
        Ok(())
    }

    fn take_in(&mut self, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        let message = match self.lines.recv_timeout(left) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => bail!("no answer in {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("the server has ended"),
        };
        match message["id"].as_u64() {
            Some(id) if message.get("method").is_none() => drop(self.answers.insert(id, message)),
            _ => self.notes.push(message),
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
