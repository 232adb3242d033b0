//! The list without an index: heads and tails of the files themselves, in the list's order, no more of them than needed.
//!
//! Invariant: the same rows as the index would give for the same query ([`ListQuery`] decides both). What a file is
//! called is taken for true until one shows that it is not; then every file is read. A file under a wrong name that a
//! page ends before may be listed beside the one that it is a copy of.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use chrono::Duration;
use rollout::{Home, Located, RolloutName, Stamp, ThreadId};
use state::{Direction, ListQuery, Position, Sort, ThreadRow};

use crate::read;

/// How far the local time in a file name may lie from the creation time in the file: zones reach from UTC-12 to
/// UTC+14, and a clock may be set in between.
const NAME_SLACK: Duration = Duration::hours(15);

/// How many files are put in order for a page at first: most pages take fewer, and a hundred thousand are megabytes.
const NEAREST: usize = 4096;

/// Returns the rows of a page, and one more where others follow.
pub(crate) fn rows(home: &Home, query: &ListQuery) -> Vec<ThreadRow> {
    by_names(home, query, NEAREST).unwrap_or_else(|Misnamed| by_content(home, query))
}

/// A file is not the thread that it is called, or was not made when it is called.
struct Misnamed;

/// Reads files in the order that their names, or the times of their changes, give, and stops behind the page.
///
/// Where files have to be put in order first, the `nearest` ones are tried before all of them.
fn by_names(home: &Home, query: &ListQuery, nearest: usize) -> Result<Vec<ThreadRow>, Misnamed> {
    let mut most = nearest;
    loop {
        if let Some(rows) = page(query, candidates(home, query, most))? {
            return Ok(rows);
        }
        most = usize::MAX;
    }
}

/// Reads files until no other one can be on the page; `None` where they end before that, and are not all.
fn page(query: &ListQuery, candidates: Candidates) -> Result<Option<Vec<ThreadRow>>, Misnamed> {
    let Candidates { files, are_all, doubled } = candidates;
    let mut page = Page::of(query);
    let mut seen = HashSet::new();
    for Candidate { path, name, keys } in files {
        if seen.contains(&name.id) {
            continue;
        }
        if keys.are_before(query) {
            seen.insert(name.id);
            continue;
        }
        if page.last().is_some_and(|last| keys.follow(query, last)) {
            return Ok(Some(page.rows()));
        }
        let Some(row) = row(path, query.archived) else {
            // An older file of the thread may be one that can be read.
            if doubled.contains(&name.id) {
                return Err(Misnamed);
            }
            continue;
        };
        seen.insert(name.id);
        if row.summary.id != name.id || query.sort == Sort::CreatedAt && !keys.hold(query.key_ms(&row)) {
            return Err(Misnamed);
        }
        page.offer(row);
    }
    Ok(are_all.then(|| page.rows()))
}

/// Reads every file.
fn by_content(home: &Home, query: &ListQuery) -> Vec<ThreadRow> {
    let mut page = Page::of(query);
    let mut seen = HashSet::new();
    for Located { path, .. } in walk(home, query.archived) {
        // The newest file of an id stands for the thread.
        if let Some(row) = row(path, query.archived).filter(|row| seen.insert(row.summary.id)) {
            page.offer(row);
        }
    }
    page.rows()
}

fn row(path: PathBuf, archived: bool) -> Option<ThreadRow> {
    read::row(path, archived).inspect_err(|error| tracing::debug!(%error, "not listed")).ok()
}

/// Walks the files of a kind, newest first, as far as folders can be read.
fn walk(home: &Home, archived: bool) -> impl Iterator<Item = Located> + use<> {
    rollout::walk(home, archived).filter_map(|located| {
        located.inspect_err(|error| tracing::warn!(%error, "a folder of rollouts cannot be read")).ok()
    })
}

/// A file that may be on the page.
struct Candidate {
    path: PathBuf,
    name: RolloutName,
    keys: Keys,
}

/// Files in the order of the list; where several are of one thread, the one that stands for it comes first.
struct Candidates {
    files: Box<dyn Iterator<Item = Candidate>>,
    /// Whether no others follow them.
    are_all: bool,
    /// Threads of which only the first file is among them.
    doubled: HashSet<ThreadId>,
}

/// Finds the files that may be on the page, and perhaps some before it; `most` of them where they have to be put in
/// order first.
fn candidates(home: &Home, query: &ListQuery, most: usize) -> Candidates {
    let newest_first = walk(home, query.archived);
    if (query.sort, query.direction) == (Sort::CreatedAt, Direction::Desc) {
        let candidate = |Located { path, name, .. }| Candidate { path, keys: Keys::of_name(&name), name };
        let files = Box::new(newest_first.map(candidate));
        return Candidates { files, are_all: true, doubled: HashSet::new() };
    }
    let (mut seen, mut doubled) = (HashSet::new(), HashSet::new());
    let (mut folders, mut files, mut are_all) = (Vec::<PathBuf>::new(), Vec::new(), true);
    let mut in_order = |files: &mut Vec<(Keys, RolloutName, usize)>| {
        files.sort_unstable_by(|(a, name, _), (b, other, _)| {
            query.directed((a.earliest, name.id).cmp(&(b.earliest, other.id)))
        });
        are_all &= files.len() <= most;
        files.truncate(most);
    };
    for Located { path, name, .. } in newest_first {
        if !seen.insert(name.id) {
            doubled.insert(name.id);
            continue;
        }
        let keys = match query.sort {
            Sort::CreatedAt => Keys::of_name(&name),
            Sort::UpdatedAt => match Keys::of_change(&path) {
                Some(keys) => keys,
                None => continue, // it is gone
            },
        };
        if keys.are_before(query) {
            continue;
        }
        let folder = path.parent().unwrap_or(&path);
        if folders.last().is_none_or(|last| last != folder) {
            folders.push(folder.to_owned());
        }
        files.push((keys, name, folders.len() - 1));
        if files.len() / 2 >= most {
            in_order(&mut files);
        }
    }
    in_order(&mut files);
    let files = files.into_iter().map(move |(keys, name, folder)| {
        let path = folders[folder].join(name.to_string());
        Candidate { path, name, keys }
    });
    Candidates { files: Box::new(files), are_all, doubled }
}

/// Between which times the one lies that orders a file in the list, in milliseconds; known before it is read.
#[derive(Clone, Copy)]
struct Keys {
    earliest: i64,
    latest: i64,
    /// Whether two things say so that are not likely to be wrong both.
    sure: bool,
}

impl Keys {
    fn of_name(name: &RolloutName) -> Self {
        let time = name.local_time.and_utc().timestamp_millis();
        let slack = NAME_SLACK.num_milliseconds();
        let keys = Self { earliest: time - slack, latest: time + slack, sure: false };
        let hint = name.id.created_hint();
        Self { sure: hint.is_some_and(|made| keys.hold(made.timestamp_millis())), ..keys }
    }

    fn of_change(path: &Path) -> Option<Self> {
        let changed = Stamp::of(&fs::symlink_metadata(path).ok()?).changed_ms();
        Some(Self { earliest: changed, latest: changed, sure: true })
    }

    fn hold(self, key_ms: i64) -> bool {
        (self.earliest..=self.latest).contains(&key_ms)
    }

    /// Tells whether the file is certain to be on an earlier page.
    fn are_before(self, query: &ListQuery) -> bool {
        let is_before = |Position { key_ms, .. }: Position| match query.direction {
            Direction::Desc => self.earliest > key_ms,
            Direction::Asc => self.latest < key_ms,
        };
        self.sure && query.after.is_some_and(is_before)
    }

    /// Tells whether the file is certain to come behind `last`, and whatever comes behind the file too.
    fn follow(self, query: &ListQuery, last: &ThreadRow) -> bool {
        match query.direction {
            Direction::Desc => self.latest < query.key_ms(last),
            Direction::Asc => self.earliest > query.key_ms(last),
        }
    }
}

/// The rows of a page as far as files were read.
struct Page<'a> {
    query: &'a ListQuery,
    wanted: usize,
    /// The greatest is the last of the page.
    rows: BinaryHeap<Ranked<'a>>,
}

impl<'a> Page<'a> {
    fn of(query: &'a ListQuery) -> Self {
        Self { query, wanted: query.limit as usize + 1, rows: BinaryHeap::new() }
    }

    /// Returns the last row of a page that is full.
    fn last(&self) -> Option<&ThreadRow> {
        self.rows.peek().filter(|_| self.rows.len() == self.wanted).map(|last| &last.row)
    }

    fn offer(&mut self, row: ThreadRow) {
        let query = self.query;
        if query.admits(&row) && query.is_after(&row) {
            self.rows.push(Ranked { query, row });
        }
        if self.rows.len() > self.wanted {
            self.rows.pop();
        }
    }

    fn rows(self) -> Vec<ThreadRow> {
        self.rows.into_sorted_vec().into_iter().map(|ranked| ranked.row).collect()
    }
}

/// A row in the order of the query.
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

#[cfg(test)]
mod tests;
