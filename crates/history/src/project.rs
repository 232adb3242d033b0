//! From records to turns.

use protocol::{ThreadItem, Turn, TurnError, TurnItemsView, TurnStatus};
use rollout::{Event, Line};

use crate::item::{extend, item, times};
use crate::mark::{ItemMark, Mark};
use crate::numbers::{Named, Numbers};
use crate::shelf::{Keep, Kept, Shelf};
use crate::stored::{turn_error, turn_error_object};
use crate::turns::Turns;

/// Builds turns from the lines of a rollout, given in order.
pub struct Projector {
    turns: Turns<Growing>,
    numbers: Numbers,
    running: Option<String>,
    keep: Keep,
}

/// A turn as far as its records have passed by.
pub(crate) struct Growing {
    turn: Turn,
    marked: bool,
    ended: bool,
    aborted: bool,
    pub(crate) shelf: Shelf,
}

/// Where a record stands: in lines, for the ids of turns that have none, and in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub line: u64,
    pub at: u64,
}

/// Returns the items that events complete, as they are told to clients when the events are stored.
///
/// The events are those of one append: an item that is spread over several, as a thought is, needs them all. What
/// carries no id of its own gets none that would last, so our records carry one.
pub fn items_of(events: &[Event]) -> Vec<ThreadItem> {
    let mut items: Vec<ThreadItem> = Vec::new();
    let mut numbers = Numbers::from(1);
    for event in events {
        let Ok(payload) = serde_json::to_string(event) else { continue };
        let Some(Mark::Item(mark)) = Mark::read(&payload) else {
            numbers.interrupt();
            continue;
        };
        let Named { id, continues } = numbers.name(&mark, Some(/*the one turn*/ 0));
        let Some(part) = item(event.clone(), id.to_string()) else { continue };
        match items.last_mut().filter(|_| continues) {
            Some(last) => extend(last, part),
            None => items.push(part),
        }
    }
    items
}

/// Returns the error that an event tells of, as clients see it.
pub fn error_of(event: &Event) -> Option<TurnError> {
    match event {
        Event::Error { message, codex_error_info, additional_details, .. } => {
            Some(turn_error(message, codex_error_info.as_ref(), additional_details.as_deref()))
        }
        _ => None,
    }
}

impl Projector {
    /// Begins at the start of a thread; `running` is the turn that runs in this server now.
    ///
    /// Any other turn that was not ended was interrupted: its server is gone.
    pub fn new(running: Option<String>) -> Self {
        Self::within(running, Keep::All, /*first number*/ 1)
    }

    /// Begins where the next item without an id gets this number, and keeps what is asked for.
    pub(crate) fn within(running: Option<String>, keep: Keep, number: u64) -> Self {
        Self { turns: Turns::default(), numbers: Numbers::from(number), running, keep }
    }

    /// Takes the next line; `index` is its number among the lines that could be handed over, from 0.
    pub fn feed(&mut self, line: &Line<'_>, index: u64) {
        if let Some(mark) = Mark::of(line) {
            self.record(line, mark, Place { line: index, at: index });
        }
    }

    /// Ends the history, and returns its turns.
    pub fn finish(self) -> Vec<Turn> {
        let running = self.running;
        self.turns.into_values().into_iter().map(|turn| turn.finish(running.as_deref())).collect()
    }

    /// Takes the next record.
    pub(crate) fn record(&mut self, line: &Line<'_>, mark: Mark<'_>, place: Place) {
        let made_up = || made_up_id(place.line);
        match mark {
            Mark::Item(item) => return self.item(line, &item, place),
            Mark::Start { turn_id, root_turn_id } => {
                let keep = self.keep;
                let id = turn_id.as_deref().map_or_else(made_up, str::to_owned);
                let slot = self.turns.begin(&id, || Growing::new(&id, /*marked*/ true, keep));
                self.turns.get_mut(slot).start(line.event(), root_turn_id.as_deref());
            }
            Mark::End(turn_id) => {
                if let Some(slot) = self.turns.end(turn_id.as_deref()) {
                    self.turns.get_mut(slot).end(line.event());
                }
            }
            Mark::Failure(turn_id) => {
                if let Some(slot) = self.turns.failing(turn_id.as_deref()) {
                    self.turns.get_mut(slot).fail(line.event());
                }
            }
            Mark::RollBack(count) => drop(self.turns.roll_back(count)),
        }
        self.numbers.interrupt();
    }

    /// Goes on where the next item without an id gets this number.
    pub(crate) fn renumber(&mut self, number: u64) {
        self.numbers = Numbers::from(number);
    }

    /// Tells whether nothing that is yet to come is wanted of the turns so far.
    pub(crate) fn is_full(&mut self) -> bool {
        self.turns.current().is_some_and(|slot| self.turns.get_mut(slot).shelf.is_full())
    }

    /// Ends a history of one turn.
    pub(crate) fn finish_one(self) -> Option<Growing> {
        self.turns.into_values().into_iter().next()
    }

    fn item(&mut self, line: &Line<'_>, mark: &ItemMark<'_>, place: Place) {
        let keep = self.keep;
        let made_up = || made_up_id(place.line);
        let slot = self.turns.place(mark, made_up, |id, marked| Growing::new(id, marked, keep));
        let Named { id, continues } = self.numbers.name(mark, slot);
        let Some(shelf) = slot.map(|slot| &mut self.turns.get_mut(slot).shelf) else { return };
        if !continues && !shelf.wants(mark.role, place.at) {
            return;
        }
        let Some(event) = line.event() else { return };
        let written_at_ms = line.timestamp().map(|time| time.timestamp_millis());
        let times = times(&event, written_at_ms);
        let id = id.to_string();
        let shown = |id| item(event, id);
        if continues {
            shelf.extend(&id, times, || shown(id.clone()));
        } else if let Some(item) = shown(id) {
            shelf.push(Kept { item, at: place.at, times });
        }
    }
}

/// Names a turn that began without a mark, as the newer published release does.
fn made_up_id(line: u64) -> String {
    format!("rollout-{line}")
}

impl Growing {
    fn new(id: &str, marked: bool, keep: Keep) -> Self {
        let turn = Turn {
            id: id.to_owned(),
            items: Vec::new(),
            items_view: TurnItemsView::Full,
            status: TurnStatus::InProgress,
            error: None,
            started_at: None,
            completed_at: None,
            duration_ms: None,
            root_turn_id: marked.then(|| id.to_owned()),
        };
        Self { turn, marked, ended: false, aborted: false, shelf: Shelf::new(keep) }
    }

    fn start(&mut self, event: Option<Event>, root_turn_id: Option<&str>) {
        if let Some(Event::TaskStarted { started_at, .. }) = event {
            self.turn.started_at = self.turn.started_at.or(started_at);
        }
        if let Some(root) = root_turn_id {
            self.turn.root_turn_id = Some(root.to_owned());
        }
    }

    fn end(&mut self, event: Option<Event>) {
        let (completed_at, duration_ms) = match event {
            Some(Event::TaskComplete { completed_at, duration_ms, error, .. }) => {
                // An error event, where there was one, says more.
                let error = error.filter(|error| !error.is_null()).map(|error| turn_error_object(&error));
                self.turn.error = self.turn.error.take().or(error);
                (completed_at, duration_ms)
            }
            Some(Event::TurnAborted { completed_at, duration_ms, .. }) => {
                self.aborted = true;
                (completed_at, duration_ms)
            }
            _ => (None, None),
        };
        self.ended = true;
        self.turn.completed_at = completed_at.or(self.turn.completed_at);
        self.turn.duration_ms = duration_ms.or(self.turn.duration_ms);
    }

    fn fail(&mut self, event: Option<Event>) {
        self.turn.error = event.as_ref().and_then(error_of).or(self.turn.error.take());
    }

    /// Returns the turn with the kept items.
    pub(crate) fn finish(self, running: Option<&str>) -> Turn {
        let Self { mut turn, marked, ended, aborted, shelf } = self;
        turn.status = match (ended, aborted, &turn.error) {
            (false, ..) if running == Some(&turn.id) => TurnStatus::InProgress,
            (_, true, _) => TurnStatus::Interrupted,
            (.., Some(_)) => TurnStatus::Failed,
            (true, ..) => TurnStatus::Completed,
            // Without marks nothing tells an end; such threads are old.
            (false, ..) if !marked => TurnStatus::Completed,
            (false, ..) => TurnStatus::Interrupted,
        };
        if turn.status != TurnStatus::Failed {
            turn.error = None;
        }
        turn.items_view = shelf.view();
        turn.items = shelf.into_items().into_iter().map(|kept| kept.item).collect();
        turn
    }

    /// Returns the id of the turn.
    pub(crate) fn id(&self) -> &str {
        &self.turn.id
    }
}

#[cfg(test)]
mod tests;
