//! Homes with one thing wrong each.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use pretty_assertions::assert_eq;
use serde_json::json;
use testkit::{Home, Rollout};

use crate::{Code, Finding, IndexState, Repair, Report, Severity, check, repair};

async fn checked(home: &Home) -> Report {
    let scratch = tempfile::tempdir().unwrap();
    let report = check(&home.root(), scratch.path(), |_| {}).await.unwrap();
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "the copy of the index goes");
    report
}

/// Builds the index, and checks that nothing else is wrong.
async fn indexed(home: &Home) {
    state::rebuild(&rollout::Home::new(home.root()), |_| {}).await.unwrap();
    let report = checked(home).await;
    assert_eq!(report.findings, []);
}

fn codes(report: &Report) -> Vec<Code> {
    report.findings.iter().map(|finding| finding.code).collect()
}

/// The finding of a code, of which there is one.
fn only(report: &Report, code: Code) -> &Finding {
    let mut of_code = report.findings.iter().filter(|finding| finding.code == code);
    let first = of_code.next().unwrap_or_else(|| panic!("no {code:?}: {:#?}", report.findings));
    assert_eq!(of_code.next(), None);
    first
}

fn append(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn below(home: &Home, path: &Path) -> Option<PathBuf> {
    Some(path.strip_prefix(home.root()).unwrap().to_owned())
}

/// Runs statements on the index of a home, as no server would.
async fn sql(home: &Home, statement: &'static str) {
    use sqlx::Connection;
    let mut index =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", home.index().display())).await.unwrap();
    sqlx::query(statement).execute(&mut index).await.unwrap();
    index.close().await.unwrap();
}

#[tokio::test]
async fn a_home_in_order_is_healthy_and_added_up() {
    let home = Home::new()
        .with_rollout(Rollout::new().turn("t", "more", "yes"))
        .with_rollout(Rollout::new().ordinals().turn("t", "more", "yes").git("abc", "main", "url"))
        .with_rollout(Rollout::new().archived().tail("\n\r\n"));
    indexed(&home).await;
    let report = checked(&home).await;
    assert!(report.healthy);
    assert_eq!(
        (
            report.rollouts.files,
            report.rollouts.archived_files,
            report.rollouts.threads,
            report.rollouts.lines
        ),
        (3, 1, 3, 21)
    );
    assert_eq!((report.index.state, report.index.rows), (IndexState::Readable, Some(3)));
    let lengths: Vec<_> = (0..3).map(|n| fs::metadata(&home.thread(n).path).unwrap().len()).collect();
    assert_eq!((report.disk.bytes, report.disk.archived_bytes), (lengths.iter().sum(), lengths[2]));
    assert_eq!(report.disk.largest[0].thread_id.to_string(), home.thread(1).id);
    assert_eq!(
        report.disk.largest.iter().map(|usage| usage.archived).collect::<Vec<_>>(),
        [false, false, true]
    );
    let text = report.to_string();
    assert!(text.contains("Index      sound, 3 rows: 0 missing") && text.ends_with("\nHealthy.\n"), "{text}");
}

#[tokio::test]
async fn damaged_lines_are_told_with_place_and_reason() {
    let home = Home::new();
    let first = fs::metadata(&home.store(Rollout::new()).path).unwrap().len();
    for (tail, words, peers) in [
        (&b"garbage\n"[..], "is no JSON", false),
        (
            b"{\"timestamp\":\"x\",\"type\":\"event_msg\",\"payload\":\"\xff\"}\n",
            "holds bytes that are no UTF-8",
            true,
        ),
        (b"\0\0\0\n", "holds NULs", true),
        (b"{\"type\":\"no payload\"}\n", "is JSON, but no record", false),
        (b"{\"timestamp\":\"2026", "is the last one, and torn", true),
    ] {
        let home = Home::new().with_rollout(Rollout::new().tail(tail));
        indexed_or_not(&home).await;
        let report = checked(&home).await;
        let found = only(&report, Code::DamagedLine);
        assert_eq!((found.line, found.offset, found.message.as_str()), (Some(4), Some(first), words));
        assert_eq!(found.path, below(&home, &home.thread(0).path));
        assert_eq!((found.peers.is_some(), report.peers.files), (peers, u64::from(peers)), "{words}");
        assert_eq!((report.rollouts.damaged_lines, report.healthy, codes(&report).len()), (1, false, 1));
    }
}

/// Builds the index of a home in which something is wrong already.
async fn indexed_or_not(home: &Home) {
    state::rebuild(&rollout::Home::new(home.root()), |_| {}).await.unwrap();
}

#[tokio::test]
async fn what_we_read_and_others_do_not_is_told_too() {
    let whole = r#"{"timestamp":"2025-01-05T12:00:00.000Z","type":"event_msg","payload":{"type":"x"}}"#;
    let long = format!(r#"{{"type":"event_msg","payload":"{}"}}{}"#, "x".repeat(17 << 20), "\n");
    for (tail, code, damaged) in [
        (whole.to_owned(), Code::UnendedLine, 0),
        (format!("\u{feff}{whole}\n"), Code::DamagedLine, 0),
        (long, Code::GiantLine, 0),
    ] {
        let home = Home::new().with_rollout(Rollout::new().tail(tail));
        indexed_or_not(&home).await;
        let report = checked(&home).await;
        assert_eq!(codes(&report), [code]);
        assert!(report.findings[0].peers.is_some());
        assert_eq!((report.rollouts.damaged_lines, report.healthy), (damaged, code == Code::GiantLine));
    }
}

#[tokio::test]
async fn many_damaged_lines_are_counted_and_few_of_them_listed() {
    let home = Home::new().with_rollout(Rollout::new().tail("garbage\n".repeat(1000)));
    indexed_or_not(&home).await;
    let report = checked(&home).await;
    assert_eq!((report.findings.len(), report.finding_counts[&Code::DamagedLine]), (5, 1000));
    assert!(report.to_string().contains("fault  damaged_line: 995 more\n"), "{report}");
    assert!(report.to_string().ends_with("\n1000 faults.\n"));
}

#[tokio::test]
async fn files_that_are_no_rollouts_inside_are_told() {
    let home = Home::new();
    let stored =
        |number: u32| home.store(Rollout::new().id(&format!("{number:08}-0000-4000-8000-000000000000")));
    let (empty, other, late, renamed) = (stored(1), stored(2), stored(3), stored(4));
    let text = fs::read_to_string(&late.path).unwrap();
    fs::write(&empty.path, "").unwrap();
    fs::write(&other.path, text.lines().nth(2).unwrap().to_owned() + "\n").unwrap();
    let (meta, rest) = text.split_once('\n').unwrap();
    fs::write(&late.path, format!("{}\n{meta}\n{rest}", rest.lines().next().unwrap())).unwrap();
    let name = fs::read_to_string(&renamed.path).unwrap().replace("00000004", "00000009");
    fs::write(&renamed.path, name).unwrap();
    indexed_or_not(&home).await;
    let report = checked(&home).await;
    let nothing: Vec<_> =
        report.findings.iter().filter(|finding| finding.code == Code::NoSessionRecord).collect();
    let told: Vec<_> =
        nothing.iter().map(|finding| (finding.path.clone(), finding.message.as_str())).collect();
    assert_eq!(
        told,
        [(below(&home, &other.path), "has no session record"), (below(&home, &empty.path), "is empty")]
    );
    assert_eq!(only(&report, Code::LateSessionRecord).path, below(&home, &late.path));
    assert_eq!(only(&report, Code::NameDiffers).path, below(&home, &renamed.path));
    assert_eq!((codes(&report).len(), report.peers.files, report.rollouts.threads), (4, 4, 2));
}

#[tokio::test]
async fn two_files_of_one_thread_and_a_base_that_is_gone_are_told() {
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let home = Home::new().with_rollout(Rollout::new().id(id)).with_rollout(Rollout::new().id(id).archived());
    home.store(
        Rollout::new().ordinals().meta("history_base", json!({ "thread_id": id, "end_byte_offset": 5 })),
    );
    let lost =
        home.store(Rollout::new().ordinals().meta("history_base", json!({ "thread_id": uuid::Uuid::nil() })));
    indexed_or_not(&home).await;
    let report = checked(&home).await;
    assert_eq!(codes(&report), [Code::DuplicateThread, Code::MissingBase]);
    assert_eq!(only(&report, Code::DuplicateThread).thread_id.unwrap().to_string(), id);
    assert_eq!(only(&report, Code::MissingBase).path, below(&home, &lost.path));
    assert_eq!(report.peers.files, 2);
}

#[tokio::test]
async fn a_gap_in_the_numbers_is_told_once_and_damage_in_between_is_none() {
    let line = |ordinal: &str| format!(r#"{{{ordinal}"type":"event_msg","payload":{{"type":"x"}}}}"#) + "\n";
    let numbered = |tail: String| Home::new().with_rollout(Rollout::new().ordinals().tail(tail));
    for (tail, message) in [
        (line(r#""ordinal":9,"#) + &line(r#""ordinal":7,"#), Some("has number 9, and should have 3")),
        (line(""), Some("has no number")),
        ("damaged\n".to_owned() + &line(r#""ordinal":4,"#), None),
    ] {
        let home = numbered(tail);
        indexed_or_not(&home).await;
        let report = checked(&home).await;
        let told = report.findings.iter().filter(|finding| finding.code == Code::WrongOrdinal);
        assert_eq!(told.map(|finding| finding.message.as_str()).collect::<Vec<_>>(), Vec::from_iter(message));
    }
}

#[tokio::test]
async fn an_index_that_tells_another_story_than_the_files_is_told() {
    let home =
        Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new()).with_rollout(Rollout::new());
    indexed(&home).await;
    let gone = home.thread(2).path.clone();
    fs::remove_file(&gone).unwrap();
    // What went before the index last changed should have been seen.
    sql(&home, "UPDATE rollouts SET preview = 'no', cwd = '/else' WHERE name LIKE '%000000.jsonl'").await;
    sql(&home, "DELETE FROM rollouts WHERE name LIKE '%000001.jsonl'").await;
    let report = checked(&home).await;
    assert_eq!(codes(&report), [Code::RowMissing, Code::RowOrphaned, Code::RowDiffers, Code::FolderDiffers]);
    assert_eq!(only(&report, Code::RowMissing).path, below(&home, &home.thread(1).path));
    assert_eq!(only(&report, Code::RowOrphaned).path, below(&home, &gone));
    assert_eq!(only(&report, Code::RowDiffers).message, "its row says something else: cwd, preview");
    assert_eq!(
        (report.index.missing_rows, report.index.orphaned_rows, report.index.differing_rows),
        (1, 1, 1)
    );
    let Repair::Rebuilt { set_aside: Some(aside) } = repair(&report, |_| {}).await else { panic!() };
    let report = checked(&home).await;
    assert_eq!((report.healthy, codes(&report)), (true, vec![Code::IndexSetAside]));
    assert_eq!(report.findings[0].path, below(&home, &aside));
    assert_eq!(repair(&report, |_| {}).await, Repair::NotNeeded);
}

#[tokio::test]
async fn what_changed_since_the_index_did_is_no_fault() {
    let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new());
    indexed(&home).await;
    append(&home.thread(0).path, b"{\"type\":\"event_msg\",\"payload\":{\"type\":\"x\"}}\n");
    fs::remove_file(&home.thread(1).path).unwrap();
    home.store(Rollout::new());
    let report = checked(&home).await;
    assert_eq!(codes(&report), [Code::RowBehind; 3]);
    assert!(report.healthy);
}

#[tokio::test]
async fn each_state_of_the_database_has_its_name() {
    let home = Home::new();
    assert_eq!(checked(&home).await.index.state, IndexState::Missing);
    assert!(checked(&home).await.healthy, "an empty home needs no index");
    home.store(Rollout::new());
    assert_eq!(codes(&checked(&home).await), [Code::IndexMissing]);
    indexed(&home).await;
    let whole = fs::read(home.index()).unwrap();
    sql(&home, "DELETE FROM passes").await;
    let report = checked(&home).await;
    assert_eq!((codes(&report), report.healthy), (vec![Code::IndexIncomplete], true));
    sql(
        &home,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99999999, '', 1, x'', 0)",
    )
    .await;
    let report = checked(&home).await;
    assert_eq!((codes(&report), report.index.state), (vec![Code::IndexNewer], IndexState::Newer));
    let Repair::LeftAlone { reason } = repair(&report, |_| {}).await else { panic!() };
    assert!(reason.contains("another version"), "{reason}");
    for damaged in [b"no database".repeat(900), whole[..5000].to_vec()] {
        fs::write(home.index(), damaged).unwrap();
        let report = checked(&home).await;
        assert_eq!((codes(&report), report.index.state), (vec![Code::IndexDamaged], IndexState::Damaged));
    }
    fs::remove_file(home.index()).unwrap();
    fs::create_dir(home.index()).unwrap();
    let report = checked(&home).await;
    assert_eq!((codes(&report), report.index.state), (vec![Code::IndexUnusable], IndexState::Unusable));
}

#[tokio::test]
async fn the_logs_are_looked_through_and_left_as_they_are() {
    let home = Home::new().with_rollout(Rollout::new());
    indexed(&home).await;
    let (there, gone) = (&home.thread(0).id, uuid::Uuid::from_u128(7));
    let journal = home.root().join("skein/journal.jsonl");
    let entry = |kind: &str, id: &str| {
        format!(r#"{{"timestamp":"2026-01-01T00:00:00Z","type":"{kind}","thread_id":"{id}","git":null}}"#)
            + "\n"
    };
    let lines = [
        entry("git", there),
        entry("git", &gone.to_string()),
        entry("later", there),
        "damaged\n".to_owned(),
        entry("git", &uuid::Uuid::nil().to_string()),
        entry("thread_deleted", &uuid::Uuid::nil().to_string()),
    ];
    fs::write(&journal, lines.concat()).unwrap();
    fs::write(
        home.root().join("session_index.jsonl"),
        format!("{{\"id\":\"{gone}\",\"thread_name\":\"n\"}}\n{{\"torn"),
    )
    .unwrap();
    let report = checked(&home).await;
    assert_eq!(
        codes(&report),
        [
            Code::DamagedJournalLine,
            Code::DamagedNameLine,
            Code::UnknownJournalEntry,
            Code::JournalThreadGone,
            Code::NameThreadGone
        ]
    );
    assert_eq!(only(&report, Code::DamagedJournalLine).line, Some(4));
    assert_eq!(only(&report, Code::DamagedNameLine).message, "is the last one, and torn");
    assert_eq!(only(&report, Code::JournalThreadGone).thread_id, Some(gone.into()));
    assert_eq!((report.journal.lines, report.journal.damaged_lines, report.journal.threads_gone), (6, 1, 1));
    assert_eq!(repair(&report, |_| {}).await, Repair::NotNeeded);
    assert_eq!(fs::read_to_string(&journal).unwrap(), lines.concat());
}

#[tokio::test]
async fn leftovers_are_notes() {
    let home = Home::new().with_rollout(Rollout::new());
    indexed(&home).await;
    let copy = home.thread(0).path.with_extension("jsonl.unfinished");
    let locks = home.root().join("thread-writer-locks");
    let inbox = home.root().join("skein/inbox");
    fs::create_dir(&locks).unwrap();
    fs::create_dir(&inbox).unwrap();
    fs::write(inbox.join("a.jsonl"), "").unwrap();
    for path in [&copy, &locks.join("a.lock"), &locks.join("b.lock"), &locks.join(".coordination.lock")] {
        fs::write(path, "").unwrap();
    }
    fs::write(home.root().join("skein/state.sqlite.corrupt-1"), "").unwrap();
    fs::write(home.root().join("skein/state.sqlite.corrupt-1-wal"), "").unwrap();
    let held = File::open(locks.join("a.lock")).unwrap();
    held.lock().unwrap();
    let report = checked(&home).await;
    assert_eq!(
        codes(&report),
        [Code::IndexSetAside, Code::UnfinishedCopy, Code::StaleLock, Code::WaitingWords]
    );
    assert_eq!(only(&report, Code::StaleLock).path, below(&home, &locks.join("b.lock")));
    assert!(report.healthy && report.findings.iter().all(|finding| finding.severity == Severity::Note));
}

#[tokio::test]
async fn a_home_that_is_not_there_cannot_be_checked_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("home");
    let error = check(&missing, folder.path(), |_| {}).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot find "), "{error}");
    fs::write(&missing, "").unwrap();
    assert!(check(&missing, folder.path(), |_| {}).await.is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
