//! What only a mount can bring about, since it binds root too: a folder that is read-only, a disk that is full.
//!
//! Each test starts itself anew in a mount namespace of its own; where the system allows none, it says so and is left out.

use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use testkit::{Daemon, Home};

use super::complete;
use super::session::{after, home, session};

/// Set in the process that runs inside of a namespace.
const INSIDE: &str = "SKEIN_TEST_INSIDE";

/// Tells whether this process is in a mount namespace of its own; else runs the test in one, if there can be one.
fn is_inside(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let ways: [&[&str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
    let way = ways.into_iter().find(|way| {
        Command::new("unshare").args(*way).arg("true").output().is_ok_and(|tried| tried.status.success())
    });
    let Some(way) = way else {
        eprintln!("LEFT OUT: {test}: no mount namespace can be made here");
        return false;
    };
    let run = Command::new("unshare")
        .args(way)
        .arg(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let told = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(run.status.success() && told.contains("1 passed"), "{told}");
    false
}

fn mount(args: &[&str], target: &Path) {
    let run = Command::new("mount").args(args).arg(target).output().unwrap();
    assert!(run.status.success(), "mount {args:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Lets the journal be written whatever becomes of the folder that it lies in: of what is in there only the index can be
/// done without.
fn keep_journal(home: &Home) {
    let (inside, outside) = (home.index().with_file_name("journal.jsonl"), home.work().join("journal.jsonl"));
    for path in [&inside, &outside] {
        fs::File::options().append(true).create(true).open(path).unwrap();
    }
    mount(&["--bind", outside.to_str().unwrap()], &inside);
}

fn folder(home: &Home) -> std::path::PathBuf {
    let folder = home.index().parent().unwrap().to_owned();
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn make_read_only(home: &Home) {
    let folder = folder(home);
    mount(&["--bind", folder.to_str().unwrap()], &folder);
    keep_journal(home);
    mount(&["-o", "remount,bind,ro"], &folder);
}

/// Mounts a small disk, with what lies there already.
fn mount_disk(home: &Home) {
    let folder = folder(home);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let files: Vec<_> = files.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &folder);
    for (content, path) in files {
        fs::write(path, content).unwrap();
    }
    keep_journal(home);
}

/// Fills the disk to the last byte.
fn fill(home: &Home) {
    let mut file = fs::File::create(folder(home).join("filler")).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}

fn unmount(home: &Home) {
    let run = Command::new("umount").args(["--recursive", "--lazy"]).arg(folder(home)).output().unwrap();
    assert!(run.status.success(), "umount: {}", String::from_utf8_lossy(&run.stderr));
}

/// Leaves an index in order, if there is to be one.
async fn leave_index(home: &Home, there: bool) {
    if there {
        let mut d = Daemon::start(home).await;
        complete(home).await;
        assert_eq!(d.stop().await, Some(0));
    }
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_changes_no_answer() {
    if !is_inside("index::mounts::a_folder_that_may_not_be_written_changes_no_answer") {
        return;
    }
    for there in [false, true] {
        let home = home();
        leave_index(&home, there).await;
        make_read_only(&home);
        let mut d = Daemon::start(&home).await;
        session(&mut d, &home, &("read-only", there)).await;
        after(d.restart().await, &home, &("read-only", there)).await;
        d.stop().await;
        unmount(&home);
    }
    let home = home();
    let mut d = Daemon::start(&home).await;
    complete(&home).await;
    make_read_only(&home);
    session(&mut d, &home, &"read-only under a server").await;
    d.stop().await;
    unmount(&home);
}

#[tokio::test]
async fn a_full_disk_changes_no_answer() {
    if !is_inside("index::mounts::a_full_disk_changes_no_answer") {
        return;
    }
    for there in [false, true] {
        let home = home();
        leave_index(&home, there).await;
        mount_disk(&home);
        fill(&home);
        let mut d = Daemon::start(&home).await;
        session(&mut d, &home, &("full", there)).await;
        after(d.restart().await, &home, &("full", there)).await;
        d.stop().await;
        unmount(&home);
    }
    let home = home();
    mount_disk(&home);
    let mut d = Daemon::start(&home).await;
    complete(&home).await;
    fill(&home);
    session(&mut d, &home, &"full under a server").await;
    // And with room again.
    fs::remove_file(folder(&home).join("filler")).unwrap();
    after(d.restart().await, &home, &"full no more").await;
    complete(&home).await;
    d.stop().await;
    unmount(&home);
}
