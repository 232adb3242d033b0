//! The turns of a thread from the newest back, reading no more of it than is asked for.
//!
//! Backward, a turn is known by what stands between its first line and the next turn's, as long as every record there
//! is its own. A rollback takes back what is older than itself, so whoever comes from behind knows how many turns to
//! pass over. Items without an id of their own are counted from the start, once, and nothing is kept of what was counted.
//! Whatever does not fit this (turns without marks, records that came late, a damaged start) is left to the [`Outline`],
//! which goes on where the walk had to stop.

use std::io;
use std::vec;

use rollout::Backward;

use crate::mark::{ItemRole, Mark};
use crate::numbers::Numbers;
use crate::outline::{Outline, Stretch};
use crate::source::{Lines, Source};

/// Turns, newest first.
pub(crate) struct Newest<'a> {
    source: &'a Source,
    way: Way,
    is_clean: bool,
}

enum Way {
    Walk(Box<Walk>),
    Outline(vec::IntoIter<Stretch>),
}

/// The way backward through a thread whose turns stand one behind the other.
struct Walk {
    lines: Lines<Backward>,
    trail: Trail,
}

/// What was learned on the way.
struct Trail {
    /// Where the chunk that is being read ends.
    end: u64,
    /// The number of the next item without an id at `end`, where that is known.
    number: Option<u64>,
    /// How many turns are yet to be passed over, since they were taken back.
    taken_back: u32,
    chunk: Chunk,
    /// A turn that stands, unless the chunk before it says otherwise.
    found: Option<Found>,
    /// The id of the turn behind the chunk.
    next_id: Option<Box<str>>,
}

/// A turn of the walk.
struct Found {
    id: Box<str>,
    stretch: Stretch,
}

/// What the records of one chunk say, as far as they were read.
#[derive(Default)]
struct Chunk {
    /// The turn that they name.
    id: Option<Box<str>>,
    has_records: bool,
    /// There are items that name no turn: such must not stand behind a turn's end.
    has_loose_items: bool,
    /// How many items have no id of their own.
    unnumbered: u64,
    /// The record read last is a thought without an id, which continues one before it.
    in_thought: bool,
}

/// Why the walk cannot go on by itself.
enum Odd {
    /// The records are not those of turns one behind the other.
    Records,
    /// Which number an item has that has no id only the lines before it tell.
    Number,
}

impl<'a> Newest<'a> {
    /// Begins at the end.
    pub(crate) fn of(source: &'a Source) -> Self {
        Self::before(source, source.len(), None)
    }

    /// Begins with the turn before the one that starts at `end`, where it is known that nothing behind concerns older
    /// turns, and perhaps which number the next item without an id has there.
    pub(crate) fn before(source: &'a Source, end: u64, number: Option<u64>) -> Self {
        let (chunk, found, next_id) = (Chunk::default(), None, None);
        let trail = Trail { end, number, taken_back: 0, chunk, found, next_id };
        let walk = Walk { lines: source.backward(0..end), trail };
        Self { source, way: Way::Walk(Box::new(walk)), is_clean: true }
    }

    /// Returns the next older turn.
    pub(crate) fn next(&mut self) -> io::Result<Option<Stretch>> {
        let walk = match &mut self.way {
            Way::Outline(stretches) => return Ok(stretches.next()),
            Way::Walk(walk) => walk,
        };
        match walk.next(self.source)? {
            Ok(found) => Ok(found.map(|found| found.stretch)),
            Err(_) => {
                let end = walk.trail.found.as_ref().map_or(walk.trail.end, |found| found.stretch.end);
                let outline = Outline::read(self.source)?;
                self.is_clean = outline.is_clean();
                let mut older = outline.into_stretches();
                older.retain(|stretch| stretch.start < end);
                older.reverse();
                let mut older = older.into_iter();
                let next = older.next();
                self.way = Way::Outline(older);
                Ok(next)
            }
        }
    }

    /// Tells whether nothing behind the turns that were handed over concerns older ones: then a later page need not
    /// look there again.
    pub(crate) fn is_clean(&self) -> bool {
        self.is_clean
    }
}

/// Finds the last turn of this id, and how many there are behind it.
pub(crate) fn find(source: &Source, turn_id: &str) -> io::Result<Option<(usize, Stretch)>> {
    let Way::Walk(mut walk) = Newest::of(source).way else { return Ok(None) };
    let mut behind = 0;
    loop {
        match walk.next(source)? {
            Ok(Some(found)) if &*found.id == turn_id => return Ok(Some((behind, found.stretch))),
            Ok(Some(_)) => behind += 1,
            Ok(None) => return Ok(None),
            Err(_) => break,
        }
    }
    let outline = Outline::read(source)?;
    let Some(index) = outline.find(turn_id) else { return Ok(None) };
    let mut stretches = outline.into_stretches();
    let behind = stretches.len() - 1 - index;
    Ok(Some((behind, stretches.swap_remove(index))))
}

impl Walk {
    /// Returns the next older turn that stands.
    fn next(&mut self, source: &Source) -> io::Result<Result<Option<Found>, Odd>> {
        while let Some(raw) = self.lines.next()? {
            let Some((_, mark)) = raw.mark() else { continue };
            let mut taken = self.trail.take(&mark, raw.span.0);
            if matches!(taken, Err(Odd::Number)) {
                self.trail.number = number_at(source, self.trail.end)?;
                taken = self.trail.begin(raw.span.0);
            }
            match taken {
                Ok(None) => {}
                taken => return Ok(taken),
            }
        }
        Ok(match self.trail.chunk.has_records {
            true => Err(Odd::Records),
            false => Ok(self.trail.found.take()),
        })
    }
}

impl Trail {
    /// Takes the next record; returns the turn behind the chunk that it begins.
    fn take(&mut self, mark: &Mark<'_>, at: u64) -> Result<Option<Found>, Odd> {
        let next_id = self.next_id.as_deref();
        match mark {
            Mark::Item(item) => {
                self.chunk.name(item.turn_id.as_deref(), next_id)?;
                self.chunk.has_loose_items |= item.turn_id.is_none();
                let is_thought = item.role == ItemRole::Thought && item.id.is_none();
                let continues = is_thought && self.chunk.in_thought;
                self.chunk.unnumbered += u64::from(item.id.is_none() && !continues);
                self.chunk.in_thought = is_thought;
            }
            Mark::End(turn_id) => {
                self.chunk.name(turn_id.as_deref(), next_id)?;
                self.chunk.in_thought = false;
                if self.chunk.has_loose_items {
                    return Err(Odd::Records);
                }
            }
            Mark::Failure(turn_id) => {
                self.chunk.name(turn_id.as_deref(), next_id)?;
                self.chunk.in_thought = false;
            }
            Mark::RollBack(count) => {
                if *count == 0 || self.chunk.has_records {
                    return Err(Odd::Records);
                }
                self.taken_back = self.taken_back.saturating_add(*count);
                self.end = at;
            }
            Mark::Start { turn_id, .. } => {
                self.chunk.name(Some(turn_id.as_deref().ok_or(Odd::Records)?), next_id)?;
                return self.begin(at);
            }
        }
        Ok(None)
    }

    /// Ends the chunk, whose turn begins here; it is as it was where the number at its end has to be known first.
    fn begin(&mut self, start: u64) -> Result<Option<Found>, Odd> {
        let number = self.number.and_then(|number| number.checked_sub(self.chunk.unnumbered));
        if self.taken_back == 0 && self.chunk.unnumbered > 0 && number.is_none() {
            return Err(if self.number.is_none() { Odd::Number } else { Odd::Records });
        }
        let Chunk { id, .. } = std::mem::take(&mut self.chunk);
        let id = id.ok_or(Odd::Records)?;
        let found = match self.taken_back {
            0 => {
                let stretch = Stretch::plain(start..self.end, number);
                self.found.replace(Found { id: id.clone(), stretch })
            }
            _ => {
                self.taken_back -= 1;
                self.found.take()
            }
        };
        (self.end, self.number, self.next_id) = (start, number, Some(id));
        Ok(found)
    }
}

/// Counts which number the next item without an id has at a place; `None` where only the [`Outline`] can tell.
fn number_at(source: &Source, end: u64) -> io::Result<Option<u64>> {
    let mut numbers = Numbers::from(1);
    let mut turn: Option<Box<str>> = None;
    let mut lines = source.forward(0..end);
    while let Some(raw) = lines.next()? {
        match raw.mark() {
            None => {}
            Some((_, Mark::Item(item))) => {
                // Two thoughts in a row are one if they are of one turn, and then this has to be the turn that runs.
                let named = item.turn_id.as_deref();
                if item.role == ItemRole::Thought && named.is_some() && named != turn.as_deref() {
                    return Ok(None);
                }
                numbers.name(&item, Some(0));
            }
            Some((_, mark)) => {
                numbers.interrupt();
                if let Mark::Start { turn_id, .. } = mark {
                    turn = turn_id.map(|id| id.into());
                }
            }
        }
    }
    Ok(Some(numbers.next()))
}

impl Chunk {
    /// Notes a record and the turn that it names: it has to be the same for all, and not the one behind the chunk.
    fn name(&mut self, id: Option<&str>, next_id: Option<&str>) -> Result<(), Odd> {
        self.has_records = true;
        let Some(id) = id else { return Ok(()) };
        if next_id == Some(id) || self.id.as_deref().is_some_and(|named| named != id) {
            return Err(Odd::Records);
        }
        self.id.get_or_insert_with(|| id.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;
    use crate::testing::{event, recorded_turn, stored, user};

    /// Shows where the turns stand, and whether the outline was needed to know.
    fn newest(lines: &[String]) -> (Vec<(u64, u64)>, bool) {
        let stored = stored(lines);
        let source = Source::open(&stored.segments).unwrap();
        let mut newest = Newest::of(&source);
        let mut spans = Vec::new();
        while let Some(stretch) = newest.next().unwrap() {
            spans.push((stretch.start, stretch.end));
        }
        (spans, matches!(newest.way, Way::Outline(_)))
    }

    fn outlined(lines: &[String]) -> Vec<(u64, u64)> {
        let stored = stored(lines);
        let outline = Outline::read(&Source::open(&stored.segments).unwrap()).unwrap();
        outline.into_stretches().iter().rev().map(|stretch| (stretch.start, stretch.end)).collect()
    }

    /// A turn as we record it: its items have ids.
    fn our_turn(id: &str) -> Vec<String> {
        vec![
            event(json!({"type": "task_started", "turn_id": id})),
            event(
                json!({"type": "user_message", "message": "q", "item_id": format!("u{id}"), "turn_id": id}),
            ),
            event(json!({"type": "agent_reasoning", "text": "t", "item_id": format!("r{id}")})),
            event(
                json!({"type": "agent_message", "message": "a", "item_id": format!("m{id}"), "turn_id": id}),
            ),
            event(json!({"type": "task_complete", "turn_id": id})),
        ]
    }

    #[test]
    fn the_walk_finds_the_turns_of_the_outline_and_knows_when_it_cannot() {
        let back = |count: u32| vec![event(json!({"type": "thread_rolled_back", "num_turns": count}))];
        let late = |id: &str| vec![event(json!({"type": "exec_command_end", "call_id": "c", "turn_id": id}))];
        let loose = || vec![event(json!({"type": "entered_review_mode", "item_id": "e"}))];
        let start = |id: &str| vec![event(json!({"type": "task_started", "turn_id": id}))];
        let t = our_turn;
        for (name, lines, needs_outline) in [
            ("nothing", vec![], false),
            ("turns", [t("1"), t("2"), t("3")].concat(), false),
            ("a killed one", [t("1"), t("2")[..3].to_vec(), t("3")].concat(), false),
            ("one taken back", [t("1"), t("2"), back(1), t("3")].concat(), false),
            ("taken back twice", [t("1"), t("2"), t("3"), back(1), t("4"), back(2), t("5")].concat(), false),
            ("all taken back", [t("1"), back(9), t("2")].concat(), false),
            ("none taken back", [t("1"), back(0), t("2")].concat(), true),
            ("a command ends behind its turn's end", [t("1"), late("1"), t("2")].concat(), false),
            ("a command ends in a later turn", [t("1"), t("2"), late("1"), t("3")].concat(), true),
            ("something between turns", [t("1"), loose(), t("2")].concat(), true),
            ("something behind a rollback", [t("1"), back(1), loose(), t("2")].concat(), true),
            ("items without ids", recorded_turn("1", "q", "a"), false),
            ("no marks", [t("1"), user("q")].concat(), true),
            ("a start that is lost", [t("1"), t("2")[1..].to_vec(), t("3")].concat(), true),
            ("the first start is lost", [t("1")[1..].to_vec(), t("2")].concat(), true),
            ("a start behind the turn's first item", [late("1"), t("1"), t("2")].concat(), true),
            ("begun twice", [start("1"), t("1"), t("2")].concat(), true),
        ] {
            assert_eq!(newest(&lines), (outlined(&lines), needs_outline), "{name}");
        }
    }

    #[test]
    fn a_turn_is_found_by_its_id() {
        let lines = [our_turn("1"), our_turn("2"), our_turn("3"), user("q")].concat();
        for lines in [&lines, &lines[..15].to_vec()] {
            let stored = stored(lines);
            let source = Source::open(&stored.segments).unwrap();
            let outlined = outlined(lines);
            for (id, index) in [("3", outlined.len() - 3), ("1", outlined.len() - 1)] {
                let (behind, stretch) = find(&source, id).unwrap().unwrap();
                assert_eq!((behind, (stretch.start, stretch.end)), (index, outlined[index]));
            }
            assert!(find(&source, "nope").unwrap().is_none());
        }
    }
}
