//! What an item is called: by its own id, or by its number among those of the thread that have none.
//!
//! A number follows from the lines before it and from nothing else: not from what was taken back since, nor from where
//! reading began. So an id, once told, stays.

use std::borrow::Cow;
use std::fmt;

use crate::mark::{ItemMark, ItemRole};

/// Gives items their ids, line by line.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    next: u64,
    /// The last item and its turn, while it is a reasoning that the next record may continue.
    thought: Option<(ItemId<'static>, usize)>,
}

/// The id of an item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemId<'a> {
    Own(Cow<'a, str>),
    Number(u64),
}

/// What an item is called, and whether it is new.
#[derive(Debug, PartialEq)]
pub(crate) struct Named<'a> {
    pub id: ItemId<'a>,
    /// The record is a further part of the item before it.
    pub continues: bool,
}

impl Numbers {
    /// Begins where the next item without an id gets this number; `1` at the start of a thread.
    pub(crate) fn from(next: u64) -> Self {
        Self { next, thought: None }
    }

    /// Returns the number that the next item without an id gets.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Names the item of a record of this turn; `None` for one that was taken back.
    pub(crate) fn name<'a>(&mut self, item: &ItemMark<'a>, turn: Option<usize>) -> Named<'a> {
        let thought = self.thought.take();
        if let Some((last, turn)) =
            thought.filter(|(_, last)| item.role == ItemRole::Thought && turn == Some(*last))
            && match (&last, &item.id) {
                (ItemId::Own(last), Some(own)) => last == own,
                (ItemId::Number(_), None) => true,
                _ => false,
            }
        {
            self.thought = Some((last.clone(), turn));
            return Named { id: last, continues: true };
        }
        let id = match &item.id {
            Some(own) => ItemId::Own(own.clone()),
            None => {
                self.next += 1;
                ItemId::Number(self.next - 1)
            }
        };
        if let Some(turn) = turn.filter(|_| item.role == ItemRole::Thought) {
            self.thought = Some((id.clone().into_owned(), turn));
        }
        Named { id, continues: false }
    }

    /// Ends what the next record might have continued: a turn began or ended.
    pub(crate) fn interrupt(&mut self) {
        self.thought = None;
    }
}

impl ItemId<'_> {
    fn into_owned(self) -> ItemId<'static> {
        match self {
            Self::Own(id) => ItemId::Own(id.into_owned().into()),
            Self::Number(number) => ItemId::Number(number),
        }
    }
}

impl fmt::Display for ItemId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(id) => f.write_str(id),
            Self::Number(number) => write!(f, "item-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::mark::Mark;

    const END: &str = r#"{"type":"task_complete","turn_id":"A"}"#;
    const AGENT: &str = r#"{"type":"agent_message","message":"a"}"#;
    const CALL: &str = r#"{"type":"patch_apply_end","call_id":"c"}"#;
    const THOUGHT: &str = r#"{"type":"agent_reasoning","text":"t"}"#;
    const RAW: &str = r#"{"type":"agent_reasoning_raw_content","text":"t"}"#;
    const R: &str = r#"{"type":"agent_reasoning","text":"t","item_id":"r"}"#;
    const S: &str = r#"{"type":"agent_reasoning","text":"t","item_id":"s"}"#;

    #[test]
    fn items_without_ids_are_counted_and_thoughts_in_a_row_are_one() {
        let other = |payload| (Some(8), payload);
        let one = |payload| (Some(7), payload);
        for (records, expected) in [
            (&[AGENT, CALL, AGENT].map(one)[..], "item-1 c item-2"),
            (&[THOUGHT, THOUGHT, RAW, AGENT].map(one), "item-1 + + item-2"),
            (&[THOUGHT, AGENT, THOUGHT].map(one), "item-1 item-2 item-3"),
            (&[R, R, S].map(one), "r + s"),
            (&[R, THOUGHT, R].map(one), "r item-1 r"),
            (&[THOUGHT, END, THOUGHT].map(one), "item-1 | item-2"),
            (&[one(THOUGHT), other(THOUGHT), other(THOUGHT), one(THOUGHT)], "item-1 item-2 + item-3"),
            (&[(None, R), (None, R)], "r r"),
        ] {
            let mut numbers = Numbers::from(1);
            let named = records.iter().map(|(turn, payload)| match Mark::read(payload).unwrap() {
                Mark::Item(item) => match numbers.name(&item, *turn) {
                    Named { continues: true, .. } => "+".to_owned(),
                    Named { id, .. } => id.to_string(),
                },
                _ => {
                    numbers.interrupt();
                    "|".to_owned()
                }
            });
            assert_eq!(named.collect::<Vec<_>>().join(" "), expected);
        }
    }
}
