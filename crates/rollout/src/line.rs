//! One line of a rollout, as it was read.

use chrono::{DateTime, Utc};
use items::ResponseItem;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{Compacted, Event, SessionMeta, TurnContext};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The thread itself; also the one by which a numbered file says it anew.
    SessionMeta,
    /// Something that the model knows.
    ResponseItem,
    /// Something that happened.
    EventMsg,
    /// What a turn ran with.
    TurnContext,
    /// What replaced the history that the model knew.
    Compacted,
    /// Anything that we do not know.
    Other,
}

/// One line. Its payload is decoded by who needs it.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// When it was written, as it stands there.
    timestamp: Option<&'a RawValue>,
    /// Its number, in files that have them.
    pub ordinal: Option<u64>,
    /// What it is about.
    pub kind: Kind,
    /// What it says.
    pub payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ordinal: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: &'a RawValue,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl<'a> Line<'a> {
    /// Reads a line; `None` where it is damaged.
    ///
    /// A byte order mark, NULs and blanks around the object are no damage, and a time or number that is none is as good
    /// as absent.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(trimmed(bytes)).ok()?;
        if !text.starts_with('{') {
            return None;
        }
        let Envelope { timestamp, ordinal, kind, payload } = serde_json::from_str(text).ok()?;
        let ordinal = ordinal.and_then(|number| serde_json::from_str(number.get()).ok());
        let kind = match kind.get() {
            r#""session_meta""# | r#""session_meta_update""# => Kind::SessionMeta,
            r#""response_item""# => Kind::ResponseItem,
            r#""event_msg""# => Kind::EventMsg,
            r#""turn_context""# => Kind::TurnContext,
            r#""compacted""# => Kind::Compacted,
            _ => Kind::Other,
        };
        Some(Self { timestamp, ordinal, kind, payload })
    }

    /// Reads when it was written; few who read many lines want to know.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        serde_json::from_str(self.timestamp?.get()).ok()
    }

    /// Decodes an event.
    pub fn event(&self) -> Option<Event> {
        self.decode(Kind::EventMsg)
    }

    /// Decodes a session record.
    pub fn session_meta(&self) -> Option<SessionMeta> {
        self.decode(Kind::SessionMeta)
    }

    /// Decodes an item that the model knows.
    pub fn response_item(&self) -> Option<ResponseItem> {
        self.decode(Kind::ResponseItem)
    }

    /// Decodes what a turn ran with.
    pub fn turn_context(&self) -> Option<TurnContext> {
        self.decode(Kind::TurnContext)
    }

    /// Decodes a compaction.
    pub fn compacted(&self) -> Option<Compacted> {
        self.decode(Kind::Compacted)
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, kind: Kind) -> Option<T> {
        (self.kind == kind).then(|| serde_json::from_str(self.payload.get()).ok())?
    }
}

/// Takes a byte order mark, NULs and blanks off both ends.
pub(crate) fn trimmed(bytes: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let is_filler = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = bytes.iter().position(|byte| !is_filler(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_filler(byte)).map_or(start, |last| last + 1);
    let inner = &bytes[start..end];
    inner.strip_prefix(MARK).unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        r#"{"timestamp":"2025-01-05T12:00:00.000Z","type":"event_msg","payload":{"type":"x"}}"#;

    #[test]
    fn filler_around_a_line_is_no_damage() {
        for around in [("", ""), ("\u{feff}", ""), ("", "\r"), ("\0\0", "\0 "), ("  \u{feff}", "\t")] {
            let text = format!("{}{LINE}{}", around.0, around.1);
            assert_eq!(
                Line::parse(text.as_bytes()).map(|line| line.kind),
                Some(Kind::EventMsg),
                "{around:?}"
            );
        }
    }

    #[test]
    fn damage_is_told_from_what_we_do_not_know() {
        for (line, kind) in [
            (r#"{"type":"future","payload":null}"#, Some(Kind::Other)),
            (r#"{"timestamp":"x","ordinal":"y","type":"compacted","payload":{}}"#, Some(Kind::Compacted)),
            (r#"{"type":"session_meta_update","payload":{}}"#, Some(Kind::SessionMeta)),
            (r#"{"type":"event_msg"}"#, None),
            (r#"[1,2]"#, None),
            ("garbage", None),
            ("", None),
            (&LINE[..40], None),
        ] {
            assert_eq!(Line::parse(line.as_bytes()).map(|line| line.kind), kind, "{line}");
        }
        let mut bytes = LINE.as_bytes().to_vec();
        bytes[50] = 0xff;
        assert!(Line::parse(&bytes).is_none());
    }
}
