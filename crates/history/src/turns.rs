//! Which turn a record belongs to: the rules about marks, about threads without marks, late records and rollbacks.
//!
//! What is kept of a turn is the caller's choice: its items, or only where they stand in the file. Since both follow
//! these rules and no others, a page shows what a whole read shows.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::mark::{ItemMark, ItemRole};

/// The turns of a thread so far, in the order in which they began.
pub(crate) struct Turns<T> {
    slots: Vec<Slot<T>>,
    /// The turn that takes the records which name none.
    current: Option<usize>,
    /// Where the last turn of an id is. A long thread has very many, so an id is kept as its hash alone.
    known: HashMap<u64, usize>,
    /// Turns that were taken back: what still arrives for them is dropped.
    removed: HashSet<u64>,
    hasher: RandomState,
}

struct Slot<T> {
    value: T,
    id: u64,
    /// An older turn of the same id.
    older: Option<usize>,
    /// A record said that it begins; otherwise its first item did.
    marked: bool,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            current: None,
            known: HashMap::new(),
            removed: HashSet::new(),
            hasher: RandomState::new(),
        }
    }
}

impl<T> Turns<T> {
    /// Begins a marked turn; `new` makes what is kept of it.
    ///
    /// An id that was there before begins another turn all the same, unless that turn is still open.
    pub(crate) fn begin(&mut self, id: &str, new: impl FnOnce() -> T) -> usize {
        let open = self.current.filter(|&slot| self.slots[slot].id == self.hash(id));
        let slot = open.unwrap_or_else(|| self.open(id, /*marked*/ true, new()));
        self.current = Some(slot);
        slot
    }

    /// Finds the turn of an item; where it begins one, `new` makes it from the id that the record gives.
    ///
    /// A turn that begins without an id gets the one that `made_up` gives; `new` learns whether it was marked, that is
    /// whether its id is one that records name. `None`: the item's turn was taken back.
    pub(crate) fn place(
        &mut self,
        item: &ItemMark<'_>,
        made_up: impl FnOnce() -> String,
        new: impl FnOnce(&str, bool) -> T,
    ) -> Option<usize> {
        if let Some(id) = item.turn_id.as_deref() {
            if self.removed.contains(&self.hash(id)) {
                return None;
            }
            if let Some(slot) = self.find(id) {
                return Some(slot);
            }
            // Neither known nor taken back: the line that began it is damaged, so this one does.
            // Not what a thread without marks records of its tools: its turns have no ids that a record could name.
            if self.current.is_none() || self.in_marked_turn() || item.role == ItemRole::UserMessage {
                return Some(self.begin(id, || new(id, /*marked*/ true)));
            }
        }
        match self.current {
            Some(slot) if self.slots[slot].marked || item.role != ItemRole::UserMessage => Some(slot),
            _ => {
                let id = made_up();
                let slot = self.open(&id, /*marked*/ false, new(&id, /*marked*/ false));
                self.current = Some(slot);
                Some(slot)
            }
        }
    }

    /// Closes the turn of this id, or the current one where there is none such.
    pub(crate) fn end(&mut self, turn_id: Option<&str>) -> Option<usize> {
        if turn_id.is_some_and(|id| self.removed.contains(&self.hash(id))) {
            return None;
        }
        let ended = turn_id.and_then(|id| self.find(id)).or(self.current)?;
        if self.current == Some(ended) {
            self.current = None;
        }
        Some(ended)
    }

    /// Finds the turn that fails: the one of this id, or the current one where none is named.
    pub(crate) fn failing(&self, turn_id: Option<&str>) -> Option<usize> {
        turn_id.map_or(self.current, |id| self.find(id))
    }

    /// Takes the last `count` turns back and returns them.
    pub(crate) fn roll_back(&mut self, count: u32) -> Vec<T> {
        self.current = None;
        let left = self.slots.len().saturating_sub(count as usize);
        let removed = self.slots.split_off(left);
        for slot in removed.iter().rev() {
            match slot.older {
                Some(older) => self.known.insert(slot.id, older),
                None => self.known.remove(&slot.id),
            };
        }
        let gone = removed.iter().map(|slot| slot.id).filter(|id| !self.known.contains_key(id));
        self.removed.extend(gone);
        removed.into_iter().map(|slot| slot.value).collect()
    }

    /// Returns the turn that takes the records which name none.
    pub(crate) fn current(&self) -> Option<usize> {
        self.current
    }

    /// Tells whether a marked turn is open: then a message of the person does not begin one.
    pub(crate) fn in_marked_turn(&self) -> bool {
        self.current.is_some_and(|slot| self.slots[slot].marked)
    }

    /// Finds the turn of this id, among those that stand.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.known.get(&self.hash(id)).copied()
    }

    /// Returns what is kept of the turn at `slot`.
    pub(crate) fn get_mut(&mut self, slot: usize) -> &mut T {
        &mut self.slots[slot].value
    }

    /// Returns how many turns stand.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns what is kept of the turns that stand, in order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|slot| &slot.value)
    }

    /// Gives up what is kept of the turns that stand, in order.
    pub(crate) fn into_values(self) -> Vec<T> {
        self.slots.into_iter().map(|slot| slot.value).collect()
    }

    fn open(&mut self, id: &str, marked: bool, value: T) -> usize {
        let slot = self.slots.len();
        let id = self.hash(id);
        let older = self.known.insert(id, slot);
        self.removed.remove(&id);
        self.slots.push(Slot { value, id, older, marked });
        slot
    }

    fn hash(&self, id: &str) -> u64 {
        self.hasher.hash_one(id)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::mark::Mark;

    /// Each turn with the records that it took, after the given payloads.
    fn turns(payloads: &[&str]) -> Vec<String> {
        let mut turns = Turns::<String>::default();
        for (index, payload) in payloads.iter().enumerate() {
            match Mark::read(payload).unwrap() {
                Mark::Start { turn_id, .. } => {
                    let id = turn_id.unwrap();
                    turns.begin(&id, || format!("{id}:"));
                }
                Mark::End(id) => {
                    turns.end(id.as_deref());
                }
                Mark::Failure(_) => {}
                Mark::RollBack(count) => drop(turns.roll_back(count)),
                Mark::Item(item) => {
                    if let Some(slot) =
                        turns.place(&item, || format!("rollout-{index}"), |id, _| format!("{id}:"))
                    {
                        turns.get_mut(slot).push_str(&format!(" {index}"));
                    }
                }
            }
        }
        turns.into_values()
    }

    const A: &str = r#"{"type":"task_started","turn_id":"A"}"#;
    const B: &str = r#"{"type":"task_started","turn_id":"B"}"#;
    const A_END: &str = r#"{"type":"task_complete","turn_id":"A"}"#;
    const B_END: &str = r#"{"type":"task_complete","turn_id":"B"}"#;
    const USER: &str = r#"{"type":"user_message","message":"q"}"#;
    const USER_OF_A: &str = r#"{"type":"user_message","message":"q","turn_id":"A"}"#;
    const AGENT: &str = r#"{"type":"agent_message","message":"a"}"#;
    const CALL_OF_A: &str = r#"{"type":"patch_apply_end","call_id":"c","turn_id":"A"}"#;
    const BACK_ONE: &str = r#"{"type":"thread_rolled_back","num_turns":1}"#;
    const BACK_ALL: &str = r#"{"type":"thread_rolled_back","num_turns":99}"#;

    #[test]
    fn records_find_their_turn() {
        for (name, payloads, expected) in [
            ("marks", &[A, USER, AGENT, A_END, B, USER][..], &["A: 1 2", "B: 5"][..]),
            ("no marks", &[USER, AGENT, USER], &["rollout-0: 0 1", "rollout-2: 2"]),
            ("steered", &[A, USER, AGENT, USER, A_END], &["A: 1 2 3"]),
            ("after the end", &[A, USER, A_END, AGENT], &["A: 1", "rollout-3: 3"]),
            ("late", &[A, A_END, B, USER, CALL_OF_A, AGENT], &["A: 4", "B: 3 5"]),
            ("start lost", &[CALL_OF_A, AGENT, A_END, AGENT], &["A: 0 1", "rollout-3: 3"]),
            ("start lost, no marks", &[USER, CALL_OF_A], &["rollout-0: 0 1"]),
            (
                "start lost, but not the words",
                &[USER, AGENT, USER_OF_A, AGENT],
                &["rollout-0: 0 1", "A: 2 3"],
            ),
            ("start lost, end unknown", &[USER, A_END, USER], &["rollout-0: 0", "rollout-2: 2"]),
            ("never ended", &[A, USER, B, USER], &["A: 1", "B: 3"]),
            (
                "nested",
                &[A, B, USER, CALL_OF_A, A_END, AGENT, B_END, AGENT],
                &["A: 3", "B: 2 5", "rollout-7: 7"],
            ),
            ("begun twice", &[A, USER, A, USER], &["A: 1 3"]),
            ("begun again", &[A, USER, B, A, USER, CALL_OF_A], &["A: 1", "B:", "A: 4 5"]),
            ("begun again, then one back", &[A, USER, B, A, BACK_ONE, CALL_OF_A], &["A: 1 5", "B:"]),
            ("begun again after it was taken back", &[A, USER, BACK_ONE, A, CALL_OF_A], &["A: 4"]),
            ("one back", &[A, USER, A_END, B, USER, BACK_ONE, AGENT], &["A: 1", "rollout-6: 6"]),
            ("all back", &[A, USER, A_END, BACK_ALL, USER], &["rollout-4: 4"]),
            ("late for a turn taken back", &[A, USER, BACK_ONE, CALL_OF_A, A_END], &[]),
        ] {
            assert_eq!(turns(payloads), expected, "{name}");
        }
    }
}
