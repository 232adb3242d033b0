//! Appends are whole, in order and together, whoever else appends.

use std::{fs, os::unix::fs::PermissionsExt, thread};

use pretty_assertions::assert_eq;

use super::*;
use crate::{
    Disk, Record, RolloutError, Writer,
    append::{self, Locked},
    fork, segments,
};

const WRITERS: usize = 4;
const APPENDS: usize = 60;

/// Appends from several handles at once, now and then by opening the file anew.
fn storm(mode: Option<&str>) -> Vec<(String, Option<u64>)> {
    let scratch = Scratch::new();
    let path = scratch.home.root().join("x");
    Writer::create(&Disk::default(), &path, meta(ThreadId::new(), mode)).unwrap();
    thread::scope(|scope| {
        for name in 0..WRITERS {
            let path = &path;
            scope.spawn(move || {
                let mut writer = Writer::open(&Disk::default(), path).unwrap();
                for number in 0..APPENDS {
                    if number % 7 == name {
                        writer = Writer::open(&Disk::default(), path).unwrap();
                    }
                    // A long line is where a write could be torn apart.
                    let fill = "x".repeat(if number % 10 == 0 { 200_000 } else { number });
                    let records = ["a", "b"].map(|half| said(&format!("{name} {number} {half} {fill}")));
                    writer.append(&records).unwrap();
                }
            });
        }
    });
    sayings(&path)
}

#[test]
fn appends_of_several_handles_never_interleave() {
    let read = storm(None);
    assert_eq!(read.len(), WRITERS * APPENDS * 2);
    let mut next = [0; WRITERS];
    for pair in read.chunks(2) {
        let words: Vec<Vec<_>> = pair.iter().map(|(text, _)| text.splitn(4, ' ').collect()).collect();
        let name: usize = words[0][0].parse().unwrap();
        assert_eq!(words[0][..2], words[1][..2], "two records of one append stand together");
        assert_eq!((words[0][2], words[1][2]), ("a", "b"));
        assert_eq!(words[0][1], next[name].to_string(), "in the order of the writer");
        next[name] += 1;
    }
}

#[test]
fn numbers_stay_gapless_over_several_handles() {
    let numbers: Vec<_> = storm(Some("paginated")).into_iter().map(|(_, number)| number.unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=(WRITERS * APPENDS * 2) as u64));
}

#[test]
fn a_new_rollout_is_for_its_owner_alone_and_replaces_nothing() {
    let scratch = Scratch::new();
    let path = scratch.home.root().join("sessions/2025/01/05/x");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    Writer::create(&Disk::default(), &path, meta(ThreadId::new(), None)).unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let before = fs::read(&path).unwrap();
    assert!(Writer::create(&Disk::default(), &path, meta(ThreadId::new(), None)).is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(Writer::open(&Disk::default(), &scratch.home.root().join("missing")).is_err());
}

#[test]
fn what_another_program_appends_is_noticed() {
    let scratch = Scratch::new();
    let path = scratch.home.root().join("x");
    let mut writer = Writer::create(&Disk::default(), &path, meta(ThreadId::new(), None)).unwrap();
    let mut other = Writer::open(&Disk::default(), &path).unwrap();
    assert!(!writer.has_grown());
    other.append(&[said("a")]).unwrap();
    assert!(writer.has_grown());
    writer.append(&[said("b")]).unwrap();
    assert!(!writer.has_grown() && other.has_grown());
}

#[test]
fn what_is_appended_to_a_file_without_a_name_is_not_lost_in_silence() {
    let scratch = Scratch::new();
    let path = scratch.home.root().join("x");
    let mut writer = Writer::create(&Disk::default(), &path, meta(ThreadId::new(), None)).unwrap();
    let moved = scratch.home.root().join("moved");
    fs::rename(&path, &moved).unwrap();
    writer.append(&[said("archived")]).unwrap();
    assert_eq!(sayings(&moved).len(), 1, "a file that was moved is still the thread's");

    scratch.file("x", meta_line(ThreadId::new()) + "garbage");
    fs::remove_file(&moved).unwrap();
    writer.append(&[said("replaced")]).unwrap();
    assert_eq!(sayings(&path).len(), 1);

    fs::remove_file(&path).unwrap();
    assert!(writer.append(&[said("deleted")]).is_err());
    assert!(!path.exists());
}

#[test]
fn lines_without_numbers_in_a_numbered_file_do_not_stop_the_numbering() {
    // Release 0.120 goes on with threads of 0.169 so, and 0.169 then refuses them.
    let scratch = Scratch::new();
    let path = scratch.home.root().join("x");
    let mut writer =
        Writer::create(&Disk::default(), &path, meta(ThreadId::new(), Some("paginated"))).unwrap();
    writer.append(&[said("one")]).unwrap();
    let foreign = line("event_msg", json!({"type": "agent_message", "message": "foreign"}));
    fs::write(&path, fs::read_to_string(&path).unwrap() + &foreign).unwrap();
    writer.append(&[said("two")]).unwrap();
    let expected = [("one", Some(1)), ("foreign", None), ("two", Some(2))];
    assert_eq!(sayings(&path), expected.map(|(text, number)| (text.to_owned(), number)));
}

#[test]
fn half_a_line_is_taken_back_unless_somebody_wrote_behind_it() {
    let scratch = Scratch::new();
    let disk = Disk::default();
    for (behind, left) in [("", "a\n"), ("b\n", "a\nha\nb\n")] {
        let path = scratch.file("x", "a\n");
        let file = append::open(&path).unwrap();
        let locked = Locked::take(&disk, &file, &path).unwrap();
        fs::write(&path, format!("a\nha{}", if behind.is_empty() { "" } else { "\nb\n" })).unwrap();
        let error = locked.take_back(2, std::io::ErrorKind::StorageFull.into());
        assert!(
            matches!(error, RolloutError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull)
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), left);
    }
}

#[test]
fn a_file_that_is_locked_for_good_is_told_apart() {
    let scratch = Scratch::new();
    let path = scratch.file("x", "");
    let holder = fs::File::open(&path).unwrap();
    holder.lock().unwrap();
    let file = fs::File::open(&path).unwrap();
    let error = append::wait_for(&path, std::time::Duration::ZERO, || file.try_lock());
    assert!(matches!(error, Err(RolloutError::Locked(_))));
}

#[test]
fn a_fork_of_a_fork_has_the_lines_of_both() {
    let scratch = Scratch::new();
    let home = &scratch.home;
    let path = |name: &str| home.root().join("sessions/2025/01/05").join(name);
    let mut writer = Writer::create(&Disk::default(), &path("a"), meta(ThreadId::new(), None)).unwrap();
    for (name, before) in [("b", "a"), ("c", "b")] {
        writer.append(&[said(before)]).unwrap();
        let source = segments(home, &path(before)).unwrap();
        writer = fork(&Disk::default(), &source, &path(name), meta(ThreadId::new(), None)).unwrap();
    }
    writer.append(&[Record::SessionMeta(Box::new(meta(ThreadId::new(), None))), said("c")]).unwrap();
    let said: Vec<_> = sayings(&path("c")).into_iter().map(|(text, _)| text).collect();
    assert_eq!(said, ["a", "b", "c"]);
}
