//! What a list shows of a rollout, from its head and its tail.
//!
//! A list of many thousands of threads is made of this, so no more of a file is read than that, and no line is
//! decoded that is not needed.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Event, GitInfo, Kind, Line, MAX_LINE, RolloutError, SessionMeta, ThreadId};

/// Which state of a file something was read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its length.
    pub size: u64,
    /// When it changed last, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Which file it is.
    pub ino: u64,
}

/// What a list shows of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The thread.
    pub id: ThreadId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its working folder.
    pub cwd: String,
    /// The client that made it.
    pub originator: String,
    /// The release that made it.
    pub cli_version: String,
    /// What kind of program it comes from, as in the file; null where it does not say.
    pub source: Value,
    /// Its provider.
    pub model_provider: Option<String>,
    /// The model of its last turn.
    pub model: Option<String>,
    /// How hard its last turn was to think.
    pub reasoning_effort: Option<String>,
    /// The text of the first message of the person; `None` before there is one.
    pub preview: Option<String>,
    /// The repository that it works in.
    pub git: Option<GitInfo>,
    /// When the git metadata was patched; `None` while it is that of the start.
    pub git_at: Option<DateTime<Utc>>,
    /// The thread that it was forked from.
    pub forked_from: Option<ThreadId>,
    /// The thread whose agent made it.
    pub parent: Option<ThreadId>,
    /// `paginated` where every line has a number.
    pub history_mode: Option<String>,
}

/// How much of the end is read: several turns of metadata, and less than what one read of a disk brings anyway.
const TAIL: u64 = 64 << 10;

/// How much of the beginning is read at first; a base prompt and the first message mostly fit.
const HEAD: usize = 32 << 10;

/// How far the first message of the person is looked for. Behind so much there is none that a person wrote first.
const MAX_HEAD: usize = 16 << 20;

impl Stamp {
    /// Takes the stamp of a file.
    pub fn of(meta: &Metadata) -> Self {
        let mtime_ns = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        Self { size: meta.len(), mtime_ns, ino: meta.ino() }
    }
}

/// Summarizes a file, as it was at the stamp; `None` where it has no session record.
pub fn summarize(path: &Path) -> Result<Option<(Summary, Stamp)>, RolloutError> {
    let file = File::open(path).map_err(RolloutError::io("open", path))?;
    let stamp = Stamp::of(&file.metadata().map_err(RolloutError::io("look at", path))?);
    let read = || -> io::Result<Option<Summary>> {
        let mut bytes = Vec::new();
        let Some((mut summary, head_end)) = head(&file, stamp.size, &mut bytes)? else { return Ok(None) };
        tail(&file, stamp.size, head_end, &mut bytes, &mut summary)?;
        Ok(Some(summary))
    };
    let summary = read().map_err(RolloutError::io("read", path))?;
    Ok(summary.map(|summary| (summary, stamp)))
}

/// Reads from the beginning to the first message of the person; returns where it stopped too.
fn head(file: &File, size: u64, bytes: &mut Vec<u8>) -> io::Result<Option<(Summary, u64)>> {
    let mut summary: Option<Summary> = None;
    let mut offset = 0;
    let mut want = HEAD;
    loop {
        read_at(file, bytes, offset, want.min((size - offset) as usize))?;
        let at_end = offset + bytes.len() as u64 >= size;
        let mut used = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") && !at_end {
                break;
            }
            used += line.len();
            if let Some(line) = Line::parse(line) {
                take_head_line(&mut summary, &line);
            }
            if summary.as_ref().is_some_and(|summary| summary.preview.is_some()) {
                return Ok(summary.map(|summary| (summary, offset + used as u64)));
            }
        }
        offset += used as u64;
        let no_more = at_end || (summary.is_some() && offset >= MAX_HEAD as u64);
        if no_more || want > MAX_LINE {
            return Ok(summary.map(|summary| (summary, offset)));
        }
        // A line that does not fit is read again with more room.
        want = if used == 0 { want * 4 } else { want };
    }
}

fn take_head_line(summary: &mut Option<Summary>, line: &Line<'_>) {
    match (&mut *summary, line.kind) {
        (None, Kind::SessionMeta) => {
            *summary = line.session_meta().map(|meta| Summary::begin(meta, line.timestamp))
        }
        (Some(summary), Kind::SessionMeta) => summary.take_meta(line),
        (Some(summary), Kind::TurnContext) => summary.take_turn_context(line),
        (Some(summary), Kind::EventMsg) => summary.preview = preview(line),
        _ => {}
    }
}

/// Reads what the end says later than the head: patched metadata, and what the last turn ran with.
fn tail(file: &File, size: u64, head_end: u64, bytes: &mut Vec<u8>, summary: &mut Summary) -> io::Result<()> {
    let start = head_end.max(size.saturating_sub(TAIL));
    read_at(file, bytes, start, (size - start) as usize)?;
    // The first piece may be the end of a line that began before it; it is then no object, and passed over.
    for line in bytes.split(|byte| *byte == b'\n') {
        let wanted = memchr::memmem::find(line, b"\"session_meta\"").is_some()
            || memchr::memmem::find(line, b"\"turn_context\"").is_some();
        if !wanted {
            continue;
        }
        match Line::parse(line) {
            Some(line) if line.kind == Kind::SessionMeta => summary.take_meta(&line),
            Some(line) if line.kind == Kind::TurnContext => summary.take_turn_context(&line),
            _ => {}
        }
    }
    Ok(())
}

fn read_at(file: &File, bytes: &mut Vec<u8>, offset: u64, len: usize) -> io::Result<()> {
    bytes.resize(len, 0);
    let mut read = 0;
    while read < len {
        match file.read_at(&mut bytes[read..], offset + read as u64) {
            Ok(0) => break, // another program cut the file meanwhile
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(())
}

impl Summary {
    /// Begins with the first session record.
    ///
    /// `written` stands in where the record does not say when the thread was made.
    pub fn begin(meta: SessionMeta, written: Option<DateTime<Utc>>) -> Self {
        let created = DateTime::parse_from_rfc3339(&meta.timestamp).ok().map(|time| time.to_utc());
        let source = meta.source.unwrap_or_default();
        let spawned = source.pointer("/subagent/thread_spawn/parent_thread_id").and_then(Value::as_str);
        let parent = meta.parent_thread_id.or_else(|| spawned?.parse().ok());
        Self {
            id: meta.id,
            created_at: created.or(written).unwrap_or_default(),
            cwd: meta.cwd,
            originator: meta.originator,
            cli_version: meta.cli_version,
            source,
            model_provider: meta.model_provider,
            model: None,
            reasoning_effort: None,
            preview: None,
            git: meta.git,
            git_at: None,
            forked_from: meta.forked_from_id,
            parent,
            history_mode: meta.history_mode,
        }
    }

    /// Takes a later session record of the same thread: it says what the git metadata is now.
    fn take_meta(&mut self, line: &Line<'_>) {
        if let Some(meta) = line.session_meta().filter(|meta| meta.id == self.id) {
            self.git = meta.git;
            self.git_at = line.timestamp;
        }
    }

    fn take_turn_context(&mut self, line: &Line<'_>) {
        if let Some(context) = line.turn_context() {
            self.model = context.model.or(self.model.take());
            self.reasoning_effort = context.effort;
        }
    }
}

/// Returns the text of a message of the person, from whichever event of a release holds it.
fn preview(line: &Line<'_>) -> Option<String> {
    // Most events are others; a search is cheaper than to decode them.
    let payload = line.payload.get();
    if !payload.contains("user_message") && !payload.contains("UserMessage") {
        return None;
    }
    match line.event()? {
        Event::UserMessage { message, .. } => Some(message).filter(|text| !items::is_injected_context(text)),
        Event::ItemCompleted { item, .. } if item["type"] == "UserMessage" => {
            let parts = item["content"].as_array()?.iter();
            Some(parts.filter_map(|part| part["text"].as_str()).collect())
        }
        _ => None,
    }
}
