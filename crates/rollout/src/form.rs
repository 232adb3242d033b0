//! The two forms of a rollout, and how our records are put into each.
//!
//! Older files keep messages as events of their own kinds. Newer ones number their lines, and keep every item as
//! `item_completed`. A file goes on in the form that it has, since other programs refuse one of mixed forms.

use std::{fs::File, io, io::Read as _, path::Path, slice};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    Line, Record, Segment, SessionMeta, ThreadId, backward, completed,
    head::{self, First},
    record::timestamp,
};

/// The form of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Events, without numbers.
    Events,
    /// Items, each line with the number after the one before.
    Ordinals {
        /// The number of the next line.
        next: u64,
        /// The thread.
        thread: ThreadId,
        /// The turn that our last record was of: an item names its turn, but not every event does.
        turn: Option<String>,
    },
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordinal: Option<u64>,
    #[serde(rename = "type")]
    kind: &'a str,
    payload: &'a T,
}

impl Form {
    /// Reads the form off a file: the session record says it, the last numbered line where it stands.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(match head::first(path)? {
            Some(First { meta, numbered: true }) => {
                Self::Ordinals { next: next_ordinal(path)?, thread: meta.id, turn: None }
            }
            _ => Self::Events,
        })
    }

    /// Returns the form of a file that begins with this record.
    pub(crate) fn of_new(meta: &SessionMeta) -> Self {
        match meta.history_mode.as_deref() {
            Some("paginated") => Self::Ordinals { next: 0, thread: meta.id, turn: None },
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
            *next = next_ordinal(path)?;
        }
        Ok(())
    }

    /// Renders records as lines, with their line breaks, and moves the numbering on.
    pub(crate) fn render(&mut self, records: &[Record], now: DateTime<Utc>) -> serde_json::Result<Vec<u8>> {
        let items;
        let records = match self {
            Self::Events => records,
            Self::Ordinals { thread, turn, .. } => {
                items = completed::records(records, *thread, turn, now.timestamp_millis());
                &items
            }
        };
        let mut lines = Vec::new();
        for record in records {
            lines.append(&mut match record {
                Record::SessionMeta(meta) => self.meta_line(meta, now),
                Record::ResponseItem(item) => self.line("response_item", item, now),
                Record::EventMsg(event) => self.line("event_msg", event, now),
                Record::TurnContext(context) => self.line("turn_context", context, now),
                Record::Compacted(compacted) => self.line("compacted", compacted, now),
            }?);
        }
        Ok(lines)
    }

    /// Renders a session record.
    ///
    /// In a numbered file only the first one is called so: release 0.169 takes any for the beginning, and its model
    /// would forget what is before it. It passes over lines of kinds that it does not know.
    pub(crate) fn meta_line(
        &mut self,
        meta: &impl Serialize,
        now: DateTime<Utc>,
    ) -> serde_json::Result<Vec<u8>> {
        let kind = match self {
            Self::Ordinals { next: 1.., .. } => "session_meta_update",
            _ => "session_meta",
        };
        self.line(kind, meta, now)
    }

    /// Renders one line, with its line break, and moves the numbering on.
    fn line<T: Serialize>(
        &mut self,
        kind: &str,
        payload: &T,
        now: DateTime<Utc>,
    ) -> serde_json::Result<Vec<u8>> {
        let ordinal = match self {
            Self::Events => None,
            Self::Ordinals { next, .. } => {
                *next += 1;
                Some(*next - 1)
            }
        };
        let mut line = serde_json::to_vec(&Envelope { timestamp: &timestamp(now), ordinal, kind, payload })?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Tells whether a file is of the numbered form, by its first line.
pub(crate) fn is_numbered(path: &Path) -> bool {
    let mut first = [0; 256];
    let read = File::open(path).and_then(|mut file| file.read(&mut first));
    read.is_ok_and(|read| memchr::memmem::find(&first[..read], b"\"ordinal\":").is_some())
}

fn next_ordinal(path: &Path) -> io::Result<u64> {
    let mut lines = backward(slice::from_ref(&Segment::whole(path)));
    while let Some(line) = lines.next()? {
        if let Some(last) = Line::parse(line.bytes).and_then(|line| line.ordinal) {
            return Ok(last.saturating_add(1));
        }
    }
    Ok(0)
}
