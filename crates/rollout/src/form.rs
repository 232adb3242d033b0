//! The two forms of a rollout, and how our records are put into each.
//!
//! Older files keep messages as events of their own kinds. Newer ones number their lines, and keep every item as
//! `item_completed`. A file goes on in the form that it has, since other programs refuse one of mixed forms.

use std::{io, path::Path};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Event, Line, Record, Segment, SessionMeta, ThreadId, backward::Backward, forward, record::timestamp,
};

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Events, without numbers.
    Events,
    /// Items, each line with the number after the one before.
    Ordinals {
        /// The number of the next line.
        next: u64,
        /// The thread.
        thread: ThreadId,
    },
}

#[derive(Serialize)]
struct Numbered<'a> {
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordinal: Option<u64>,
    #[serde(flatten)]
    record: &'a Record,
}

impl Form {
    /// Reads the form off a file: the session record says it, the last numbered line where it stands.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let whole = whole(path);
        let mut lines = forward(std::slice::from_ref(&whole));
        while let Some(line) = lines.next()? {
            let Some(line) = Line::parse(line.bytes) else { continue };
            let Some(meta) = line.session_meta() else { continue };
            return match line.ordinal.is_some() || meta.history_mode.as_deref() == Some("paginated") {
                true => Ok(Self::Ordinals { next: next_ordinal(&whole)?, thread: meta.id }),
                false => Ok(Self::Events),
            };
        }
        Ok(Self::Events)
    }

    /// Returns the form of a file that begins with this record.
    pub(crate) fn of_new(meta: &SessionMeta) -> Self {
        match meta.history_mode.as_deref() {
            Some("paginated") => Self::Ordinals { next: 0, thread: meta.id },
            _ => Self::Events,
        }
    }

    /// Tells whether lines have numbers.
    pub(crate) fn is_numbered(&self) -> bool {
        matches!(self, Self::Ordinals { .. })
    }

    /// Takes up the numbering behind what another program appended.
    pub(crate) fn catch_up(&mut self, path: &Path) -> io::Result<()> {
        if let Self::Ordinals { next, .. } = self {
            *next = next_ordinal(&whole(path))?;
        }
        Ok(())
    }

    /// Renders records as lines, with their line breaks, and moves the numbering on.
    pub(crate) fn render(&mut self, records: &[Record], now: DateTime<Utc>) -> serde_json::Result<Vec<u8>> {
        let mut lines = Vec::new();
        let time = timestamp(now);
        let items;
        let records = match self {
            Self::Events => records,
            Self::Ordinals { thread, .. } => {
                items = as_items(records, *thread, now.timestamp_millis());
                &items
            }
        };
        for record in records {
            let ordinal = match self {
                Self::Events => None,
                Self::Ordinals { next, .. } => {
                    *next += 1;
                    Some(*next - 1)
                }
            };
            serde_json::to_writer(&mut lines, &Numbered { timestamp: &time, ordinal, record })?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

fn whole(path: &Path) -> Segment {
    Segment { path: path.to_owned(), start: 0, end: None, thread: None }
}

fn next_ordinal(whole: &Segment) -> io::Result<u64> {
    let mut lines: Backward = crate::backward(std::slice::from_ref(whole));
    while let Some(line) = lines.next()? {
        if let Some(last) = Line::parse(line.bytes).and_then(|line| line.ordinal) {
            return Ok(last + 1);
        }
    }
    Ok(0)
}

/// Puts events that newer releases keep as items into that form; parts of one thought become one item.
fn as_items(records: &[Record], thread: ThreadId, now_ms: i64) -> Vec<Record> {
    let mut items: Vec<Record> = Vec::with_capacity(records.len());
    let mut turn = None;
    for record in records {
        let Record::EventMsg(event) = record else {
            items.push(record.clone());
            continue;
        };
        turn = turn_of(event).or(turn);
        let item = match event {
            Event::UserMessage { inputs, message, item_id, .. } => json!({
                "type": "UserMessage",
                "id": item_id,
                "content": inputs.as_ref().map_or_else(
                    || json!([{ "type": "text", "text": message, "text_elements": [] }]),
                    |inputs| inputs.iter().map(input).collect(),
                ),
            }),
            Event::AgentMessage { message, phase, item_id, .. } => json!({
                "type": "AgentMessage",
                "id": item_id,
                "content": [{ "type": "Text", "text": message }],
                "phase": phase,
            }),
            Event::AgentReasoning { text, item_id, .. } => match last_thought(&mut items, item_id.as_deref())
            {
                Some(thought) => {
                    push(thought, "summary_text", text);
                    continue;
                }
                None => {
                    json!({ "type": "Reasoning", "id": item_id, "summary_text": [text], "raw_content": [] })
                }
            },
            Event::AgentReasoningRawContent { text, item_id, .. } => {
                match last_thought(&mut items, item_id.as_deref()) {
                    Some(thought) => {
                        push(thought, "raw_content", text);
                        continue;
                    }
                    None => {
                        json!({ "type": "Reasoning", "id": item_id, "summary_text": [], "raw_content": [text] })
                    }
                }
            }
            Event::ContextCompacted { item_id, .. } => json!({ "type": "ContextCompaction", "id": item_id }),
            Event::WebSearchEnd { call_id, query, action, .. } => json!({
                "type": "WebSearch", "id": call_id, "query": query, "action": action,
            }),
            other => {
                items.push(Record::EventMsg(other.clone()));
                continue;
            }
        };
        items.push(Record::EventMsg(Event::ItemCompleted {
            thread_id: Some(thread.to_string()),
            turn_id: turn.clone(),
            item,
            started_at_ms: Some(now_ms),
            completed_at_ms: Some(now_ms),
        }));
    }
    items
}

fn turn_of(event: &Event) -> Option<String> {
    match event {
        Event::UserMessage { turn_id, .. }
        | Event::AgentMessage { turn_id, .. }
        | Event::AgentReasoning { turn_id, .. }
        | Event::AgentReasoningRawContent { turn_id, .. }
        | Event::ContextCompacted { turn_id, .. } => turn_id.clone(),
        _ => None,
    }
}

fn last_thought<'a>(items: &'a mut [Record], id: Option<&str>) -> Option<&'a mut Value> {
    match items.last_mut()? {
        Record::EventMsg(Event::ItemCompleted { item, .. })
            if item["type"] == "Reasoning" && item["id"].as_str() == id =>
        {
            Some(item)
        }
        _ => None,
    }
}

fn push(thought: &mut Value, field: &str, text: &str) {
    if let Some(parts) = thought[field].as_array_mut() {
        parts.push(text.into());
    }
}

/// An input in the spelling of these items, which is not that of the wire.
fn input(wire: &Value) -> Value {
    let mut item = wire.clone();
    match wire["type"].as_str() {
        Some("localImage") => item["type"] = "local_image".into(),
        Some("image") => item["image_url"] = wire["url"].clone(),
        _ => {}
    }
    item
}

/// Tells whether a file is of the numbered form, by its first line.
pub(crate) fn is_numbered(path: &Path) -> bool {
    let mut first = [0; 256];
    let read = std::fs::File::open(path).and_then(|mut file| io::Read::read(&mut file, &mut first));
    read.is_ok_and(|read| memchr::memmem::find(&first[..read], b"\"ordinal\":").is_some())
}
