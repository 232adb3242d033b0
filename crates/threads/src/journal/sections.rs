//! Which sections there are, which thread is in which, and in what order.
//!
//! A thread's position is a number with room before and behind it, so that a move renumbers nothing but the thread:
//! a page's cursor, which is a position, stays right while threads are moved. Only where the room is used up are the
//! positions of that section spread anew.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rollout::ThreadId;

use crate::{Placed, Section, SectionId, SectionMove, ThreadError};

/// How far apart threads are put that come in at the end: room for twenty moves to one and the same place.
const GAP: i64 = 1_000_000;

/// The sections, by their ids: the built-in one is the oldest, the others follow as they were made.
pub(crate) struct Sections {
    all: BTreeMap<SectionId, Section>,
    places: HashMap<ThreadId, Place>,
    orders: HashMap<SectionId, BTreeMap<i64, ThreadId>>,
}

struct Place {
    section: SectionId,
    position: i64,
    entered_at: DateTime<Utc>,
}

impl Default for Sections {
    fn default() -> Self {
        let pinned = Section::pinned();
        Self {
            all: BTreeMap::from([(pinned.id.clone(), pinned)]),
            places: HashMap::new(),
            orders: HashMap::new(),
        }
    }
}

impl Sections {
    /// Returns the sections in order, those behind a given one.
    pub(crate) fn after(&self, id: Option<&SectionId>) -> impl Iterator<Item = &Section> {
        self.all.values().filter(move |section| id.is_none_or(|id| section.id > *id))
    }

    /// Returns a section.
    pub(crate) fn get(&self, id: &SectionId) -> Option<&Section> {
        self.all.get(id)
    }

    /// Returns the threads of a section in order.
    pub(crate) fn threads(&self, id: &SectionId) -> Vec<ThreadId> {
        self.orders.get(id).into_iter().flat_map(|order| order.values().copied()).collect()
    }

    /// Returns the threads that are in any section.
    pub(crate) fn all_threads(&self) -> Vec<ThreadId> {
        self.places.keys().copied().collect()
    }

    /// Returns where a thread is.
    pub(crate) fn placed(&self, thread: ThreadId) -> Option<Placed> {
        let Place { section, position, entered_at } = self.places.get(&thread)?;
        let section = self.all.get(section)?.clone();
        Some(Placed { section, position: *position, entered_at: *entered_at })
    }

    /// Refuses a move that makes no sense.
    pub(crate) fn check(&self, thread: ThreadId, to: &SectionMove) -> Result<(), ThreadError> {
        let SectionMove::Into { section, before } = to else { return Ok(()) };
        if self.get(section).is_none() {
            return Err(ThreadError::NoSuchSection(section.clone()));
        }
        match *before {
            Some(before) if before == thread => Err(ThreadError::BeforeItself(thread)),
            Some(before) if self.position_in(section, before).is_none() => {
                Err(ThreadError::BeforeElsewhere { before, section: section.clone() })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn put(&mut self, section: Section) {
        self.all.insert(section.id.clone(), section);
    }

    pub(super) fn delete(&mut self, id: &SectionId) {
        self.all.remove(id);
        for thread in self.orders.remove(id).into_iter().flat_map(BTreeMap::into_values) {
            self.places.remove(&thread);
        }
    }

    /// Puts a thread where an entry says; as far as a lost entry lets that be, it comes out the same everywhere.
    pub(super) fn place(
        &mut self,
        thread: ThreadId,
        section: Option<SectionId>,
        before: Option<ThreadId>,
        at: DateTime<Utc>,
    ) {
        let left = self.take_out(thread);
        let Some(section) = section.filter(|id| self.all.contains_key(id)) else { return };
        let entered_at = left.filter(|left| left.section == section).map_or(at, |left| left.entered_at);
        let position = self.room(&section, before);
        self.orders.entry(section.clone()).or_default().insert(position, thread);
        self.places.insert(thread, Place { section, position, entered_at });
    }

    pub(super) fn forget(&mut self, thread: ThreadId) {
        self.take_out(thread);
    }

    fn take_out(&mut self, thread: ThreadId) -> Option<Place> {
        let left = self.places.remove(&thread)?;
        if let Some(order) = self.orders.get_mut(&left.section) {
            order.remove(&left.position);
        }
        Some(left)
    }

    /// Finds a free position right before a thread of the section, or at the end.
    fn room(&mut self, section: &SectionId, before: Option<ThreadId>) -> i64 {
        let Some(above) = before.and_then(|thread| self.position_in(section, thread)) else {
            return self.last_below(section, i64::MAX) + GAP;
        };
        let below = self.last_below(section, above);
        if above - below < 2 {
            self.spread(section);
            return self.room(section, before); // all are a gap apart now
        }
        below + (above - below) / 2
    }

    fn last_below(&self, section: &SectionId, bound: i64) -> i64 {
        let order = self.orders.get(section);
        order.and_then(|order| order.range(..bound).next_back()).map_or(0, |(position, _)| *position)
    }

    fn spread(&mut self, section: &SectionId) {
        let Some(order) = self.orders.get_mut(section) else { return };
        *order = (1..).map(|number| number * GAP).zip(std::mem::take(order).into_values()).collect();
        for (position, thread) in order {
            if let Some(place) = self.places.get_mut(thread) {
                place.position = *position;
            }
        }
    }

    fn position_in(&self, section: &SectionId, thread: ThreadId) -> Option<i64> {
        self.places.get(&thread).filter(|place| place.section == *section).map(|place| place.position)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::{collection::vec, option::of, prelude::*};

    use super::*;

    struct Shelf {
        sections: Sections,
        threads: Vec<ThreadId>,
        work: SectionId,
    }

    impl Shelf {
        /// Has the threads `a`, `b`, ... of a name each in the section.
        fn new(count: usize) -> Self {
            let (section, mut sections) = (Section::new("Work", None), Sections::default());
            let work = section.id.clone();
            sections.put(section);
            let mut shelf = Self { sections, threads: (0..count).map(|_| ThreadId::new()).collect(), work };
            ('a'..).take(count).for_each(|name| shelf.put(name, None));
            shelf
        }

        fn id(&self, name: char) -> ThreadId {
            self.threads[name as usize - 'a' as usize]
        }

        fn put(&mut self, name: char, before: Option<char>) {
            let before = before.map(|name| self.id(name));
            self.sections.place(self.id(name), Some(self.work.clone()), before, Utc::now());
        }

        fn order(&self) -> String {
            let threads = self.sections.threads(&self.work);
            assert!(threads.is_sorted_by_key(|thread| self.sections.placed(*thread).map(|at| at.position)));
            let name = |thread| ('a'..).zip(&self.threads).find(|(_, known)| *known == thread).unwrap().0;
            threads.iter().map(name).collect()
        }
    }

    #[test]
    fn a_thread_goes_to_the_end_or_before_another() {
        let mut shelf = Shelf::new(4);
        assert_eq!(shelf.order(), "abcd");
        for (name, before, order) in [
            ('a', None, "bcda"),
            ('a', Some('b'), "abcd"),
            ('d', Some('b'), "adbc"),
            ('d', Some('b'), "adbc"),
            ('b', Some('c'), "adbc"),
            ('c', Some('a'), "cadb"),
        ] {
            shelf.put(name, before);
            assert_eq!(shelf.order(), order, "{name} before {before:?}");
        }
    }

    proptest! {
        /// However often threads are moved to one place: there is room, and the order is that of a plain list.
        #[test]
        fn the_order_is_that_of_a_plain_list(moves in vec((0..5usize, of(0..5usize)), 0..300)) {
            let name = |index: usize| char::from(b'a' + index as u8);
            let (mut shelf, mut list) = (Shelf::new(5), "abcde".to_owned());
            for (moved, before) in moves {
                let (moved, before) = (name(moved), before.map(name));
                shelf.put(moved, before);
                list.retain(|name| name != moved);
                let end = list.len();
                list.insert(before.and_then(|before| list.find(before)).unwrap_or(end), moved);
                prop_assert_eq!(shelf.order(), list.as_str());
            }
        }
    }

    #[test]
    fn a_move_renumbers_nobody_else_while_there_is_room() {
        let mut shelf = Shelf::new(4);
        let positions =
            |shelf: &Shelf| ['a', 'd'].map(|name| shelf.sections.placed(shelf.id(name)).unwrap().position);
        let before = positions(&shelf);
        for number in 0..20 {
            shelf.put(if number % 2 == 0 { 'b' } else { 'c' }, Some('d'));
            assert_eq!(positions(&shelf), before, "{number}");
        }
    }

    #[test]
    fn the_time_of_entry_is_that_of_the_section_not_of_the_place() {
        let mut shelf = Shelf::new(2);
        let entered = |shelf: &Shelf| shelf.sections.placed(shelf.id('a')).map(|at| at.entered_at);
        let first = entered(&shelf);
        shelf.put('a', None);
        assert_eq!(entered(&shelf), first);
        shelf.sections.place(shelf.id('a'), Some(Section::pinned().id), None, Utc::now());
        assert!(entered(&shelf) > first);
        shelf.sections.place(shelf.id('a'), None, None, Utc::now());
        assert_eq!(entered(&shelf), None);
    }

    #[test]
    fn a_deleted_section_frees_its_threads_and_takes_no_more() {
        let mut shelf = Shelf::new(2);
        shelf.sections.delete(&shelf.work.clone());
        assert_eq!((shelf.order(), shelf.sections.all_threads()), (String::new(), vec![]));
        shelf.put('a', None);
        assert_eq!(shelf.sections.placed(shelf.id('a')).map(|at| at.section), None);
    }

    #[test]
    fn a_move_that_makes_no_sense_is_refused() {
        let shelf = Shelf::new(2);
        let (a, b, other) = (shelf.id('a'), shelf.id('b'), ThreadId::new());
        let unknown = SectionId::from("zz".to_owned());
        for (section, before, refused) in [
            (&shelf.work, None, None),
            (&shelf.work, Some(b), None),
            (&shelf.work, Some(a), Some(format!("thread {a} cannot be moved before itself"))),
            (
                &shelf.work,
                Some(other),
                Some(format!("before thread {other} is not in section {}", shelf.work)),
            ),
            (&unknown, Some(a), Some("section zz does not exist".to_owned())),
        ] {
            let to = SectionMove::Into { section: section.clone(), before };
            assert_eq!(shelf.sections.check(a, &to).err().map(|error| error.to_string()), refused);
        }
    }
}
