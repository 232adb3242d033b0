//! One thread that nobody would want to open.

use std::{io::Write, path::Path};

use anyhow::Result;
use chrono::TimeDelta;
use fastrand::Rng;
use serde_json::{Value, json};

use super::{
    DAYS, begin, make_file, path, set_changed,
    thread::{About, PIECE_DIGITS, body, line},
    uuid_v7,
};

/// How many bytes are made before they repeat, under other turn ids.
const PIECE: usize = 8 << 20;

/// How often the model calls a tool in a turn of such a thread, at most: some hundred kilobytes.
const MOST_STEPS: usize = 150;

/// A thread of many gigabytes, the newest of its home.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Giant {
    /// Add one thread of this many MiB
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    pub giant: u64,
    /// Give it lines of this many MiB: a tool's output in its middle, a command's near its end
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    pub giant_line: usize,
}

impl Giant {
    /// Writes the thread, if there is to be one; returns its id and size.
    pub fn write(self, home: &Path, random: &mut Rng) -> Result<Option<(String, u64)>> {
        let wanted = self.giant << 20;
        if wanted == 0 {
            return Ok(None);
        }
        let at = begin() + TimeDelta::days(DAYS);
        let id = uuid_v7(at, random);
        let mut file = make_file(&path(home, at, &id, /*is_archived*/ false))?;
        let mut pieces = Pieces::of(body(random, PIECE.min(usize::try_from(wanted)?), MOST_STEPS));
        let mut length = 0;
        let mut add = |bytes: &[u8]| -> Result<u64> {
            file.write_all(bytes)?;
            length += bytes.len() as u64;
            Ok(length)
        };
        let mut written = add(About::of_number(&id, at, "vscode", random).head(random).as_bytes())?;
        for (end, giant) in [(wanted / 2, output as fn(&str) -> (&'static str, Value)), (wanted, command)] {
            while written < end {
                written = add(pieces.next())?;
            }
            if self.giant_line > 0 {
                let (kind, payload) = giant(&"x".repeat(self.giant_line << 20));
                let inside = pieces.inside;
                let (before, behind) = pieces.next().split_at(inside);
                add(before)?;
                add(line(at, kind, payload).as_bytes())?;
                written = add(behind)?;
            }
        }
        set_changed(&file, at + TimeDelta::hours(1))?;
        Ok(Some((id, written)))
    }
}

/// What a tool told the model.
fn output(text: &str) -> (&'static str, Value) {
    ("response_item", json!({ "type": "function_call_output", "call_id": "call_giant", "output": text }))
}

/// What a command printed, as it is shown to the person.
fn command(text: &str) -> (&'static str, Value) {
    let payload = json!({
        "type": "exec_command_end", "call_id": "call_giant", "command": ["cat", "giant"], "cwd": "/", "parsed_cmd": [],
        "stdout": "", "stderr": "", "aggregated_output": text, "exit_code": 0, "duration": { "secs": 1, "nanos": 0 },
        "formatted_output": "", "status": "completed",
    });
    ("event_msg", payload)
}

/// The same text again and again, with other ids.
struct Pieces {
    text: Vec<u8>,
    /// Where the digits stand that tell the ids apart.
    digits: Vec<usize>,
    /// Where something may stand that happens in a turn.
    inside: usize,
    number: usize,
}

impl Pieces {
    fn of(text: String) -> Self {
        let ends = text.match_indices(PIECE_DIGITS).map(|(at, _)| at);
        // In a turn's id they end the text that it is.
        let digits = ends.filter(|at| text[at + PIECE_DIGITS.len()..].starts_with('"')).collect();
        let inside =
            text.find("\"task_complete\"").and_then(|end| text[..end].rfind('\n')).map_or(0, |end| end + 1);
        Self { text: text.into_bytes(), digits, inside, number: 0 }
    }

    fn next(&mut self) -> &[u8] {
        self.number += 1;
        let number = format!("{:0width$}", self.number, width = PIECE_DIGITS.len());
        for at in &self.digits {
            self.text[*at..at + number.len()].copy_from_slice(number.as_bytes());
        }
        &self.text
    }
}
