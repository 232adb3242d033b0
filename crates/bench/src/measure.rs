//! What is measured, each subject in a file of its own; all of them take any server.

pub mod giant;
pub mod idle;
pub mod lists;
pub mod turns;

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    server::{PATIENCE, Server},
    sheet::Cell,
};

/// How long a server must have used no processor time to be at rest.
const REST: Duration = Duration::from_secs(1);

/// Writes the configuration that lets a server use the scripted model.
pub fn write_config(home: &Path, model_url: &str) -> Result<()> {
    let config = format!(
        r#"model = "mock-model"
model_provider = "mock_provider"
approval_policy = "never"
sandbox_mode = "read-only"
check_for_update_on_startup = false

[features]
sqlite = true

[analytics]
enabled = false

[model_providers.mock_provider]
name = "scripted"
base_url = "{model_url}"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"#
    );
    fs::write(home.join("config.toml"), config)
        .with_context(|| format!("cannot write into {}", home.display()))
}

/// Removes what servers have left in a home, so that the next one finds the rollouts alone.
pub fn forget(home: &Path) -> Result<()> {
    for entry in fs::read_dir(home)? {
        let entry = entry?;
        let name = entry.file_name();
        if ["sessions", "archived_sessions"].iter().any(|kept| name == *kept) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// Calls a method once for each of the params; returns the median time.
fn median(server: &mut Server, method: &str, params: impl IntoIterator<Item = Value>) -> Result<Cell> {
    let times = params.into_iter().map(|params| Ok(server.timed(method, params)?.0));
    middle(times.collect::<Result<_>>()?)
}

fn middle(mut times: Vec<Duration>) -> Result<Cell> {
    times.sort_unstable();
    times.get(times.len() / 2).map(|time| Cell::Time(*time)).context("nothing was measured")
}

/// Waits until a server uses no processor time any more; returns how long it did, at most [`PATIENCE`].
fn rest(server: &Server) -> Duration {
    let began = Instant::now();
    let (mut last, mut changed) = (server.counters().cpu, began);
    while changed.elapsed() < REST && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
        let now = server.counters().cpu;
        if now != last {
            (last, changed) = (now, Instant::now());
        }
    }
    changed - began
}

/// Runs a turn from its start to its end; returns the time that took.
fn turn(server: &mut Server, thread: &str) -> Result<Duration> {
    let began = Instant::now();
    let started = server.call("turn/start", say_hi(thread))?;
    let turn = started["turn"]["id"].clone();
    let completed = server.note("turn/completed", |params| params["turn"]["id"] == turn)?;
    let took = began.elapsed();
    let turn = &completed["turn"];
    ensure!(turn["status"] == "completed", "the turn ended as {}: {}", turn["status"], turn["error"]);
    Ok(took)
}

fn say_hi(thread: &str) -> Value {
    json!({ "threadId": thread, "input": [{ "type": "text", "text": "hi" }] })
}

fn start_thread(server: &mut Server, cwd: &Path) -> Result<(Duration, String)> {
    let (took, started) = server.timed("thread/start", json!({ "model": "mock-model", "cwd": cwd }))?;
    let id = started["thread"]["id"].as_str().context("a thread without an id")?;
    Ok((took, id.to_owned()))
}

fn millis(millis: u64) -> Option<Cell> {
    Some(Cell::Time(Duration::from_millis(millis)))
}

fn mebibytes(mebibytes: u64) -> Option<Cell> {
    Some(Cell::Bytes(mebibytes << 20))
}
