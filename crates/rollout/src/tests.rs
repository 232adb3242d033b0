//! What holds over several files of this crate.

mod appending;
mod damage;
mod finding;
mod following;
mod patching;
mod summing;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Event, Home, Line, Record, Segment, SessionMeta, ThreadId, forward};

/// A home that is gone with the value.
struct Scratch {
    folder: TempDir,
    home: Home,
}

impl Scratch {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        Self { folder, home }
    }

    /// Writes a file below the home, and returns its path.
    fn file(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.root().join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

fn said(text: &str) -> Record {
    Record::EventMsg(serde_json::from_value(json!({ "type": "agent_message", "message": text })).unwrap())
}

fn line(kind: &str, payload: Value) -> String {
    json!({ "timestamp": "2025-01-05T12:00:00.000Z", "type": kind, "payload": payload }).to_string() + "\n"
}

fn meta_line(id: ThreadId) -> String {
    line("session_meta", json!({ "id": id, "timestamp": "2025-01-05T11:00:00.000Z", "cwd": "/w" }))
}

fn user_line(text: &str) -> String {
    line("event_msg", json!({ "type": "user_message", "message": text }))
}

fn meta(id: ThreadId, mode: Option<&str>) -> SessionMeta {
    SessionMeta { id, history_mode: mode.map(str::to_owned), ..SessionMeta::default() }
}

/// Returns what the model said in a file, whichever form the file has, and the numbers of those lines.
fn sayings(path: &Path) -> Vec<(String, Option<u64>)> {
    let mut lines = forward(&[Segment::whole(path)]);
    let mut said = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        let Some(line) = Line::parse(line.bytes) else { continue };
        match line.event() {
            Some(Event::AgentMessage { message, .. }) => said.push((message, line.ordinal)),
            Some(Event::ItemCompleted { item, .. }) => {
                said.push((item["content"][0]["text"].as_str().unwrap().to_owned(), line.ordinal));
            }
            _ => {}
        }
    }
    said
}
