//! Where the turns of a thread stand in its files, without what they hold.
//!
//! One pass over a thread of any length, in little memory a turn: what was taken back is gone from the outline, what
//! came late is noted with the turn that it belongs to. A page then reads the stretches of its own turns and no others.

use std::io;
use std::ops::Range;

use items::Role;
use rollout::{Kind, Line};
use serde::Deserialize;

use crate::mark::Mark;
use crate::numbers::Numbers;
use crate::project::{Growing, Place, Projector};
use crate::shelf::Keep;
use crate::source::{RawLine, Source};
use crate::turns::Turns;

/// The turns that stand in a thread, in order.
pub(crate) struct Outline {
    turns: Turns<Stretch>,
    removed: Removed,
}

/// What the model is not to know any more: from the first words of a turn that was taken back to the record that says
/// so. In order, and apart from each other.
#[derive(Debug, Default)]
pub(crate) struct Removed(Vec<Range<u64>>);

impl Removed {
    /// Tells whether this place was taken back.
    pub(crate) fn contains(&self, at: u64) -> bool {
        let next = self.0.partition_point(|range| range.end <= at);
        self.0.get(next).is_some_and(|range| range.start <= at)
    }

    /// Adds what a further rollback takes back: it stands behind the others, and may reach over some of them.
    fn push(&mut self, range: Range<u64>) {
        while self.0.last().is_some_and(|last| range.start <= last.start) {
            self.0.pop();
        }
        self.0.push(range);
    }
}

/// Where a turn stands.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Its first line, which for a turn without a mark is what the model was told of the person's words.
    pub start: u64,
    /// Where the next turn begins, or all that is left of this one ends.
    pub end: u64,
    /// The first line's index; it names a turn that has no mark.
    line: u64,
    /// The number of the next item without an id; `None` where it has none such.
    pub number: Option<u64>,
    /// What the model was told first of the person's words, if that is not the first line.
    said: Option<u64>,
    odd: Option<Box<Odd>>,
}

/// What seldom occurs: records that do not stand where their turn does.
#[derive(Clone, Debug, Default)]
struct Odd {
    /// Lines in the stretch that are not of this turn, and the number of the next item without an id behind each.
    foreign: Vec<(u64, u64)>,
    /// Stretches elsewhere that are.
    late: Vec<Late>,
}

/// Records in a row that came late for their turn.
#[derive(Clone, Debug)]
struct Late {
    span: (u64, u64),
    /// The first line's index.
    line: u64,
    /// The number of the next item without an id.
    number: u64,
}

/// A record, as a turn's stretch is read again.
struct Record<'a> {
    line: Line<'a>,
    mark: Mark<'a>,
    place: Place,
    /// The number of the next item without an id, where it does not follow from the record before.
    number: Option<u64>,
}

impl Outline {
    /// Reads a thread from its start to its end.
    pub(crate) fn read(source: &Source) -> io::Result<Self> {
        let mut scan = Scan::default();
        let mut lines = source.forward(0..source.len());
        let mut index = 0;
        while let Some(raw) = lines.next()? {
            scan.line(&raw, index);
            index += 1;
        }
        scan.close(source.len());
        Ok(Self { turns: scan.turns, removed: scan.removed })
    }

    /// Returns what was taken back.
    pub(crate) fn into_removed(self) -> Removed {
        self.removed
    }

    /// Returns the turns' stretches, in order.
    pub(crate) fn into_stretches(self) -> Vec<Stretch> {
        self.turns.into_values()
    }

    /// Tells whether no record stands behind the turn that follows its own.
    pub(crate) fn is_clean(&self) -> bool {
        self.turns.values().all(|stretch| stretch.odd.as_ref().is_none_or(|odd| odd.late.is_empty()))
    }

    /// Finds the turn of this id.
    pub(crate) fn find(&self, turn_id: &str) -> Option<usize> {
        self.turns.find(turn_id)
    }
}

impl Stretch {
    /// Makes the stretch of a turn that has a mark, and all its records in one place.
    pub(crate) fn plain(span: Range<u64>, number: Option<u64>) -> Self {
        Self { start: span.start, end: span.end, line: 0, number, said: None, odd: None }
    }

    /// Reads the turn and keeps what is asked for.
    pub(crate) fn read(&self, source: &Source, keep: Keep) -> io::Result<Option<Growing>> {
        let mut projector = Projector::within(None, keep, self.number.unwrap_or(1));
        self.records(source, |record| {
            let Record { line, mark, place, number } = record;
            number.into_iter().for_each(|number| projector.renumber(number));
            projector.record(&line, mark, place);
            !projector.is_full()
        })?;
        Ok(projector.finish_one())
    }

    /// Returns where the item of this id begins.
    pub(crate) fn find_item(&self, source: &Source, item_id: &str) -> io::Result<Option<u64>> {
        let mut numbers = Numbers::from(self.number.unwrap_or(1));
        let mut found = None;
        self.records(source, |Record { mark, place, number, .. }| {
            if let Some(number) = number {
                numbers = Numbers::from(number);
            }
            match &mark {
                Mark::Item(item) if numbers.name(item, Some(0)).id.to_string() == item_id => {
                    found = Some(place.at)
                }
                Mark::Item(_) => {}
                _ => numbers.interrupt(),
            }
            found.is_none()
        })?;
        Ok(found)
    }

    /// Hands over the records of the stretch, and those of the turn elsewhere, while they are wanted.
    fn records(&self, source: &Source, mut wanted: impl FnMut(Record<'_>) -> bool) -> io::Result<()> {
        let foreign = self.odd.as_deref().map_or(&[][..], |odd| &odd.foreign);
        let mut lines = source.forward(self.start..self.end);
        let (mut index, mut number) = (self.line, None);
        while let Some(raw) = lines.next()? {
            let place = Place { line: index, at: raw.span.0 };
            index += 1;
            if let Ok(found) = foreign.binary_search_by_key(&place.at, |(at, _)| *at) {
                number = Some(foreign[found].1);
                continue;
            }
            let Some((line, mark)) = raw.mark() else { continue };
            if !wanted(Record { line, mark, place, number: number.take() }) {
                return Ok(());
            }
        }
        for &Late { span, line: index, number } in self.odd.iter().flat_map(|odd| &odd.late) {
            let mut lines = source.forward(span.0..span.1);
            let (mut index, mut number) = (index, Some(number));
            while let Some(raw) = lines.next()? {
                let place = Place { line: index, at: raw.span.0 };
                index += 1;
                let Some((line, mark)) = raw.mark() else { continue };
                if !wanted(Record { line, mark, place, number: number.take() }) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn odd(&mut self) -> &mut Odd {
        self.odd.get_or_insert_default()
    }
}

/// The outline as far as lines have passed by.
struct Scan {
    turns: Turns<Stretch>,
    removed: Removed,
    numbers: Numbers,
    /// The turn in whose stretch the next line stands.
    owner: Option<usize>,
    /// What the model was last told of the person's words, while no turn has taken it.
    words: Option<Place>,
    /// The turn that the last record came late for.
    late: Option<usize>,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            turns: Turns::default(),
            removed: Removed::default(),
            numbers: Numbers::from(1),
            owner: None,
            words: None,
            late: None,
        }
    }
}

impl Scan {
    fn line(&mut self, raw: &RawLine<'_>, line: u64) {
        let place = Place { line, at: raw.span.0 };
        match raw.mark() {
            Some((_, mark)) => self.record(raw, &mark, place),
            None if self.wants_words() && is_said_by_the_person(raw) => self.said(place),
            None => {}
        }
    }

    fn record(&mut self, raw: &RawLine<'_>, mark: &Mark<'_>, place: Place) {
        let number = self.numbers.next();
        let begun = self.turns.len();
        let stretch = |Place { line, at }| Stretch { line, ..Stretch::plain(at..at, Some(number)) };
        let made_up = || format!("rollout-{}", place.line);
        let slot = match mark {
            Mark::Item(item) => {
                let first = self.words.filter(|_| !self.turns.in_marked_turn()).unwrap_or(place);
                self.turns.place(item, made_up, |_, _| stretch(first))
            }
            Mark::Start { turn_id, .. } => {
                let id = turn_id.as_deref().map_or_else(made_up, str::to_owned);
                Some(self.turns.begin(&id, || stretch(place)))
            }
            Mark::End(turn_id) => self.turns.end(turn_id.as_deref()),
            Mark::Failure(turn_id) => self.turns.failing(turn_id.as_deref()),
            Mark::RollBack(count) => return self.roll_back(*count, place),
        };
        match mark {
            Mark::Item(item) => drop(self.numbers.name(item, slot)),
            _ => self.numbers.interrupt(),
        }
        self.words = None;
        if self.turns.len() > begun {
            let start = slot.map_or(place.at, |slot| self.turns.get_mut(slot).start);
            self.close(start);
            self.owner = slot;
        }
        let was_late = self.late.take();
        if slot == self.owner {
            return;
        }
        if let Some(owner) = self.owner {
            let next = self.numbers.next();
            self.turns.get_mut(owner).odd().foreign.push((place.at, next));
        }
        let Some(slot) = slot else { return };
        let late = &mut self.turns.get_mut(slot).odd().late;
        match late.last_mut().filter(|_| was_late == Some(slot)) {
            Some(last) => last.span.1 = raw.span.1,
            None => late.push(Late { span: raw.span, line: place.line, number }),
        }
        self.late = Some(slot);
    }

    fn roll_back(&mut self, count: u32, place: Place) {
        self.numbers.interrupt();
        self.close(place.at);
        (self.owner, self.words, self.late) = (None, None, None);
        if let Some(first) = self.turns.roll_back(count).first() {
            self.removed.push(first.said.unwrap_or(first.start)..place.at);
        }
    }

    /// Ends the stretch that the lines before `end` stand in.
    fn close(&mut self, end: u64) {
        if let Some(owner) = self.owner {
            self.turns.get_mut(owner).end = end;
        }
    }

    fn wants_words(&mut self) -> bool {
        match self.turns.current() {
            Some(slot) if self.turns.in_marked_turn() => self.turns.get_mut(slot).said.is_none(),
            _ => true,
        }
    }

    fn said(&mut self, place: Place) {
        match self.turns.current() {
            Some(slot) if self.turns.in_marked_turn() => self.turns.get_mut(slot).said = Some(place.at),
            _ => self.words = Some(place),
        }
    }
}

/// Tells whether a line gives the model words of the person, not context that a server adds.
fn is_said_by_the_person(raw: &RawLine<'_>) -> bool {
    #[derive(Deserialize)]
    struct Speaker<'a> {
        #[serde(default)]
        role: Option<&'a str>,
    }
    if raw.is_surely_none_of(b"response_item") {
        return false;
    }
    let is_user = |line: &Line<'_>| {
        let speaker = serde_json::from_str::<Speaker<'_>>(line.payload.get());
        line.kind == Kind::ResponseItem && speaker.is_ok_and(|speaker| speaker.role == Some("user"))
    };
    let item = raw.parse().filter(is_user).and_then(|line| line.response_item());
    item.is_some_and(|item| item.role() == Some(Role::User) && !item.is_injected_context())
}
