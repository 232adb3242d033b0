//! A thread is found by the name of its file, wherever in the home that lies, and nowhere else.

use std::{fs, os::unix::fs::symlink};

use pretty_assertions::assert_eq;

use super::*;
use crate::{Located, Place, RolloutName, day_folders, find, pieces, walk};

/// Version 7, of 2025-01-05.
const ID: &str = "01943669-4400-7000-8000-000000000001";
/// Version 4: it tells no time.
const OTHER: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";
const PIECE: &str = "01943669-4400-7000-8000-0000000000aa";
const LATER_PIECE: &str = "01943669-4400-7000-8000-0000000000bb";

fn name(day: &str, ids: &str) -> String {
    format!("rollout-{day}T12-00-00-{ids}.jsonl")
}

fn active(day: &str, ids: &str) -> String {
    format!("sessions/{}/{}", day.replace('-', "/"), name(day, ids))
}

fn archived(day: &str, ids: &str) -> String {
    format!("archived_sessions/{}", name(day, ids))
}

/// Returns the paths, below the home.
fn below(scratch: &Scratch, files: impl IntoIterator<Item = Located>) -> Vec<String> {
    let root = scratch.home.root();
    files.into_iter().map(|file| file.path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()).collect()
}

fn found(scratch: &Scratch, id: &str, place: Place) -> Option<String> {
    let file = find(&scratch.home, id.parse().unwrap(), place).unwrap();
    below(scratch, file).pop()
}

#[test]
fn a_thread_is_found_wherever_its_file_lies() {
    for (file, id) in [
        (active("2025-01-05", ID), ID),
        // A clock on a wall may be a day off.
        (active("2025-01-04", ID), ID),
        (active("2025-01-06", ID), ID),
        // An id may be made up.
        (active("2023-07-01", ID), ID),
        (active("2025-01-05", OTHER), OTHER),
    ] {
        let scratch = Scratch::new();
        assert_eq!(found(&scratch, id, Place::Anywhere), None, "there is no home yet");
        scratch.file(&file, "");
        scratch.file(&active("2025-01-05", "01943669-4400-7000-8000-00000000ffff"), "");
        assert_eq!(found(&scratch, id, Place::Active), Some(file.clone()));
        assert_eq!(found(&scratch, id, Place::Anywhere), Some(file));
        assert_eq!(found(&scratch, id, Place::Archived), None);
    }
}

#[test]
fn an_archived_thread_is_found_where_one_may_be() {
    let scratch = Scratch::new();
    let file = archived("2025-01-05", ID);
    scratch.file(&file, "");
    assert_eq!(found(&scratch, ID, Place::Active), None);
    assert_eq!(found(&scratch, ID, Place::Archived), Some(file.clone()));
    assert_eq!(found(&scratch, ID, Place::Anywhere), Some(file.clone()));
    scratch.file(&active("2025-01-05", ID), "");
    assert_eq!(
        found(&scratch, ID, Place::Anywhere),
        Some(active("2025-01-05", ID)),
        "the active one comes first"
    );
}

#[test]
fn the_newest_piece_stands_for_the_thread() {
    let scratch = Scratch::new();
    let numbered = line("session_meta", json!({ "id": ID })).replacen('{', r#"{"ordinal":0,"#, 1);
    let earlier = (0..8).map(|number| format!("{ID}_{}{number}", &PIECE[..PIECE.len() - 1]));
    for ids in [ID.to_owned(), format!("{ID}_{LATER_PIECE}")].into_iter().chain(earlier) {
        scratch.file(&active("2025-01-05", &ids), &numbered);
    }
    let same_second = active("2025-01-05", &format!("{ID}_{LATER_PIECE}"));
    assert_eq!(found(&scratch, ID, Place::Active), Some(same_second));
    let much_later = active("2025-03-01", &format!("{ID}_{PIECE}"));
    scratch.file(&much_later, "");
    assert_eq!(found(&scratch, ID, Place::Active), Some(much_later.clone()));
    let all = below(&scratch, pieces(&scratch.home, ID.parse().unwrap(), Place::Anywhere).unwrap());
    assert_eq!((all.len(), &all[0], &all[10]), (11, &active("2025-01-05", ID), &much_later));
}

#[test]
fn a_walk_shows_every_rollout_once_newest_first_and_nothing_else() {
    let scratch = Scratch::new();
    let files = [
        active("2025-03-01", ID),
        active("2025-01-05", &format!("{ID}_{PIECE}")),
        active("2025-01-05", ID),
        active("2024-12-31", OTHER),
    ];
    for file in files.iter().rev() {
        scratch.file(file, "");
    }
    scratch.file(&archived("2025-01-05", OTHER), "");
    for foreign in [
        "sessions/2025/01/05/notes.txt",
        "sessions/2025/01/x.jsonl",
        "sessions/x",
        "sessions/2025/01/05/rollout-x.jsonl",
    ] {
        scratch.file(foreign, "");
    }
    scratch.file(&active("2025-01-05", OTHER), "");
    fs::remove_file(scratch.home.root().join(active("2025-01-05", OTHER))).unwrap();
    fs::create_dir(scratch.home.root().join(active("2025-01-05", OTHER))).unwrap();
    let walked = |archived| below(&scratch, walk(&scratch.home, archived).map(Result::unwrap));
    assert_eq!(walked(false), files);
    assert_eq!(walked(true), [archived("2025-01-05", OTHER)]);
    let days: Vec<_> = day_folders(&scratch.home).unwrap();
    assert_eq!(days, ["2025/03/01", "2025/01/05", "2024/12/31"].map(|day| scratch.home.sessions().join(day)));
}

#[test]
fn a_link_inside_is_not_followed_but_the_folder_of_all_may_be_one() {
    let scratch = Scratch::new();
    let outside = scratch.folder.path().join("outside");
    let elsewhere = outside.join("2025/01/05");
    fs::create_dir_all(&elsewhere).unwrap();
    let file = elsewhere.join(name("2025-01-05", ID));
    fs::write(&file, "").unwrap();

    scratch.file("sessions/2025/01/06/x", "");
    let sessions = scratch.home.sessions();
    symlink(&elsewhere, sessions.join("2025/01/05")).unwrap();
    symlink(&file, sessions.join("2025/01/06").join(name("2025-01-06", ID))).unwrap();
    assert_eq!(found(&scratch, ID, Place::Anywhere), None);
    assert_eq!(walk(&scratch.home, false).count(), 0);

    fs::remove_dir_all(&sessions).unwrap();
    symlink(&outside, &sessions).unwrap();
    assert_eq!(found(&scratch, ID, Place::Anywhere), Some(active("2025-01-05", ID)));
    assert_eq!(walk(&scratch.home, false).count(), 1);
}

#[test]
fn a_new_rollout_lies_where_it_is_found() {
    let scratch = Scratch::new();
    let id: ThreadId = ID.parse().unwrap();
    let local_time = "2025-01-05T12:00:00".parse().unwrap();
    let path = scratch.home.new_rollout(id, local_time);
    assert_eq!(path, scratch.home.root().join(active("2025-01-05", ID)));
    let name = RolloutName { local_time, id, segment: None };
    assert_eq!(scratch.home.archived_path(&name), scratch.home.root().join(archived("2025-01-05", ID)));
}
