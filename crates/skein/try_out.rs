//! `skein try`: a whole conversation with the real server, for a person to look at.
//!
//! The server runs as a subprocess and is spoken to as any client would; only the model is the bundled script.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// Runs the conversation and prints it.
pub(crate) fn run(message: &str) -> anyhow::Result<()> {
    let home = scratch_home()?;
    let mut server = Server::start(&home)?;
    let hello =
        server.call("initialize", json!({ "clientInfo": { "name": "skein_try", "version": "0" } }))?;
    say(&format!("Server    {}", text(&hello, "/userAgent")))?;
    say(&format!("Home      {}\n", home.display()))?;

    let thread = server.call("thread/start", json!({ "cwd": home }))?;
    let id = text(&thread, "/thread/id").to_owned();
    server.call("turn/start", json!({ "threadId": id, "input": [{ "type": "text", "text": message }] }))?;
    let ended = server.wait("turn/completed")?;
    say(&format!("You       {message}"))?;
    for item in server.completed_items() {
        if text(&item, "/type") == "agentMessage" {
            say(&format!("Agent     {}", text(&item, "/text").replace('\n', "\n          ")))?;
        }
    }
    say(&format!("          (turn {}, {} ms)\n", text(&ended, "/turn/status"), ended["turn"]["durationMs"]))?;

    let patch = json!({ "threadId": id, "gitInfo": { "branch": "feature/try" } });
    let patched = server.call("thread/metadata/update", patch)?;
    say(&format!("Patched   the thread's branch to {}", text(&patched, "/thread/gitInfo/branch")))?;
    say("Stored    threads, as a list shows them:")?;
    let list = server.call("thread/list", json!({}))?;
    for thread in list["data"].as_array().into_iter().flatten() {
        let (id, preview) = (text(thread, "/id"), text(thread, "/preview"));
        let branch = text(thread, "/gitInfo/branch");
        say(&format!("          {id}  on {branch}  \"{preview}\""))?;
    }
    say(&format!("\nRollout   {}", text(&thread, "/thread/path")))?;
    say("          One JSON object a line; delete the home when you have seen enough.")?;
    server.stop()
}

/// A folder that stays, so that what was written can be looked at.
fn scratch_home() -> anyhow::Result<PathBuf> {
    let folder =
        tempfile::Builder::new().prefix("skein-try-").tempdir().context("cannot make a scratch home")?;
    Ok(folder.keep())
}

/// Prints a line; a reader that went away is the end of it.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot print")
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The server, and what it said.
struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next_id: i64,
    told: Vec<Value>,
}

impl Server {
    fn start(home: &PathBuf) -> anyhow::Result<Self> {
        let program = env::current_exe().context("cannot find this program")?;
        let mut process = Command::new(program)
            .args(["app-server", "-c", r#"model_provider="scripted""#])
            .env("CODEX_HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let input = process.stdin.take().context("no way to the server")?;
        let output = BufReader::new(process.stdout.take().context("no way from the server")?);
        Ok(Self { process, input, output, next_id: 0, told: Vec::new() })
    }

    fn call(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        writeln!(self.input, "{}", json!({ "id": id, "method": method, "params": params }))?;
        loop {
            let mut message = self.read()?;
            if message["id"] != id {
                self.told.push(message);
            } else if message["error"].is_null() {
                return Ok(message["result"].take());
            } else {
                bail!("{method}: {}", text(&message, "/error/message"));
            }
        }
    }

    fn wait(&mut self, method: &str) -> anyhow::Result<Value> {
        loop {
            if let Some(note) = self.told.iter().find(|note| note["method"] == method) {
                return Ok(note["params"].clone());
            }
            let message = self.read()?;
            self.told.push(message);
        }
    }

    fn completed_items(&self) -> Vec<Value> {
        let completed = self.told.iter().filter(|note| note["method"] == "item/completed");
        completed.map(|note| note["params"]["item"].clone()).collect()
    }

    fn read(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the server ended without an answer");
        }
        serde_json::from_str(&line).context("the server said something that is no JSON")
    }

    /// Closes the server's input, which ends it, and waits for that.
    fn stop(self) -> anyhow::Result<()> {
        let Self { mut process, input, .. } = self;
        drop(input);
        let status = process.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}
