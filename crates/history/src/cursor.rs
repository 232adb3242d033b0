//! Places in a thread, as text that clients hand back.
//!
//! A cursor is a position in the rollout, not a count: what is stored or taken back meanwhile shifts nothing.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::HistoryError;

/// A place among turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TurnCursor {
    /// Where the turn begins.
    pub turn: u64,
    /// The page begins with that turn, not behind it.
    pub inclusive: bool,
    /// How long the thread was when it was known that nothing behind the turn concerns older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// The number of the next item without an id where the turn begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

/// A place among items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemCursor {
    /// Where the item's turn begins.
    pub turn: u64,
    /// Where the item's first record stands.
    pub item: u64,
    /// The page begins with that item, not behind it.
    pub inclusive: bool,
}

impl ItemCursor {
    /// Returns the place of the item's turn.
    pub(crate) fn turn(self) -> TurnCursor {
        TurnCursor { turn: self.turn, inclusive: true, seen: None, number: None }
    }
}

/// Reads a cursor that a client gave back.
pub(crate) fn read<C: DeserializeOwned>(text: Option<&str>) -> Result<Option<C>, HistoryError> {
    let read =
        |text: &str| serde_json::from_str(text).map_err(|_| HistoryError::InvalidCursor(text.to_owned()));
    text.map(read).transpose()
}

/// Writes a cursor for a client.
pub(crate) fn write(cursor: &impl Serialize) -> String {
    // The cursors above are structs of numbers and flags, which always have a JSON text.
    serde_json::to_string(cursor).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for cursor in [
            TurnCursor { turn: 7, inclusive: false, seen: Some(9), number: Some(3) },
            TurnCursor { turn: 0, inclusive: true, seen: None, number: None },
        ] {
            assert_eq!(read(Some(&write(&cursor))).unwrap(), Some(cursor));
        }
        let cursor = ItemCursor { turn: 7, item: u64::MAX, inclusive: true };
        assert_eq!(read(Some(&write(&cursor))).unwrap(), Some(cursor));
        assert_eq!(read::<TurnCursor>(None).unwrap(), None);
    }

    #[test]
    fn what_is_no_cursor_is_refused_with_its_text() {
        let of_an_item = write(&ItemCursor { turn: 1, item: 2, inclusive: false });
        for text in ["", "zzz", r#"{"a":1}"#, r#"{"turn":-1,"inclusive":true}"#, &of_an_item] {
            let error = read::<TurnCursor>(Some(text)).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid cursor: {text}"));
        }
    }
}
