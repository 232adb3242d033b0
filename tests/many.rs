//! Many servers on one home: nothing is lost, nothing is mixed up, and one of them fills the index for all.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use pretty_assertions::assert_eq;
use protocol::{
    ThreadArchive, ThreadDelete, ThreadFork, ThreadList, ThreadListParams, ThreadMetadataUpdate,
    ThreadNameSet, ThreadSetNameParams, ThreadSourceKind,
};
use serde_json::Value;
use testkit::{Daemon, Home, Launch, Rollout, json_lines, of, patch};
use tokio::task::JoinSet;

use crate::index;
use crate::steps::{ids, listed, read, start, talk, texts, turns};

/// How many threads earlier runs left.
const STORED: usize = 2000;

fn servers() -> usize {
    if env::var_os("SKEIN_LONG_TESTS").is_some_and(|set| set == "1") { 32 } else { 8 }
}

/// A home with many threads and no index.
fn crowded() -> Arc<Home> {
    let home = Home::new().with_rollout(Rollout::new().turn("t", "q", "a"));
    for number in 1..STORED {
        home.store(Rollout::new().preview(format!("stored {number}")));
    }
    Arc::new(home)
}

/// Starts servers at the same time.
async fn together(home: &Arc<Home>, count: usize) -> Vec<Daemon> {
    let mut starting = JoinSet::new();
    for _ in 0..count {
        let home = Arc::clone(home);
        starting.spawn(async move { Daemon::start(&home).await });
    }
    starting.join_all().await
}

/// What one server left.
struct Left {
    name: String,
    own: String,
    archived: String,
    deleted: String,
}

/// Does a bit of everything, on threads of its own and on one that all share.
async fn work(home: Arc<Home>, mut d: Daemon, number: usize) -> (Daemon, Left) {
    let name = format!("server {number}");
    let shared = home.thread(0);
    let own = start(&mut d).await;
    talk(&home, &mut d, &own, [(name.as_str(), "one")]).await;
    d.call::<ThreadMetadataUpdate>(patch(shared).branch(name.as_str())).await;
    let named = ThreadSetNameParams { thread_id: own.clone(), name: name.clone() };
    d.call::<ThreadNameSet>(named).await;
    let archived = d.call::<ThreadFork>(of(shared)).await.thread.id;
    d.call::<ThreadArchive>(of(&archived)).await;
    listed(&mut d).await;
    d.call::<ThreadMetadataUpdate>(patch(&own).branch(name.as_str())).await;
    let deleted = start(&mut d).await;
    talk(&home, &mut d, &deleted, [("for nothing", "two")]).await;
    d.call::<ThreadDelete>(of(&deleted)).await;
    talk(&home, &mut d, &own, [("again", "three")]).await;
    (d, Left { name, own, archived, deleted })
}

/// Follows the pages to the end.
async fn walk(d: &mut Daemon, archived: bool) -> Vec<String> {
    let mut params = ThreadListParams {
        archived: Some(archived),
        limit: Some(100),
        source_kinds: Some(vec![ThreadSourceKind::Cli, ThreadSourceKind::Vscode]),
        ..ThreadListParams::default()
    };
    let mut walked = Vec::new();
    loop {
        let page = d.call::<ThreadList>(params.clone()).await;
        walked.extend(ids(page.data));
        match page.next_cursor {
            Some(cursor) => params.cursor = Some(cursor),
            None => return walked,
        }
    }
}

#[tokio::test]
async fn many_servers_that_start_together_lose_nothing_and_share_one_index() {
    let home = crowded();
    let lines = json_lines(&home.thread(0).path).len();
    let mut working = JoinSet::new();
    for (number, d) in together(&home, servers()).await.into_iter().enumerate() {
        working.spawn(work(Arc::clone(&home), d, number));
    }
    let done = working.join_all().await;
    index::complete(&home).await;
    let of_index = fs::metadata(home.index()).unwrap().ino();
    let mut left = Vec::new();
    for (mut d, of_one) in done {
        let shown = listed(&mut d).await;
        assert_eq!(shown.len(), 25);
        // One that another server held for a moment is no trouble; one that was damaged is.
        assert!(d.log().lines().all(|line| line.contains("locked by another process")), "{}", d.log());
        assert_eq!(d.stop().await, Some(0));
        left.push(of_one);
    }
    let mut d = Daemon::start(&home).await;
    for archived in [false, true] {
        let walked = walk(&mut d, archived).await;
        let different: BTreeSet<_> = walked.iter().collect();
        assert_eq!(different.len(), walked.len(), "listed twice");
        assert_eq!(walked.len(), if archived { left.len() } else { STORED + left.len() });
        for Left { own, archived: put_away, deleted, .. } in &left {
            assert_eq!((different.contains(own), different.contains(put_away)), (!archived, archived));
            assert!(!different.contains(deleted));
        }
    }
    for Left { name, own, .. } in &left {
        let thread = read(&mut d, own).await;
        let branch = thread.git_info.and_then(|git| git.branch);
        assert_eq!((thread.name.as_ref(), branch.as_ref()), (Some(name), Some(name)));
        let turns = turns(&mut d, own).await;
        let texts = texts(&turns);
        assert_eq!((texts.len(), texts[0][0], texts[1][0]), (2, name.as_str(), "again"));
    }
    assert_eq!(json_lines(&home.thread(0).path).len(), lines + left.len(), "a record of each server");
    assert_eq!(fs::metadata(home.index()).unwrap().ino(), of_index, "built once");
    d.stop().await;
    assert_healthy(&home);
}

#[tokio::test]
async fn when_the_one_that_fills_the_index_is_killed_another_takes_over() {
    let home = crowded();
    let mut d = together(&home, 3).await;
    let filling = holder(&home, &d);
    let mut first = d.remove(filling);
    first.signal("STOP");
    for d in &mut d {
        assert_eq!(listed(d).await.len(), 25, "nobody waits for it");
    }
    assert!(!index::is_complete(&home).await, "it was stopped half-way");
    first.kill().await;
    index::complete(&home).await;
    for d in &mut d {
        assert_eq!(walk(d, false).await.len(), STORED);
        assert_eq!(d.stop().await, Some(0));
    }
    assert_healthy(&home);
}

/// Waits until one of the servers fills the index, and tells which.
fn holder(home: &Home, servers: &[Daemon]) -> usize {
    let lock = home.index().with_file_name("backfill.lock");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let ino = fs::metadata(&lock).map_or(0, |lock| lock.ino());
        let ours = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut ours = ours.filter(|words| words[1] == "FLOCK" && words[5].ends_with(&format!(":{ino}")));
        let pid = ours.next().map(|words| words[4].parse::<u32>().unwrap());
        if let Some(holder) = servers.iter().position(|d| Some(d.pid()) == pid) {
            return holder;
        }
        assert!(Instant::now() < deadline, "nobody fills the index");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Has the home looked over: every line whole, every row as its file.
fn assert_healthy(home: &Home) {
    let run = Launch::on(home).args(["doctor", "--json"]).command().output().unwrap();
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((run.status.code(), &report["rollouts"]["damagedLines"]), (Some(0), &0.into()), "{report}");
    assert_eq!(report["journal"]["damagedLines"], 0, "{report}");
}
