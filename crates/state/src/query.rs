//! What a list asks for, and what that means for one row.
//!
//! Invariant: [`ListQuery::admits`], [`ListQuery::compare`] and [`ListQuery::is_after`] mean what the SQL in `list.rs`
//! means, so that a page is the same whether the index or a scan of the files made it (a property test holds them equal).
//! Not here: that one of several files of a thread stands for it; whoever scans files sees to that.

use std::cmp::Ordering;

use rollout::ThreadId;

use crate::{SourceFilter, ThreadRow};

/// What to list: which threads, in which order, from where on.
///
/// Of the filters, `None` admits everything, and an empty list of values admits nothing.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// The archived threads instead of the active ones; never both.
    pub archived: bool,
    /// What orders the list.
    pub sort: Sort,
    /// Newest first or oldest first.
    pub direction: Direction,
    /// Only threads of these providers.
    pub providers: Option<Vec<String>>,
    /// What a thread counts as whose file names no provider.
    pub default_provider: String,
    /// Only threads of these sources; empty admits every source, those too that no filter covers.
    pub sources: Vec<SourceFilter>,
    /// Only threads of these working folders, compared as text.
    pub cwds: Option<Vec<String>>,
    /// Only threads that hold a text.
    pub search: Option<Search>,
    /// Only threads that this one spawned.
    pub parent: Option<ThreadId>,
    /// Not these threads.
    pub excluded: Vec<ThreadId>,
    /// Only threads that these clients started.
    pub originators: Option<Vec<String>>,
    /// Only these threads.
    pub ids: Option<Vec<ThreadId>>,
    /// Where the page begins: strictly behind this position.
    pub after: Option<Position>,
    /// How many threads a page holds; one more is returned where others follow.
    pub limit: u32,
}

/// What orders a list; ties are broken by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// When the thread was made, in milliseconds.
    CreatedAt,
    /// When its file last changed, in milliseconds.
    UpdatedAt,
}

/// Which end of the list comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Newest first.
    Desc,
    /// Oldest first.
    Asc,
}

/// A text that a thread must hold.
#[derive(Clone, Debug)]
pub struct Search {
    /// The text: literal, case-sensitive, anywhere in the preview.
    pub term: String,
    /// The threads whose name holds it; names are not in the index.
    pub named: Vec<ThreadId>,
}

/// A place in an ordered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The time that the list is ordered by, in milliseconds.
    pub key_ms: i64,
    /// The thread there; without one the position is behind every thread of that time.
    pub id: Option<ThreadId>,
}

impl ListQuery {
    /// Tells whether the row passes every filter; the position is not one of them.
    pub fn admits(&self, row: &ThreadRow) -> bool {
        let Self {
            archived,
            sort: _,
            direction: _,
            providers,
            default_provider,
            sources,
            cwds,
            search,
            parent,
            excluded,
            originators,
            ids,
            after: _,
            limit: _,
        } = self;
        let summary = &row.summary;
        let Some(preview) = &summary.preview else { return false };
        let provider = summary.model_provider.as_ref().unwrap_or(default_provider);
        row.archived == *archived
            && is_among(providers, provider)
            && (sources.is_empty() || sources.iter().any(|filter| filter.covers(&summary.source)))
            && is_among(cwds, &summary.cwd)
            && is_among(originators, &summary.originator)
            && is_among(ids, &summary.id)
            && !excluded.contains(&summary.id)
            && parent.is_none_or(|parent| summary.parent == Some(parent))
            && search
                .as_ref()
                .is_none_or(|Search { term, named }| preview.contains(term) || named.contains(&summary.id))
    }

    /// Compares two rows by the order of the list; the lesser comes first.
    pub fn compare(&self, a: &ThreadRow, b: &ThreadRow) -> Ordering {
        let key = |row: &ThreadRow| (self.key_ms(row), row.summary.id);
        self.directed(key(a).cmp(&key(b)))
    }

    /// Tells whether the row lies behind the position where the page begins.
    pub fn is_after(&self, row: &ThreadRow) -> bool {
        let Some(Position { key_ms, id }) = self.after else { return true };
        let by_time = self.key_ms(row).cmp(&key_ms);
        let order = match id {
            Some(id) => by_time.then(row.summary.id.cmp(&id)),
            None => by_time,
        };
        self.directed(order).is_gt()
    }

    /// Returns the time of the row that orders this list, in milliseconds.
    pub fn key_ms(&self, row: &ThreadRow) -> i64 {
        match self.sort {
            Sort::CreatedAt => row.created_ms(),
            Sort::UpdatedAt => row.updated_ms(),
        }
    }

    /// Turns an order of ascending times into that of the list.
    pub fn directed(&self, order: Ordering) -> Ordering {
        match self.direction {
            Direction::Asc => order,
            Direction::Desc => order.reverse(),
        }
    }
}

fn is_among<T: PartialEq>(values: &Option<Vec<T>>, value: &T) -> bool {
    values.as_ref().is_none_or(|values| values.contains(value))
}
