//! What crashes leave behind: indexes that were set aside, copies that were never finished, words that are not stored,
//! locks that nobody holds.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rollout::Home;
use state::chain;

use crate::{Code, Finding, findings::Findings};

/// Where Linux tells who holds which file locked; nothing else can be asked without taking the lock.
const LOCKS: &str = "/proc/locks";

/// Looks for what is left behind.
pub(crate) fn check(home: &Home, findings: &mut Findings) {
    let is_main = |name: &str| !name.ends_with("-wal") && !name.ends_with("-shm");
    for (path, meta) in files(&home.skein(), findings) {
        if name(&path).is_some_and(|name| name.contains(".sqlite.corrupt-") && is_main(name)) {
            let words = format!("a damaged index of {} bytes that was set aside; it may go", meta.len());
            findings.add(Finding::new(Code::IndexSetAside, words).at(path));
        }
    }
    let days = rollout::day_folders(home).unwrap_or_default(); // told by the walk
    for folder in days.into_iter().chain([home.archived()]) {
        for (path, meta) in files(&folder, findings) {
            if name(&path).is_some_and(|name| name.ends_with(".jsonl.unfinished")) {
                let words = format!(
                    "a copy of {} bytes that is not finished; it may go if no server runs",
                    meta.len()
                );
                findings.add(Finding::new(Code::UnfinishedCopy, words).at(path));
            }
        }
    }
    for (path, _) in files(&home.inboxes(), findings) {
        let words = "was said to a turn that runs, or that died with its server: the next one to start stores it then";
        findings.add(Finding::new(Code::WaitingWords, words).at(path));
    }
    let Ok(held) = fs::read_to_string(LOCKS) else { return };
    let held = inodes(&held);
    for (path, meta) in files(&home.writer_locks(), findings) {
        let is_lock = name(&path).is_some_and(|name| name.ends_with(".lock") && !name.starts_with('.'));
        if is_lock && !held.contains(&meta.ino()) && path.exists() {
            findings.add(Finding::new(Code::StaleLock, "nobody holds it; it does no harm").at(path));
        }
    }
}

/// Lists the files of a folder that need not be there.
fn files(folder: &Path, findings: &mut Findings) -> Vec<(PathBuf, fs::Metadata)> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            findings.add(Finding::new(Code::Unreadable, chain(&error)).at(folder));
            return Vec::new();
        }
    };
    let entries = listed.flatten().filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)));
    let mut files: Vec<_> = entries.filter(|(_, meta)| meta.is_file()).collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// Reads the inodes of locked files: the last number of `08:01:1234`, in the sixth word of a line.
fn inodes(locks: &str) -> HashSet<u64> {
    let words = locks.lines().flat_map(str::split_whitespace);
    words
        .filter(|word| word.matches(':').count() == 2)
        .filter_map(|word| word.rsplit(':').next()?.parse().ok())
        .collect()
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_files_are_told_by_their_inodes() {
        let locks =
            "1: FLOCK  ADVISORY  WRITE 1234 08:01:77 0 EOF\n1: -> POSIX  ADVISORY  READ 5 00:2b:99 4 9\n";
        assert_eq!(inodes(locks), [77, 99].into());
    }
}
