//! What is kept of a turn's items while its records pass by.
//!
//! A turn can be larger than memory, so what nobody asked for is let go at once, not after the turn was read.

use std::collections::VecDeque;

use protocol::{MessagePhase, ThreadItem, TurnItemsView};

use crate::item::{Times, extend};
use crate::mark::ItemRole;
use crate::size::wire_size;

/// An item and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub item: ThreadItem,
    /// Where its first record stands.
    pub at: u64,
    pub times: Times,
}

/// Which items are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keep {
    /// All, whatever they weigh.
    All,
    /// All while they weigh no more than this on the wire; the summary once they do.
    Within(usize),
    /// The person's messages and the answer.
    Summary,
    /// None.
    Nothing,
    /// The first of those that begin at `from` or later.
    First { from: u64, window: Window },
    /// The last of those that begin before `until`.
    Last { until: u64, window: Window },
}

/// How much of many items is kept; the first in line always is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub count: usize,
    pub bytes: usize,
}

/// The kept items of one turn.
#[derive(Debug)]
pub(crate) struct Shelf {
    keep: Keep,
    items: VecDeque<Kept>,
    /// What the items weigh on the wire, where that matters.
    bytes: usize,
    /// Items were let go that a larger window had held.
    overflowed: bool,
}

impl Shelf {
    pub(crate) fn new(keep: Keep) -> Self {
        Self { keep, items: VecDeque::new(), bytes: 0, overflowed: false }
    }

    /// Tells whether an item of this role that begins here is wanted: others need not be built.
    pub(crate) fn wants(&self, role: ItemRole, at: u64) -> bool {
        match self.keep {
            Keep::All | Keep::Within(_) => true,
            Keep::Summary => matches!(role, ItemRole::UserMessage | ItemRole::AgentMessage),
            Keep::Nothing => false,
            Keep::First { from, .. } => at >= from,
            Keep::Last { until, .. } => at < until,
        }
    }

    /// Tells whether no later item can be wanted.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self.keep, Keep::First { .. }) && self.overflowed
    }

    /// Puts an item on the shelf.
    pub(crate) fn push(&mut self, kept: Kept) {
        match self.keep {
            Keep::All => self.items.push_back(kept),
            Keep::Nothing => {}
            Keep::Summary => self.push_to_summary(kept),
            Keep::Within(bytes) => {
                self.bytes += wire_size(&kept.item);
                self.items.push_back(kept);
                if self.bytes > bytes {
                    self.overflowed = true;
                    self.keep = Keep::Summary;
                    std::mem::take(&mut self.items).into_iter().for_each(|kept| self.push_to_summary(kept));
                }
            }
            Keep::First { window, .. } => {
                let weight = wire_size(&kept.item);
                let fits = self.items.len() < window.count && self.bytes + weight <= window.bytes;
                if !self.overflowed && (fits || self.items.is_empty()) {
                    self.bytes += weight;
                    self.items.push_back(kept);
                } else {
                    self.overflowed = true;
                }
            }
            Keep::Last { window, .. } => {
                self.bytes += wire_size(&kept.item);
                self.items.push_back(kept);
                while self.items.len() > window.count || (self.bytes > window.bytes && self.items.len() > 1) {
                    let Some(dropped) = self.items.pop_front() else { break };
                    self.bytes -= wire_size(&dropped.item);
                    self.overflowed = true;
                }
            }
        }
    }

    /// Adds a further part to the last item, if that is the one of this id and is kept at all.
    pub(crate) fn extend(&mut self, id: &str, times: Times, part: impl FnOnce() -> Option<ThreadItem>) {
        let Some(last) = self.items.back_mut().filter(|last| last.item.id() == id) else { return };
        if let Some(part) = part() {
            extend(&mut last.item, part);
            last.times.completed_at_ms = times.completed_at_ms;
        }
    }

    /// Tells which of its items the turn has here.
    pub(crate) fn view(&self) -> TurnItemsView {
        match self.keep {
            Keep::Nothing => TurnItemsView::NotLoaded,
            Keep::Summary => TurnItemsView::Summary,
            Keep::All | Keep::Within(_) | Keep::First { .. } | Keep::Last { .. } => TurnItemsView::Full,
        }
    }

    /// Tells whether something was let go for want of room.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Gives up the items, in order.
    pub(crate) fn into_items(self) -> VecDeque<Kept> {
        self.items
    }

    fn push_to_summary(&mut self, kept: Kept) {
        match &kept.item {
            ThreadItem::UserMessage { .. } => self.items.push_back(kept),
            ThreadItem::AgentMessage { phase, .. } => {
                let rank = answer_rank(*phase);
                let better = |old: &Kept| matches!(old.item, ThreadItem::AgentMessage { phase, .. } if answer_rank(phase) > rank);
                if !self.items.iter().any(better) {
                    self.items.retain(|old| !matches!(old.item, ThreadItem::AgentMessage { .. }));
                    self.items.push_back(kept);
                }
            }
            _ => {}
        }
    }
}

/// How likely a message is the turn's answer; among equals it is the last.
fn answer_rank(phase: Option<MessagePhase>) -> u8 {
    match phase {
        Some(MessagePhase::Commentary) => 0,
        None => 1,
        Some(MessagePhase::FinalAnswer) => 2,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Puts items named by words on a shelf; `u` is a user's message, `c` commentary, `f` a final answer.
    fn shelved(keep: Keep, words: &str) -> (String, bool) {
        let mut shelf = Shelf::new(keep);
        for (at, word) in words.split(' ').enumerate() {
            let at = at as u64;
            if shelf.wants(role(word), at) {
                shelf.push(Kept { item: item(word), at, times: Times::default() });
            }
        }
        let overflowed = shelf.overflowed();
        let ids: Vec<_> = shelf.into_items().iter().map(|kept| kept.item.id().to_owned()).collect();
        (ids.join(" "), overflowed)
    }

    fn role(word: &str) -> ItemRole {
        match &word[..1] {
            "u" => ItemRole::UserMessage,
            "a" | "c" | "f" => ItemRole::AgentMessage,
            _ => ItemRole::Other,
        }
    }

    fn item(word: &str) -> ThreadItem {
        let id = word.to_owned();
        let message = |phase| ThreadItem::AgentMessage {
            id: word.to_owned(),
            text: String::new(),
            phase,
            memory_citation: None,
        };
        match &word[..1] {
            "u" => ThreadItem::UserMessage { id, client_id: None, content: Vec::new() },
            "a" => message(None),
            "c" => message(Some(MessagePhase::Commentary)),
            "f" => message(Some(MessagePhase::FinalAnswer)),
            _ => ThreadItem::ContextCompaction { id },
        }
    }

    #[test]
    fn a_summary_is_the_persons_words_and_the_answer() {
        for (words, expected) in [
            ("u1 x1 a1 x2 a2", "u1 a2"),
            ("u1 c1 x1 f1 c2", "u1 f1"),
            ("u1 a1 u2 a2", "u1 u2 a2"),
            ("u1 a1 u2", "u1 a1 u2"),
            ("u1 c1 c2", "u1 c2"),
            ("u1 a1 c1", "u1 a1"),
            ("x1", ""),
        ] {
            assert_eq!(shelved(Keep::Summary, words), (expected.to_owned(), false), "{words}");
        }
    }

    #[test]
    fn a_turn_that_weighs_too_much_becomes_its_summary() {
        let words = "u1 x1 a1 x2 a2";
        let weight = words.split(' ').map(|word| wire_size(&item(word))).sum();
        assert_eq!(shelved(Keep::Within(weight), words), (words.to_owned(), false));
        assert_eq!(shelved(Keep::Within(weight - 1), words), ("u1 a2".to_owned(), true));
        assert_eq!(shelved(Keep::Within(0), words), ("u1 a2".to_owned(), true));
    }

    #[test]
    fn a_window_holds_so_many_or_so_much_but_never_nothing() {
        let one = wire_size(&item("x1"));
        let window = |count, bytes| Window { count, bytes };
        for (keep, expected, overflowed) in [
            (Keep::First { from: 1, window: window(2, 999) }, "x2 x3", true),
            (Keep::First { from: 1, window: window(3, 999) }, "x2 x3 x4", false),
            (Keep::First { from: 0, window: window(9, 2 * one) }, "x1 x2", true),
            (Keep::First { from: 0, window: window(9, 0) }, "x1", true),
            (Keep::First { from: 4, window: window(9, 999) }, "", false),
            (Keep::Last { until: 3, window: window(2, 999) }, "x2 x3", true),
            (Keep::Last { until: 9, window: window(9, 2 * one) }, "x3 x4", true),
            (Keep::Last { until: 9, window: window(9, 0) }, "x4", true),
            (Keep::Last { until: 0, window: window(9, 0) }, "", false),
        ] {
            assert_eq!(shelved(keep, "x1 x2 x3 x4"), (expected.to_owned(), overflowed), "{keep:?}");
        }
    }
}
