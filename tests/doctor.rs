//! `skein doctor`: what it says, how it ends, and that it leaves a home as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use testkit::{Daemon, Home, Launch, Rollout};

use crate::index;
use crate::steps::{listed, start, turn};

/// Runs the command; returns its exit code and what it printed.
fn doctor<'a>(home: &Home, args: impl IntoIterator<Item = &'a str>) -> (i32, String) {
    let args = ["doctor"].into_iter().chain(args);
    let run = Launch::on(home).args(args).command().output().unwrap();
    let told = String::from_utf8(run.stderr).unwrap();
    let code = run.status.code().unwrap();
    assert_eq!(told.is_empty(), code != 2, "{told}");
    (code, String::from_utf8(run.stdout).unwrap())
}

fn report<'a>(home: &Home, args: impl IntoIterator<Item = &'a str>) -> (i32, Value) {
    let (code, told) = doctor(home, ["--json"].into_iter().chain(args));
    (code, serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}")))
}

/// Everything that can be seen of a home without reading changing it: content, times, inodes and modes.
#[derive(Debug, PartialEq)]
struct Seen(BTreeMap<PathBuf, (Vec<u8>, [i64; 6])>);

impl Seen {
    fn of(root: &Path) -> Self {
        let mut seen = BTreeMap::new();
        let mut rest = vec![root.to_owned()];
        while let Some(path) = rest.pop() {
            let meta = fs::symlink_metadata(&path).unwrap();
            let content = if meta.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
            if meta.is_dir() {
                rest.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            let stamp = [
                meta.mtime(),
                meta.mtime_nsec(),
                meta.ctime(),
                meta.ctime_nsec(),
                meta.ino().cast_signed(),
                meta.mode().into(),
            ];
            seen.insert(path, (content, stamp));
        }
        Self(seen)
    }
}

async fn sql(home: &Home, statement: &'static str) {
    let mut index = SqliteConnection::connect(&format!("sqlite://{}", home.index().display())).await.unwrap();
    sqlx::query(statement).execute(&mut index).await.unwrap();
    index.close().await.unwrap();
}

#[tokio::test]
async fn a_check_leaves_every_byte_and_time_as_it_was_whether_servers_run_or_not() {
    let home = Home::new()
        .with_rollout(Rollout::new().turn("t", "more", "yes"))
        .with_rollout(Rollout::new().tail("damaged\n{\"torn"))
        .with_rollout(Rollout::new().archived());
    let unchecked = |state: &str| {
        let before = Seen::of(&home.root());
        for args in [&[][..], &["--json"], &["--progress"]] {
            assert_eq!(doctor(&home, args.iter().copied()).0, 1, "{state}");
        }
        assert_eq!(Seen::of(&home.root()), before, "{state}");
        before
    };
    unchecked("no index");
    let mut d = Daemon::start(&home).await;
    index::complete(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    listed(&mut d).await;
    let served = unchecked("served");
    let has_log = |seen: &Seen| seen.0.keys().any(|path| path.to_string_lossy().ends_with("sqlite-wal"));
    assert!(has_log(&served), "a database with its log");
    d.kill().await;
    assert!(has_log(&unchecked("killed")));
    d.restart().await;
    listed(&mut d).await;
    assert_eq!(d.stop().await, Some(0));
    unchecked("stopped");
}

#[tokio::test]
async fn the_exit_code_tells_health_from_faults_and_from_no_check() {
    let home = Home::new().with_rollout(Rollout::new());
    assert_eq!(doctor(&home, []).0, 1);
    let mut d = Daemon::start(&home).await;
    index::complete(&home).await;
    assert_eq!(d.stop().await, Some(0));
    let (code, told) = doctor(&home, []);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("Rollouts   1 files (0 archived) of 1 threads, 3 lines, 0 damaged\n"), "{told}");
    assert!(told.ends_with("\nHealthy.\n"), "{told}");
    home.store(Rollout::new().tail("damaged\n"));
    let (code, told) = doctor(&home, []);
    assert_eq!(code, 1);
    assert!(told.contains("fault  damaged_line  sessions/2025/01/05/rollout-"), "{told}");
    assert!(told.contains(" line 4 (byte ") && told.ends_with("\n1 faults.\n"), "{told}");
    let missing = home.work().join("missing");
    let run = Launch::on(&home).args(["doctor"]).env("CODEX_HOME", &missing).command().output().unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8(run.stderr).unwrap().starts_with("Error: cannot find "));
    assert!(!missing.exists());
}

#[tokio::test]
async fn the_report_in_json_keeps_its_fields() {
    let home =
        Home::new().with_rollout(Rollout::new().id("67e55044-10b1-426f-9247-bb680e5fe0c8").tail("x\n"));
    let (code, report) = report(&home, []);
    assert_eq!((code, &report["healthy"], &report["version"]), (1, &false.into(), &1.into()));
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        fields(&report),
        "disk findingCounts findings healthy home index journal names peers rollouts version"
    );
    for (part, named) in [
        ("/rollouts", "archivedFiles damagedLines files lines threads"),
        ("/index", "differingRows missingRows orphanedRows rows rowsBehind state"),
        ("/journal", "damagedLines lines threadsGone"),
        ("/names", "damagedLines lines threadsGone"),
        ("/disk", "archivedBytes bytes largest"),
        ("/disk/largest/0", "archived bytes files threadId"),
        ("/peers", "files unreachableThreads"),
        ("/findingCounts", "damaged_line index_missing"),
        ("/findings/0", "code line message offset path severity"),
    ] {
        assert_eq!(fields(report.pointer(part).unwrap()), named, "{part}");
    }
    assert_eq!(
        (&report["index"]["state"], &report["findings"][0]["severity"]),
        (&"missing".into(), &"fault".into())
    );
}

#[tokio::test]
async fn a_repair_builds_the_index_while_servers_run_and_changes_no_rollout() {
    let home = Home::new()
        .with_rollout(Rollout::new().preview("one"))
        .with_rollout(Rollout::new().preview("two").tail("damaged\n"));
    let mut d = Daemon::start(&home).await;
    index::complete(&home).await;
    let before = listed(&mut d).await;
    sql(&home, "DELETE FROM rollouts").await;
    let (code, told) = report(&home, []);
    assert_eq!((code, &told["index"]["missingRows"]), (1, &2.into()));
    let rollouts = Seen::of(&home.root().join("sessions"));
    let (code, told) = report(&home, ["--repair"]);
    assert_eq!((&told["repair"]["index"], &told["index"]["missingRows"]), (&"rebuilt".into(), &0.into()));
    assert_eq!((code, &told["findingCounts"]["damaged_line"]), (1, &1.into()), "a damaged line stays");
    assert!(Path::new(told["repair"]["setAside"].as_str().unwrap()).is_file());
    assert_eq!(Seen::of(&home.root().join("sessions")), rollouts);
    assert_eq!(listed(&mut d).await, before);
    let (_, told) = report(&home, ["--repair"]);
    assert_eq!(told["repair"]["index"], "notNeeded");
}

#[tokio::test]
async fn an_index_that_another_process_holds_is_named_with_its_holder() {
    let home = Home::new().with_rollout(Rollout::new());
    let kept = index::Index::Locked.prepare(&home).await;
    let (code, told) = report(&home, ["--repair"]);
    assert_eq!((code, &told["index"]["state"]), (1, &"locked".into()));
    let words = format!("process {} holds it for itself alone", std::process::id());
    assert_eq!(told["findings"][0]["message"], words);
    assert_eq!(told["repair"]["index"], "leftAlone");
    drop(kept);
}
