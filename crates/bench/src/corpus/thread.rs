//! The lines of one thread, as the reference releases write them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{begin, uuid_v4, uuid_v7};

const WORDS: [&str; 32] = [
    "adapter", "batch", "channel", "decode", "encode", "filter", "graph", "hash", "input", "join", "kernel",
    "limit", "module", "number", "output", "packet", "quota", "reader", "signal", "table", "update",
    "vector", "window", "yield", "zone", "buffer", "commit", "delta", "error", "frame", "guard", "handle",
];

/// Two words of which a thread's first message may consist in this order: what searches look for.
pub const SEARCHED: &str = "graph window";

/// The last digits of each turn's id, until they are another for each piece of a giant thread.
pub const PIECE_DIGITS: &str = "00000000";

/// What begins threads that lists show unasked.
pub const SOURCES: [&str; 2] = ["vscode", "cli"];

/// How often the model calls a tool in a turn, at most.
pub const MOST_STEPS: usize = 4;

/// How many working folders the threads of a home are spread over.
const FOLDERS: usize = 40;

const INSTRUCTION_WORDS: usize = 600;

/// What the first line of a thread says.
pub struct About<'a> {
    id: &'a str,
    at: DateTime<Utc>,
    source: &'a str,
    cwd: String,
    branch: Option<String>,
    model: &'static str,
}

impl<'a> About<'a> {
    /// Chooses what is not given.
    pub fn of_number(id: &'a str, at: DateTime<Utc>, source: &'a str, random: &mut Rng) -> Self {
        let branch = match random.u8(0..3) {
            0 => None,
            1 => Some("main".to_owned()),
            _ => Some(format!("topic/{}", word(random))),
        };
        let model = ["gpt-5", "gpt-5-codex"][random.usize(0..2)];
        Self { id, at, source, cwd: format!("/home/dev/project-{}", random.usize(0..FOLDERS)), branch, model }
    }

    /// Writes the first line, and the first turn.
    pub fn head(&self, random: &mut Rng) -> String {
        let mut lines = Lines::from(self.at);
        let mut meta = json!({
            "id": self.id,
            "timestamp": stamp(self.at),
            "cwd": self.cwd,
            "originator": "codex_vscode",
            "cli_version": "0.120.0",
            "source": self.source,
            "model_provider": "mock_provider",
            "base_instructions": { "text": sentence(&mut Rng::with_seed(0), INSTRUCTION_WORDS) },
        });
        if let Some(branch) = &self.branch {
            meta["git"] = json!({
                "commit_hash": format!("{:040x}", random.u128(..)),
                "branch": branch,
                "repository_url": format!("git@example.com:org/{}.git", self.cwd.rsplit('/').next().unwrap_or_default()),
            });
        }
        lines.add("session_meta", meta);
        turn(&mut lines, random, &self.cwd, self.model, 1, MOST_STEPS);
        lines.text
    }
}

/// Writes turns until they are that long; each has up to so many steps.
pub fn body(random: &mut Rng, bytes: usize, most_steps: usize) -> String {
    let mut lines = Lines::from(begin());
    let mut number = 2;
    while lines.text.len() < bytes {
        turn(&mut lines, random, "/home/dev/project-0", "gpt-5", number, most_steps);
        number += 1;
    }
    lines.text
}

/// Writes one line.
pub fn line(at: DateTime<Utc>, kind: &str, payload: Value) -> String {
    let mut lines = Lines::from(at);
    lines.add(kind, payload);
    lines.text
}

struct Lines {
    at: DateTime<Utc>,
    text: String,
}

impl Lines {
    fn from(at: DateTime<Utc>) -> Self {
        Self { at, text: String::new() }
    }

    fn add(&mut self, kind: &str, payload: Value) {
        self.at += TimeDelta::milliseconds(300);
        // In the order in which servers write it: readers tell by the beginning what a line is about.
        let line = format!(r#"{{"timestamp":"{}","type":"{kind}","payload":{payload}}}"#, stamp(self.at));
        self.text.push_str(&line);
        self.text.push('\n');
    }

    /// Makes the id of a turn; those of a thread that is written in pieces are told apart by their last digits.
    fn turn_id(&self, random: &mut Rng) -> String {
        let mut id = uuid_v7(self.at, random);
        id.replace_range(id.len() - PIECE_DIGITS.len().., PIECE_DIGITS);
        id
    }

    fn event(&mut self, payload: Value) {
        self.add("event_msg", payload);
    }

    fn item(&mut self, payload: Value) {
        self.add("response_item", payload);
    }
}

fn turn(lines: &mut Lines, random: &mut Rng, cwd: &str, model: &str, number: u64, most_steps: usize) {
    let id = lines.turn_id(random);
    let asked = format!("{} #{number}", sentence(random, 9));
    lines.event(json!({
        "type": "task_started", "turn_id": id, "started_at": lines.at.timestamp(), "model_context_window": 258_400,
        "collaboration_mode_kind": "default",
    }));
    lines.add(
        "turn_context",
        json!({
            "turn_id": id, "cwd": cwd, "approval_policy": "on-request", "sandbox_policy": { "type": "read-only" },
            "model": model, "summary": "auto",
        }),
    );
    lines.item(message("user", "input_text", &asked));
    lines.event(json!({
        "type": "user_message", "message": asked, "images": [], "local_images": [], "text_elements": [],
    }));
    for _ in 0..random.usize(1..=most_steps) {
        step(lines, random);
    }
    let length = random.usize(20..200);
    let answered = sentence(random, length);
    lines.event(
        json!({ "type": "agent_message", "message": answered, "phase": null, "memory_citation": null }),
    );
    lines.item(message("assistant", "output_text", &answered));
    lines.event(json!({
        "type": "token_count", "rate_limits": null,
        "info": {
            "total_token_usage": usage(number), "last_token_usage": usage(1), "model_context_window": 258_400,
        },
    }));
    lines.event(json!({ "type": "task_complete", "turn_id": id, "last_agent_message": answered }));
}

/// The model thinks, and calls a tool.
fn step(lines: &mut Lines, random: &mut Rng) {
    let call = format!("call_{}", uuid_v4(random).simple());
    let (thought, secret, output) = (sentence(random, 20), random.usize(400..1800), random.usize(20..900));
    lines.item(json!({
        "type": "reasoning", "summary": [{ "type": "summary_text", "text": thought }], "content": null,
        "encrypted_content": "A".repeat(secret),
    }));
    let arguments = json!({ "cmd": format!("rg {} src", word(random)) }).to_string();
    lines.item(
        json!({ "type": "function_call", "name": "exec_command", "arguments": arguments, "call_id": call }),
    );
    let output = sentence(random, output);
    lines.item(json!({ "type": "function_call_output", "call_id": call, "output": output }));
}

fn message(role: &str, kind: &str, text: &str) -> Value {
    json!({ "type": "message", "role": role, "content": [{ "type": kind, "text": text }] })
}

fn usage(turns: u64) -> Value {
    json!({
        "input_tokens": 1000 * turns, "cached_input_tokens": 0, "output_tokens": 50 * turns,
        "reasoning_output_tokens": 0, "total_tokens": 1050 * turns,
    })
}

fn sentence(random: &mut Rng, words: usize) -> String {
    let mut text = word(random).to_owned();
    for _ in 1..words {
        text.push(' ');
        text.push_str(word(random));
    }
    text
}

fn word(random: &mut Rng) -> &'static str {
    WORDS[random.usize(0..WORDS.len())]
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, /*use_z*/ true)
}
