//! The power goes: what the kernel has not put on the disk is lost, or partly there.
//!
//! The model is that of a file system with a journal. Names are made, changed and removed in order: what is there after the
//! cut is what the first so many of these operations made, and those that a synced folder was part of by its last sync are
//! among them. A file holds what it held at its last sync, and of what was appended since nothing, a part, or zeros.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use futures::FutureExt;

use super::check::check_after_a_cut;
use super::plan::{Beside, Plan, turns};
use super::session;

/// What of the things that were never synced is on the disk all the same.
#[derive(Clone, Copy, Debug)]
enum Rest {
    Nothing,
    /// All names, and zeros for what was appended.
    Zeros,
    /// All names, and the first half of what was appended.
    Half,
}

#[tokio::test]
async fn a_power_cut_takes_no_more_than_what_was_never_synced() {
    let mut failed = Vec::new();
    for rest in [Rest::Nothing, Rest::Zeros, Rest::Half] {
        let plan = Plan { kinds: "write,name,lock,sync", act: "kill", at: None };
        let all = round(&plan, rest).await;
        let turns = turns(all, 5);
        for at in &turns {
            let plan = Plan { at: Some(*at), ..plan };
            if AssertUnwindSafe(round(&plan, rest)).catch_unwind().await.is_err() {
                failed.push(format!("{rest:?} at {at}"));
            }
        }
        println!("a cut that leaves {rest:?}: {} of {all} operations", turns.len());
    }
    assert!(failed.is_empty(), "{} rounds failed: {failed:#?}", failed.len());
}

async fn round(plan: &Plan<'_>, rest: Rest) -> u64 {
    let (home, beside) = (session::home(), Beside::new());
    let disk = Disk { root: home.root(), shadow: beside.shadow(), before: Disk::files(&home.root()) };
    let launch = plan.launch(&home, &beside).env("SKEIN_FAULTS_SHADOW", beside.shadow());
    let left = session::run_lasting(&home, launch, async || disk.settled(&beside).await).await;
    disk.cut(rest);
    check_after_a_cut(&home, &left.told).await;
    beside.seen().0
}

/// The disk that a home lies on.
struct Disk {
    root: PathBuf,
    shadow: PathBuf,
    /// The files that were there before the server, and are on the disk since.
    before: BTreeMap<PathBuf, Inode>,
}

/// A file as it is.
#[derive(Clone, Debug, PartialEq)]
struct Inode {
    number: u64,
    bytes: Vec<u8>,
    modified: SystemTime,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Named {
    Folder,
    File(u64),
}

impl Disk {
    /// Waits until everything that was written is on the disk, but for the index and locks: nobody promises that.
    ///
    /// Returns `false` where the server is killed meanwhile.
    async fn settled(&self, beside: &Beside) -> bool {
        let deadline = Instant::now() + Duration::from_secs(30);
        let lasting = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
        let is_settled = || {
            let names = self.names(Rest::Nothing);
            let files = Self::files(&self.root);
            let here: Vec<_> = files.keys().filter(lasting).collect();
            let there: Vec<_> = names.keys().filter(lasting).collect();
            here == there && here.iter().all(|path| self.synced(&files[*path]) == files[*path].bytes)
        };
        while !is_settled() {
            assert!(Instant::now() < deadline, "what was written is never synced");
            tokio::time::sleep(Duration::from_millis(5)).await;
            if beside.seen().1 > 0 {
                return false;
            }
        }
        true
    }

    /// Makes of the home what the cut leaves of it. Files keep their numbers and times, as far as that can be done.
    fn cut(&self, rest: Rest) {
        let files = Self::files(&self.root);
        let by_number: BTreeMap<_, _> = files.values().map(|file| (file.number, file)).collect();
        let names = self.names(rest);
        for path in files.keys().filter(|path| !names.contains_key(*path)) {
            fs::remove_file(self.root.join(path)).unwrap();
        }
        for (path, named) in names {
            let path = self.root.join(path);
            let Named::File(number) = named else {
                fs::create_dir_all(path).unwrap();
                continue;
            };
            let now = by_number.get(&number).copied();
            let gone = Inode { number, bytes: Vec::new(), modified: SystemTime::now() };
            let bytes = self.left(now.unwrap_or(&gone), rest);
            let mut file = File::options().write(true).create(true).truncate(true).open(&path).unwrap();
            file.write_all(&bytes).unwrap();
            if let Some(now) = now {
                file.set_times(FileTimes::new().set_modified(now.modified)).unwrap();
            }
        }
    }

    /// What is left of the content of a file.
    fn left(&self, file: &Inode, rest: Rest) -> Vec<u8> {
        let mut left = self.synced(file);
        let Some(appended) = file.bytes.strip_prefix(left.as_slice()) else { return left };
        match rest {
            Rest::Nothing => {}
            Rest::Zeros => left.resize(file.bytes.len(), 0),
            Rest::Half => left.extend_from_slice(&appended[..appended.len() / 2]),
        }
        left
    }

    fn synced(&self, file: &Inode) -> Vec<u8> {
        let before = || self.before.values().find(|before| before.number == file.number);
        fs::read(self.shadow.join(file.number.to_string()))
            .unwrap_or_else(|_| before().map(|before| before.bytes.clone()).unwrap_or_default())
    }

    /// Which names are there.
    fn names(&self, rest: Rest) -> BTreeMap<PathBuf, Named> {
        let log = fs::read_to_string(self.shadow.join("log")).unwrap_or_default();
        let lines: Vec<Vec<&str>> = log.lines().map(|line| line.split('\t').collect()).collect();
        let parent = |path: &str| Path::new(path).parent().map(Path::to_owned);
        let touches = |line: &[&str], folder: &Path| {
            let paths = if line[0] == "rename" { &line[1..3] } else { &line[1..2] };
            line[0] != "sync" && paths.iter().any(|path| parent(path).as_deref() == Some(folder))
        };
        let synced =
            lines.iter().enumerate().filter(|(_, line)| line[0] == "sync").filter_map(|(at, line)| {
                lines[..at]
                    .iter()
                    .rposition(|before| touches(before, Path::new(line[1])))
                    .map(|last| last + 1)
            });
        let count = if matches!(rest, Rest::Nothing) { synced.max().unwrap_or(0) } else { lines.len() };
        let mut names: BTreeMap<PathBuf, Named> =
            self.before.iter().map(|(path, file)| (path.clone(), Named::File(file.number))).collect();
        for line in &lines[..count] {
            match line[..] {
                ["create", path, number] => {
                    names.insert(path.into(), Named::File(number.parse().unwrap()));
                }
                ["folder", path] => {
                    names.insert(path.into(), Named::Folder);
                }
                ["rename", from, to] => {
                    let named = names.remove(Path::new(from)).expect("a name that was changed");
                    names.insert(to.into(), named);
                }
                ["remove", path] => {
                    names.remove(Path::new(path));
                }
                _ => {}
            }
        }
        names
    }

    /// The files below a folder, by their paths below it.
    fn files(root: &Path) -> BTreeMap<PathBuf, Inode> {
        let mut found = BTreeMap::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                // One may go at any time while a server runs.
                let (Ok(meta), Ok(bytes)) = (path.metadata(), fs::read(&path)) else { continue };
                let modified = meta.modified().unwrap();
                let below = path.strip_prefix(root).unwrap().to_owned();
                found.insert(below, Inode { number: meta.ino(), bytes, modified });
            }
        }
        found
    }
}
