//! Tests of the list without an index.

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
fn walked(home: &Home, mut query: ListQuery, nearest: usize) -> Vec<ThreadId> {
    let mut walked = Vec::new();
    loop {
        let mut page = by_names(home, &query, nearest).unwrap_or_else(|Misnamed| by_content(home, &query));
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
        nearest in 1..50usize,
    ) {
        let (_folder, home) = home_of(&files);
        let sort = if by_change { Sort::UpdatedAt } else { Sort::CreatedAt };
        let direction = if ascending { Direction::Asc } else { Direction::Desc };
        let mut query = query(sort, direction, limit);
        query.cwds = here.then(|| vec!["/here".to_owned()]);
        let all = ListQuery { limit: 100, ..query.clone() };
        prop_assert_eq!(walked(&home, query, nearest), ids(&by_content(&home, &all)));
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
        let listed = by_names(&home, &query(sort, direction, 2), NEAREST);
        assert_eq!(
            listed.ok().map(|rows| ids(&rows)).as_deref(),
            Some(&files[..3]),
            "{sort:?} {direction:?}"
        );
    }
}

#[test]
fn behind_a_piece_that_cannot_be_read_the_one_before_it_stands_for_the_thread() {
    for (sort, direction) in [(Sort::CreatedAt, Direction::Desc), (Sort::UpdatedAt, Direction::Desc)] {
        let (_folder, home) = home_of(&[(0, 0, 1, true)]);
        let (thread, piece) = (id_of(50), Uuid::now_v7());
        write(&home, &(50, 0, 2, true), thread, thread);
        let older = walk(&home, false).find(|located| located.name.id == thread).unwrap();
        let newer = RolloutName { segment: Some(piece), ..older.name };
        fs::write(home.active_path(&newer), "torn").unwrap();
        let listed = ids(&rows(&home, &query(sort, direction, 10)));
        assert_eq!((listed.len(), listed[0]), (2, thread), "{sort:?}");
    }
}

#[test]
fn a_name_that_is_not_true_has_everything_read() {
    let (_folder, home) = home_of(&[(0, 0, 1, true), (90, 0, 3, true)]);
    let imported = ThreadId::new();
    write(&home, &(500, -499, 2, true), imported, imported);
    let newest_first = query(Sort::CreatedAt, Direction::Desc, 1);
    let all = ListQuery { limit: 100, ..newest_first.clone() };
    assert_eq!(walked(&home, newest_first, NEAREST), ids(&by_content(&home, &all)), "made at another time");
    let (copied, copy) = (ThreadId::new(), ThreadId::new());
    write(&home, &(10, 0, 7, true), copied, copied);
    write(&home, &(300, 0, 8, true), copy, copied);
    let last_changed_first = query(Sort::UpdatedAt, Direction::Desc, 100);
    let listed = ids(&rows(&home, &last_changed_first));
    assert_eq!(listed.iter().filter(|id| **id == copied).count(), 1, "called as another thread: {listed:?}");
    assert!(!listed.contains(&copy));
}
