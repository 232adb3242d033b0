//! What must be true of a home after whatever happened in it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;

use pretty_assertions::assert_eq;
use protocol::{ThreadList, ThreadListParams, ThreadRead, Turn, TurnStatus};
use serde_json::Value;
use testkit::{Daemon, Home, with_turns};

use super::told::{Place, Thread, Told};
use crate::{index, steps};

/// What a server shows of a home.
#[derive(Debug, PartialEq)]
struct Shown {
    active: Vec<String>,
    archived: Vec<String>,
    /// Each thread as it is read, or `None` where it is not there.
    threads: BTreeMap<String, Option<protocol::Thread>>,
}

/// How a thread that is not there is read: one of which nothing was stored may be loaded no more.
const ABSENT: &[&str] = &["no rollout found", "thread not loaded"];

/// The same where files may have their name and nothing else.
const ABSENT_AFTER_A_CUT: &[&str] = &["no rollout found", "thread not loaded", "no session record in it"];

/// Looks at a home with a server that has no faults, then with one that has no index either.
///
/// Returns the active threads.
pub async fn check(home: &Home, told: &Told) -> HashSet<String> {
    look(home, told, ABSENT).await.into_iter().collect()
}

/// Looks at a home that lies on a disk whose power was cut.
pub async fn check_after_a_cut(home: &Home, told: &Told) {
    look(home, told, ABSENT_AFTER_A_CUT).await;
}

async fn look(home: &Home, told: &Told, absent: &[&str]) -> Vec<String> {
    let mut d = Daemon::start(home).await;
    let at_first = show(&mut d, told, absent).await;
    index::complete(home).await;
    let shown = show(&mut d, told, absent).await;
    assert_eq!(at_first, shown, "before the index is complete, and with it");
    assert_eq!(d.stop().await, Some(0));
    is_as_told(&shown, told);
    is_as_on_disk(&shown, home);
    home.delete_index();
    let fresh = show(&mut Daemon::start(home).await, told, absent).await;
    assert_eq!(shown, fresh, "with the index, and from the files alone");
    shown.active
}

async fn show(d: &mut Daemon, told: &Told, absent: &[&str]) -> Shown {
    let (active, archived) = (walk(d, false).await, walk(d, true).await);
    let ids: BTreeSet<_> = active.iter().chain(&archived).chain(told.threads.keys()).cloned().collect();
    let mut threads = BTreeMap::new();
    for id in ids {
        let sent = d.send::<ThreadRead>(with_turns(&id));
        let thread = match d.either(&sent).await {
            Ok(result) => Some(serde_json::from_value(result["thread"].clone()).unwrap()),
            Err(error) => {
                assert!(absent.iter().any(|text| error.message.contains(text)), "{error:?}");
                None
            }
        };
        threads.insert(id, thread);
    }
    Shown { active, archived, threads }
}

/// Walks a list in pages of two.
async fn walk(d: &mut Daemon, archived: bool) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = None;
    loop {
        let params =
            ThreadListParams { cursor, limit: Some(2), archived: Some(archived), ..Default::default() };
        let page = d.call::<ThreadList>(params).await;
        ids.extend(page.data.into_iter().map(|thread| thread.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let distinct: HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "a thread is listed twice: {ids:?}");
    ids
}

fn is_as_told(shown: &Shown, told: &Told) {
    for (id, told) in &told.threads {
        let thread = shown.threads[id].as_ref();
        let place = match thread {
            None => Place::Nowhere,
            Some(_) if shown.archived.contains(id) => Place::Archived,
            Some(_) => Place::Active,
        };
        assert!(told.place.allows(&place), "thread {id} is {place:?}: {told:#?}");
        let Some(thread) = thread else { continue };
        assert!(told.name.allows(&thread.name), "the name is {:?}: {told:#?}", thread.name);
        assert!(told.git.allows(&word(thread)), "git is {:?}: {told:#?}", thread.git_info);
        has_turns(&thread.turns, told);
    }
}

/// The one word that all of the git metadata is.
fn word(thread: &protocol::Thread) -> Option<String> {
    let git = thread.git_info.as_ref()?;
    assert_eq!((&git.sha, &git.origin_url), (&git.branch, &git.branch), "half a patch");
    git.branch.clone()
}

fn has_turns(turns: &[Turn], told: &Thread) {
    let mut seen = HashSet::new();
    for turn in turns {
        assert!(seen.insert(turn.id.as_str()), "turn {} is there twice", turn.id);
        assert_ne!(turn.status, TurnStatus::InProgress, "turn {} has no end", turn.id);
        for item in &turn.items {
            assert!(seen.insert(item.id()), "item {item:?} is there twice");
        }
    }
    for (id, status) in &told.ended {
        let stored = turns.iter().find(|turn| turn.id == *id).map(|turn| turn.status);
        match status {
            // A turn that failed may have failed to be stored.
            TurnStatus::Failed => assert_ne!(stored, Some(TurnStatus::Completed), "turn {id} failed"),
            status => assert_eq!(stored, Some(*status), "the end of turn {id}: {told:#?}"),
        }
    }
    for (id, words) in &told.said {
        let stored: Vec<_> = turns.iter().filter(|turn| turn.id == *id).cloned().collect();
        assert_eq!(steps::texts(&stored).concat().first(), Some(&words.as_str()), "the words of turn {id}");
    }
    for (id, item) in &told.items {
        let stored = turns.iter().find(|turn| turn.id == *id);
        let stored = stored.and_then(|turn| turn.items.iter().find(|stored| stored.id() == item.id()));
        assert_eq!(stored, Some(item), "an item of turn {id}");
    }
}

/// Compares the lists with the files: each that holds a message is in the one that it lies in, once.
fn is_as_on_disk(shown: &Shown, home: &Home) {
    let (mut active, mut archived) = (BTreeSet::new(), BTreeSet::new());
    for path in home.files("rollout-") {
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let lines: Vec<Value> =
            bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let mut seen = HashSet::new();
        for line in &lines {
            assert!(seen.insert(line.to_string()), "twice in {}: {line}", path.display());
        }
        if lines.iter().any(|line| line["payload"]["type"] == "user_message") {
            let id = lines[0]["payload"]["id"].as_str().unwrap().to_owned();
            let is_archived = path.parent() == Some(&home.root().join("archived_sessions"));
            if is_archived { &mut archived } else { &mut active }.insert(id);
        }
    }
    assert_eq!(shown.active.iter().cloned().collect::<BTreeSet<_>>(), active, "listed, and on the disk");
    assert_eq!(shown.archived.iter().cloned().collect::<BTreeSet<_>>(), archived, "listed, and on the disk");
}
