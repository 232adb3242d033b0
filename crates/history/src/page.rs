//! Pages of turns and of items.
//!
//! Memory stays with the page, whatever the thread's length: where the turns stand is found first, then only those of
//! the page are read. Newest first, nothing older than the page is looked at, as far as the records allow. A page ends
//! at its limit or when it weighs enough, whichever comes first, but never before its first turn or item.

use std::io;
use std::vec;

use protocol::{
    SortDirection, ThreadItemEntry, ThreadItemsListAnchor, ThreadItemsListCursor, ThreadItemsListResponse,
    Turn, TurnItemsView, TurnsPage,
};
use rollout::Segment;

use crate::HistoryError;
use crate::cursor::{self, ItemCursor, TurnCursor};
use crate::item::Times;
use crate::newest::{self, Newest};
use crate::outline::{Outline, Stretch};
use crate::project::{Place, Projector};
use crate::shelf::{Keep, Kept, Window};
use crate::size::wire_size;
use crate::source::Source;

/// How many turns or items a page has where the client does not say; as the published server has it.
pub const DEFAULT_PAGE: u32 = 25;

/// The most turns or items of a page; as the published server has it.
pub const MAX_PAGE: u32 = 100;

/// Asks for a page of turns.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<'a> {
    /// Where to go on, as an earlier page gave it.
    pub cursor: Option<&'a str>,
    /// How many turns, at most.
    pub limit: Option<u32>,
    /// Newest first, where absent.
    pub direction: Option<SortDirection>,
    /// The summary, where absent.
    pub view: Option<TurnItemsView>,
    /// What the turns of the page may weigh on the wire.
    pub max_bytes: usize,
}

/// Asks for a page of items.
#[derive(Clone, Copy, Debug)]
pub struct ItemPageRequest<'a> {
    /// Only the items of this turn.
    pub turn_id: Option<&'a str>,
    /// Where to go on, as an earlier page gave it, or the item of the turn beside which to begin.
    pub cursor: Option<&'a ThreadItemsListCursor>,
    /// How many items, at most.
    pub limit: Option<u32>,
    /// Oldest first, where absent.
    pub direction: Option<SortDirection>,
    /// What the items of the page may weigh on the wire.
    pub max_bytes: usize,
}

/// The turns of a thread as far as one answer may hold them, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turns {
    /// The newest turns; all of them where `oldest` is absent.
    pub turns: Vec<Turn>,
    /// Where older ones were left out: the cursor of a page of turns, newest first, that begins with the oldest here.
    pub oldest: Option<String>,
}

/// Returns the turns of a thread, newest ones only where all weigh more than `max_bytes` on the wire; `running` is the
/// turn that runs in this server now.
pub fn turns(segments: &[Segment], running: Option<String>, max_bytes: usize) -> Result<Turns, HistoryError> {
    let source = Source::open(segments)?;
    // What is shown weighs no more than what is stored; so most threads are read once, from the start.
    if source.len() <= max_bytes as u64 {
        return Ok(Turns { turns: all_turns(&source, running)?, oldest: None });
    }
    let stretches = Stretches::from(&source, SortDirection::Desc, None)?;
    let all = Filter { limit: usize::MAX, view: TurnItemsView::Full, max_bytes };
    let mut page = fill(&source, stretches, all, running.as_deref())?;
    page.data.reverse();
    let last = cursor::read::<TurnCursor>(page.next_cursor.as_deref())?;
    let oldest = last.map(|last| TurnCursor { inclusive: true, seen: None, number: None, ..last });
    Ok(Turns { turns: page.data, oldest: oldest.as_ref().map(cursor::write) })
}

fn all_turns(source: &Source, running: Option<String>) -> io::Result<Vec<Turn>> {
    let mut projector = Projector::new(running);
    let mut lines = source.forward(0..source.len());
    let mut index = 0;
    while let Some(raw) = lines.next()? {
        if let Some((line, mark)) = raw.mark() {
            projector.record(&line, mark, Place { line: index, at: raw.span.0 });
        }
        index += 1;
    }
    Ok(projector.finish())
}

/// Returns a page of a thread's turns; `running` is the turn that runs in this server now.
///
/// A turn that alone weighs more than the page may is given as its summary, and says so in its `itemsView`.
pub fn turn_page(
    segments: &[Segment],
    request: &PageRequest<'_>,
    running: Option<&str>,
) -> Result<TurnsPage, HistoryError> {
    let &PageRequest { cursor, limit, direction, view, max_bytes } = request;
    let cursor = cursor::read::<TurnCursor>(cursor)?;
    let direction = direction.unwrap_or(SortDirection::Desc);
    let source = Source::open(segments)?;
    let stretches = Stretches::from(&source, direction, cursor)?;
    let filter = Filter { limit: page_limit(limit), view: view.unwrap_or(TurnItemsView::Summary), max_bytes };
    Ok(fill(&source, stretches, filter, running)?)
}

/// What a page takes of the turns that come.
#[derive(Clone, Copy)]
struct Filter {
    limit: usize,
    view: TurnItemsView,
    max_bytes: usize,
}

/// Fills a page with turns as they come.
fn fill(
    source: &Source,
    mut stretches: Stretches<'_>,
    filter: Filter,
    running: Option<&str>,
) -> io::Result<TurnsPage> {
    let Filter { limit, view, max_bytes } = filter;
    let mut room = max_bytes;
    let mut page = TurnsPage::default();
    let mut last = None;
    while let Some(stretch) = stretches.next()? {
        if page.data.len() == limit {
            page.next_cursor = last;
            break;
        }
        let keep = match view {
            TurnItemsView::NotLoaded => Keep::Nothing,
            TurnItemsView::Summary => Keep::Summary,
            TurnItemsView::Full => Keep::Within(room),
        };
        let read = |keep| Ok::<_, io::Error>(stretch.read(source, keep)?.map(|turn| turn.finish(running)));
        let Some(mut turn) = read(keep)? else { continue };
        if turn.items_view != view || wire_size(&turn) > room {
            if !page.data.is_empty() {
                page.next_cursor = last;
                break;
            }
            if view == TurnItemsView::Full {
                turn = read(Keep::Summary)?.unwrap_or(turn);
            }
        }
        let weight = wire_size(&turn);
        room = room.saturating_sub(weight);
        let at = |inclusive| TurnCursor { turn: stretch.start, inclusive, seen: None, number: None };
        page.backwards_cursor.get_or_insert_with(|| cursor::write(&at(/*inclusive*/ true)));
        let seen = stretches.is_clean().then_some(source.len());
        last = Some(cursor::write(&TurnCursor { seen, number: stretch.number, ..at(/*inclusive*/ false) }));
        page.data.push(turn);
    }
    Ok(page)
}

/// Returns a page of a thread's items, in the order of their turns.
pub fn item_page(
    segments: &[Segment],
    request: &ItemPageRequest<'_>,
) -> Result<ThreadItemsListResponse, HistoryError> {
    let &ItemPageRequest { turn_id, cursor, limit, direction, max_bytes } = request;
    let direction = direction.unwrap_or(SortDirection::Asc);
    let source = Source::open(segments)?;
    let only = match turn_id {
        None => None,
        Some(turn_id) => match newest::find(&source, turn_id)? {
            Some((_, stretch)) => Some(stretch),
            None if !matches!(cursor, Some(ThreadItemsListCursor::Anchor(_))) => {
                return Ok(ThreadItemsListResponse::default());
            }
            None => None,
        },
    };
    let cursor = match cursor {
        None => None,
        Some(ThreadItemsListCursor::Opaque(text)) => cursor::read::<ItemCursor>(Some(text))?,
        Some(ThreadItemsListCursor::Anchor(ThreadItemsListAnchor::Item { item_id })) => {
            Some(beside(&source, only.as_ref(), item_id)?)
        }
    };
    let mut stretches = match only {
        Some(stretch) => Stretches::One(Some(stretch)),
        None => Stretches::from(&source, direction, cursor.map(ItemCursor::turn))?,
    };

    let mut filling = Filling { page: ThreadItemsListResponse::default(), last: None, room: max_bytes };
    let limit = page_limit(limit);
    while let Some(stretch) = stretches.next()? {
        // Where the page is full, one item more tells that there is another page.
        let window = Window { count: limit - filling.page.data.len(), bytes: filling.room };
        let cursor = cursor.filter(|cursor| cursor.turn == stretch.start);
        let keep = match (direction, cursor) {
            (SortDirection::Asc, None) => Keep::First { from: 0, window },
            (SortDirection::Asc, Some(ItemCursor { item, inclusive: true, .. })) => {
                Keep::First { from: item, window }
            }
            (SortDirection::Asc, Some(ItemCursor { item, .. })) => {
                Keep::First { from: item.saturating_add(1), window }
            }
            (SortDirection::Desc, None) => Keep::Last { until: u64::MAX, window },
            (SortDirection::Desc, Some(ItemCursor { item, inclusive: true, .. })) => {
                Keep::Last { until: item.saturating_add(1), window }
            }
            (SortDirection::Desc, Some(ItemCursor { item, .. })) => Keep::Last { until: item, window },
        };
        let Some(read) = stretch.read(&source, keep)? else { continue };
        let turn_id = read.id().to_owned();
        let more = read.shelf.overflowed();
        let mut items = read.shelf.into_items();
        if direction == SortDirection::Desc {
            items.make_contiguous().reverse();
        }
        let all_fitted =
            items.into_iter().all(|kept| window.count > 0 && filling.push(&stretch, &turn_id, kept));
        if more || !all_fitted {
            filling.page.next_cursor = filling.last;
            break;
        }
    }
    Ok(filling.page)
}

/// A page of items while it grows.
struct Filling {
    page: ThreadItemsListResponse,
    /// Where to go on behind the last item.
    last: Option<String>,
    room: usize,
}

impl Filling {
    /// Adds an item, and tells whether it had room.
    fn push(&mut self, stretch: &Stretch, turn_id: &str, kept: Kept) -> bool {
        let Kept { item, at, times: Times { started_at_ms, completed_at_ms } } = kept;
        let weight = wire_size(&item);
        if weight > self.room && !self.page.data.is_empty() {
            return false;
        }
        self.room = self.room.saturating_sub(weight);
        let cursor = |inclusive| cursor::write(&ItemCursor { turn: stretch.start, item: at, inclusive });
        self.page.backwards_cursor.get_or_insert_with(|| cursor(/*inclusive*/ true));
        self.last = Some(cursor(/*inclusive*/ false));
        let turn_id = turn_id.to_owned();
        self.page.data.push(ThreadItemEntry { turn_id, item, started_at_ms, completed_at_ms });
        true
    }
}

/// Returns the place behind (or before) an item that the client names; it has to name the turn besides.
fn beside(source: &Source, stretch: Option<&Stretch>, item_id: &str) -> Result<ItemCursor, HistoryError> {
    let unknown = || HistoryError::InvalidCursor(item_id.to_owned());
    let stretch = stretch.ok_or_else(unknown)?;
    let item = stretch.find_item(source, item_id)?.ok_or_else(unknown)?;
    Ok(ItemCursor { turn: stretch.start, item, inclusive: false })
}

/// The turns of a page and those behind it, in the order of the page.
enum Stretches<'a> {
    /// Those that start before `end`.
    Newest {
        turns: Newest<'a>,
        end: u64,
    },
    Oldest(vec::IntoIter<Stretch>),
    One(Option<Stretch>),
}

impl<'a> Stretches<'a> {
    /// Begins where a cursor says, or at the end that comes first.
    fn from(source: &'a Source, direction: SortDirection, cursor: Option<TurnCursor>) -> io::Result<Self> {
        match (direction, cursor) {
            (SortDirection::Desc, None) => Ok(Self::Newest { turns: Newest::of(source), end: u64::MAX }),
            (SortDirection::Desc, Some(TurnCursor { turn, inclusive: true, .. })) => {
                Ok(Self::Newest { turns: Newest::of(source), end: turn.saturating_add(1) })
            }
            (SortDirection::Desc, Some(TurnCursor { turn, seen, number, .. })) => {
                // A thread that grew may hold something about older turns where nothing was.
                let turns = match seen == Some(source.len()) && turn <= source.len() {
                    true => Newest::before(source, turn, number),
                    false => Newest::of(source),
                };
                Ok(Self::Newest { turns, end: turn })
            }
            (SortDirection::Asc, cursor) => {
                let mut stretches = Outline::read(source)?.into_stretches();
                if let Some(TurnCursor { turn, inclusive, .. }) = cursor {
                    let first = if inclusive { turn } else { turn.saturating_add(1) };
                    stretches.retain(|stretch| stretch.start >= first);
                }
                Ok(Self::Oldest(stretches.into_iter()))
            }
        }
    }

    fn next(&mut self) -> io::Result<Option<Stretch>> {
        match self {
            Self::Oldest(stretches) => Ok(stretches.next()),
            Self::One(stretch) => Ok(stretch.take()),
            Self::Newest { turns, end } => loop {
                let next = turns.next()?;
                if next.as_ref().is_none_or(|stretch| stretch.start < *end) {
                    return Ok(next);
                }
            },
        }
    }

    /// Tells whether a page that goes on behind the last turn need not look at what is before it.
    fn is_clean(&self) -> bool {
        matches!(self, Self::Newest { turns, .. } if turns.is_clean())
    }
}

/// Zero asks for one, as with the published server.
fn page_limit(limit: Option<u32>) -> usize {
    limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE) as usize
}

#[cfg(test)]
mod tests;
