//! The list without an index: heads and tails of the files themselves, newest first, no more of them than needed.
//!
//! Invariant: the same rows as the index would give for the same query ([`ListQuery`] decides both).

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashSet},
};

use chrono::{Duration, NaiveDateTime};
use rollout::{Home, Located};
use state::{Direction, ListQuery, Sort, ThreadRow};

use crate::{ThreadError, read};

/// How far the local time in a file name may lie from the creation time in the file: zones reach from UTC-12 to
/// UTC+14, and a clock may be set in between.
const NAME_SLACK: Duration = Duration::hours(15);

/// Returns the rows of a page, and one more where others follow.
pub(crate) fn rows(home: &Home, query: &ListQuery) -> Result<Vec<ThreadRow>, ThreadError> {
    let wanted = query.limit as usize + 1;
    let mut page: BinaryHeap<Ranked<'_>> = BinaryHeap::new();
    let mut seen = HashSet::new();
    for located in rollout::walk(home, query.archived) {
        let Located { path, name, archived } = match located {
            Ok(located) => located,
            Err(error) => {
                tracing::warn!(%error, "a folder of rollouts cannot be read");
                continue;
            }
        };
        if page.len() == wanted
            && page.peek().is_some_and(|last| none_can_follow(query, &last.row, name.local_time))
        {
            break;
        }
        let row = match read::row(path, archived) {
            Ok(row) => row,
            Err(error) => {
                tracing::debug!(%error, "not listed");
                continue;
            }
        };
        // The newest file of an id stands for the thread.
        if !seen.insert(row.summary.id) || !query.admits(&row) || !query.is_after(&row) {
            continue;
        }
        page.push(Ranked { query, row });
        if page.len() > wanted {
            page.pop();
        }
    }
    Ok(page.into_sorted_vec().into_iter().map(|ranked| ranked.row).collect())
}

/// Tells whether every file named like this one or earlier belongs behind `last`.
fn none_can_follow(query: &ListQuery, last: &ThreadRow, name_time: NaiveDateTime) -> bool {
    matches!((query.sort, query.direction), (Sort::CreatedAt, Direction::Desc))
        && last.summary.created_at.naive_utc() > name_time + NAME_SLACK
}

/// A row in the order of the query, so that the heap's greatest is the last of the page.
struct Ranked<'a> {
    query: &'a ListQuery,
    row: ThreadRow,
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.query.compare(&self.row, &other.row)
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked<'_> {}
