//! The list without an index: heads and tails of the files themselves, in the list's order, no more of them than needed.
//!
//! Invariant: the same rows as the index would give for the same query ([`ListQuery`] decides both). What a file is
//! called is taken for true until one shows that it is not; then every file is read. A file under a wrong name that a
//! page ends before may be listed beside the one that it is a copy of.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use chrono::Duration;
use rollout::{Home, Located, RolloutName, Stamp};
use state::{Direction, ListQuery, Position, Sort, ThreadRow};

use crate::{ThreadError, read};

/// How far the local time in a file name may lie from the creation time in the file: zones reach from UTC-12 to
/// UTC+14, and a clock may be set in between.
const NAME_SLACK: Duration = Duration::hours(15);

/// Returns the rows of a page, and one more where others follow.
pub(crate) fn rows(home: &Home, query: &ListQuery) -> Result<Vec<ThreadRow>, ThreadError> {
    Ok(by_names(home, query).unwrap_or_else(|Misnamed| by_content(home, query)))
}

/// A file is not the thread that it is called, or was not made when it is called.
struct Misnamed;

/// Reads files in the order that their names, or the times of their changes, give, and stops behind the page.
fn by_names(home: &Home, query: &ListQuery) -> Result<Vec<ThreadRow>, Misnamed> {
    let mut page = Page::of(query);
    for Candidate { path, name, keys } in candidates(home, query) {
        if keys.are_before(query) {
            continue;
        }
        if page.last().is_some_and(|last| keys.follow(query, last)) {
            break;
        }
        let Some(row) = row(path, query.archived) else { continue };
        if row.summary.id != name.id || query.sort == Sort::CreatedAt && !keys.hold(query.key_ms(&row)) {
            return Err(Misnamed);
        }
        page.offer(row);
    }
    Ok(page.rows())
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

/// Returns one file of each thread, the one that stands for it, in the order of the list.
fn candidates(home: &Home, query: &ListQuery) -> Box<dyn Iterator<Item = Candidate>> {
    let mut seen = HashSet::new();
    let newest_first = walk(home, query.archived).filter(move |located| seen.insert(located.name.id));
    if (query.sort, query.direction) == (Sort::CreatedAt, Direction::Desc) {
        return Box::new(newest_first.map(|Located { path, name, .. }| {
            let keys = Keys::of_name(&name);
            Candidate { path, name, keys }
        }));
    }
    let (mut folders, mut files) = (Vec::<PathBuf>::new(), Vec::new());
    for Located { path, name, .. } in newest_first {
        let keys = match query.sort {
            Sort::CreatedAt => Keys::of_name(&name),
            Sort::UpdatedAt => match Keys::of_change(&path) {
                Some(keys) => keys,
                None => continue, // it is gone
            },
        };
        let folder = path.parent().unwrap_or(&path);
        if folders.last().is_none_or(|last| last != folder) {
            folders.push(folder.to_owned());
        }
        // Of a hundred thousand files no paths are kept.
        files.push((keys, name, folders.len() - 1));
    }
    let order = |(keys, name, _): &(Keys, RolloutName, usize)| (keys.earliest, name.id);
    match query.direction {
        Direction::Asc => files.sort_unstable_by_key(order),
        Direction::Desc => files.sort_unstable_by_key(|file| Reverse(order(file))),
    }
    Box::new(files.into_iter().map(move |(keys, name, folder)| {
        let path = folders[folder].join(name.to_string());
        Candidate { path, name, keys }
    }))
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
mod tests {
    use std::{
        fs::File,
        time::{Duration, SystemTime},
    };

    use chrono::{DateTime, Utc};
    use pretty_assertions::assert_eq;
    use proptest::{collection::vec, prelude::*};
    use rollout::ThreadId;
    use serde_json::json;
    use tempfile::TempDir;
    use uuid::{NoContext, Timestamp, Uuid};

    use super::*;

    /// A file of a test: the hour of its name, how many hours later it says that it was made, when it changed, whether
    /// it works here.
    type Made = (u32, i64, u64, bool);

    /// The hour that everything is counted from, in seconds.
    const BEGIN: u64 = 1_736_000_000;

    fn query(sort: Sort, direction: Direction, limit: u32) -> ListQuery {
        ListQuery {
            archived: false,
            sort,
            direction,
            providers: None,
            default_provider: "p".into(),
            sources: Vec::new(),
            cwds: None,
            search: None,
            parent: None,
            excluded: Vec::new(),
            originators: None,
            ids: None,
            after: None,
            limit,
        }
    }

    fn since_1970(hour: u32) -> Duration {
        Duration::from_secs(BEGIN + u64::from(hour) * 3600)
    }

    /// Makes an id that tells of the hour.
    fn id_of(hour: u32) -> ThreadId {
        Uuid::new_v7(Timestamp::from_unix(NoContext, since_1970(hour).as_secs(), 0)).into()
    }

    fn write(home: &Home, made: &Made, id: ThreadId, said: ThreadId) {
        let (hour, later, changed, here) = *made;
        let time = DateTime::<Utc>::from(SystemTime::UNIX_EPOCH + since_1970(hour));
        let timestamp = (time + chrono::Duration::hours(later)).to_rfc3339();
        let cwd = if here { "/here" } else { "/there" };
        let meta =
            json!({ "id": said, "timestamp": timestamp, "cwd": cwd, "originator": "o", "cli_version": "1" });
        let lines = [
            json!({ "timestamp": timestamp, "type": "session_meta", "payload": meta }),
            json!({ "timestamp": timestamp, "type": "event_msg", "payload": { "type": "user_message", "message": "hi" } }),
        ];
        let path = home.new_rollout(id, time.naive_utc());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, lines.map(|line| line.to_string() + "\n").concat()).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
        File::options().append(true).open(&path).unwrap().set_modified(changed).unwrap();
    }

    fn home_of(files: &[Made]) -> (TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        for made in files {
            let id = id_of(made.0);
            write(&home, made, id, id);
        }
        (folder, home)
    }

    fn ids(rows: &[ThreadRow]) -> Vec<ThreadId> {
        rows.iter().map(|row| row.summary.id).collect()
    }

    /// Walks through all pages.
    fn walked(home: &Home, mut query: ListQuery) -> Vec<ThreadId> {
        let mut walked = Vec::new();
        loop {
            let mut page = rows(home, &query).unwrap();
            let more = page.len() > query.limit as usize;
            page.truncate(query.limit as usize);
            walked.extend(ids(&page));
            match page.last().filter(|_| more) {
                Some(last) => {
                    query.after = Some(Position { key_ms: query.key_ms(last), id: Some(last.summary.id) });
                }
                None => return walked,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_walk_by_names_finds_what_reading_everything_finds(
            files in vec((0..200u32, -14..=14i64, 0..5u64, prop::bool::weighted(0.7)), 0..30),
            by_change: bool,
            ascending: bool,
            here: bool,
            limit in 1..8u32,
        ) {
            let (_folder, home) = home_of(&files);
            let sort = if by_change { Sort::UpdatedAt } else { Sort::CreatedAt };
            let direction = if ascending { Direction::Asc } else { Direction::Desc };
            let mut query = query(sort, direction, limit);
            query.cwds = here.then(|| vec!["/here".to_owned()]);
            let all = ListQuery { limit: 100, ..query.clone() };
            prop_assert_eq!(walked(&home, query), ids(&by_content(&home, &all)));
        }
    }

    #[test]
    fn no_more_is_read_than_the_page_takes() {
        for (sort, direction) in [
            (Sort::CreatedAt, Direction::Desc),
            (Sort::CreatedAt, Direction::Asc),
            (Sort::UpdatedAt, Direction::Desc),
            (Sort::UpdatedAt, Direction::Asc),
        ] {
            let (_folder, home) = home_of(&[]);
            let mut files = Vec::new();
            for day in 0..20 {
                let near = if direction == Direction::Desc { day > 15 } else { day < 4 };
                let (id, other) = (id_of(day * 48), ThreadId::new());
                // Whoever reads one of the others sees that its name is not true.
                write(&home, &(day * 48, 0, u64::from(day), true), id, if near { id } else { other });
                files.push(id);
            }
            if direction == Direction::Desc {
                files.reverse();
            }
            let listed = by_names(&home, &query(sort, direction, 2));
            assert_eq!(
                listed.ok().map(|rows| ids(&rows)).as_deref(),
                Some(&files[..3]),
                "{sort:?} {direction:?}"
            );
        }
    }

    #[test]
    fn a_name_that_is_not_true_has_everything_read() {
        let (_folder, home) = home_of(&[(0, 0, 1, true), (90, 0, 3, true)]);
        let imported = ThreadId::new();
        write(&home, &(500, -499, 2, true), imported, imported);
        let newest_first = query(Sort::CreatedAt, Direction::Desc, 1);
        let all = ListQuery { limit: 100, ..newest_first.clone() };
        assert_eq!(walked(&home, newest_first), ids(&by_content(&home, &all)), "made at another time");
        let (copied, copy) = (ThreadId::new(), ThreadId::new());
        write(&home, &(10, 0, 7, true), copied, copied);
        write(&home, &(300, 0, 8, true), copy, copied);
        let last_changed_first = query(Sort::UpdatedAt, Direction::Desc, 100);
        let listed = ids(&rows(&home, &last_changed_first).unwrap());
        assert_eq!(
            listed.iter().filter(|id| **id == copied).count(),
            1,
            "called as another thread: {listed:?}"
        );
        assert!(!listed.contains(&copy));
    }
}
