//! A patch of metadata changes what it says, and nothing else.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use pretty_assertions::assert_eq;

use super::*;
use crate::{Disk, GitInfo, Kind, RolloutError, Writer, append_meta, later_meta, summarize};

fn branch(name: &str) -> Option<GitInfo> {
    Some(GitInfo { branch: Some(name.to_owned()), ..GitInfo::default() })
}

/// Returns the payload of the last line, and the line.
fn last(path: &Path) -> (Value, Value) {
    let text = fs::read_to_string(path).unwrap();
    let mut line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    (line["payload"].take(), line)
}

#[test]
fn fields_that_are_not_known_or_not_of_the_known_type_survive() {
    let scratch = Scratch::new();
    let payload = json!({
        "account_scoped": true, "id": ThreadId::new(), "timestamp": "t", "cwd": "/w", "cli_version": "0.169.0",
        "base_instructions": { "text": "You are", "provenance": { "type": "model" } },
        "source": { "subagent": "review" }, "context_window": { "window_id": "w" }, "parent_thread_id": null,
        "git": { "commit_hash": "c", "dirty": true },
    });
    let path = scratch.file("x", line("session_meta", payload.clone()) + &user_line("hi"));
    let patched = append_meta(&Disk::default(), &path, |meta| meta.git = branch("b")).unwrap();
    assert_eq!(patched.git, branch("b"));
    let expected = |git: Value| {
        let mut expected = payload.clone();
        expected["git"] = git;
        expected
    };
    assert_eq!(last(&path).0, expected(json!({ "branch": "b" })));
    append_meta(&Disk::default(), &path, |meta| meta.git = None).unwrap();
    let mut cleared = payload.clone();
    cleared.as_object_mut().unwrap().remove("git");
    assert_eq!(last(&path).0, cleared);
}

#[test]
fn what_was_cleared_stays_cleared() {
    let scratch = Scratch::new();
    let id = ThreadId::new();
    let head = line("session_meta", json!({ "id": id, "git": { "branch": "old" } }));
    for fill in [0, 300_000] {
        let path = scratch.file("x", format!("{head}{}{}", user_line("hi"), user_line(&"x".repeat(fill))));
        append_meta(&Disk::default(), &path, |meta| meta.git = Some(GitInfo::default())).unwrap();
        let (summary, _) = summarize(&path).unwrap().unwrap();
        assert!(summary.git_at.is_some() && summary.git.is_none_or(|git| git.is_empty()));
        let later = later_meta(&path, id, head.len() as u64).unwrap().unwrap();
        assert!(later.git.is_none_or(|git| git.is_empty()));
        let patched = append_meta(&Disk::default(), &path, |meta| meta.cwd = "/n".into()).unwrap();
        assert!(patched.git.is_none_or(|git| git.is_empty()), "the next patch starts from the newest record");
    }
}

#[test]
fn the_time_of_change_is_put_back() {
    let scratch = Scratch::new();
    let path = scratch.file("x", meta_line(ThreadId::new()));
    let before = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_000_000);
    File::options().append(true).open(&path).unwrap().set_modified(before).unwrap();
    append_meta(&Disk::default(), &path, |meta| meta.git = branch("b")).unwrap();
    assert_eq!(path.metadata().unwrap().modified().unwrap(), before);
}

#[test]
fn the_record_of_another_thread_in_the_file_never_counts() {
    let scratch = Scratch::new();
    let (own, source) = (ThreadId::new(), ThreadId::new());
    let theirs =
        line("session_meta", json!({ "id": source, "cwd": "/theirs", "git": { "branch": "theirs" } }));
    let path = scratch.file("x", meta_line(own) + &theirs + &user_line("hi") + &theirs);
    let (summary, _) = summarize(&path).unwrap().unwrap();
    assert_eq!((summary.id, summary.git, summary.cwd.as_str()), (own, None, "/w"));
    let patched = append_meta(&Disk::default(), &path, |meta| meta.git = branch("b")).unwrap();
    assert_eq!((patched.id, patched.cwd.as_str()), (own, "/w"));
    assert_eq!(summarize(&path).unwrap().unwrap().0.git, branch("b"));
}

#[test]
fn in_a_numbered_file_the_record_has_a_number_and_a_kind_of_its_own() {
    // Release 0.169 takes any later `session_meta` for the beginning: its model forgets what is before.
    let scratch = Scratch::new();
    let path = scratch.home.root().join("x");
    let id = ThreadId::new();
    Writer::create(&Disk::default(), &path, meta(id, Some("paginated")))
        .unwrap()
        .append(&[said("a")])
        .unwrap();
    append_meta(&Disk::default(), &path, |meta| meta.git = branch("b")).unwrap();
    let (payload, line) = last(&path);
    assert_eq!((&line["type"], &line["ordinal"]), (&"session_meta_update".into(), &2.into()));
    assert_eq!(payload["git"], json!({ "branch": "b" }));
    assert_eq!(Line::parse(line_of(&payload).as_bytes()).unwrap().kind, Kind::SessionMeta);
    assert_eq!(summarize(&path).unwrap().unwrap().0.git, branch("b"));
    assert_eq!(later_meta(&path, id, 1).unwrap().unwrap().git, branch("b"));
}

fn line_of(payload: &Value) -> String {
    line("session_meta_update", payload.clone())
}

#[test]
fn a_file_without_a_session_record_takes_no_patch() {
    let scratch = Scratch::new();
    let content = user_line("hi");
    let path = scratch.file("x", &content);
    assert!(matches!(append_meta(&Disk::default(), &path, |_| ()), Err(RolloutError::NoSession(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
}
