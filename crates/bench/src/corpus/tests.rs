//! What a home holds, and that the same seed writes the same one.

use std::{collections::BTreeMap, fs};

use super::*;

const SMALL: Corpus = Corpus {
    threads: 20,
    kib: 20,
    archived: 0.3,
    exec: 0.3,
    seed: 7,
    hostile: true,
    giant: Giant { giant: 1, giant_line: 1 },
};

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            all.extend(files(&entry.path()).into_iter().map(|(k, v)| (entry.path().join(k), v)));
        } else {
            all.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    all
}

#[test]
fn a_seed_writes_one_home_and_another_seed_another() {
    let homes = [7, 7, 8].map(|seed| {
        let home = tempfile::tempdir().unwrap();
        let written = Corpus { seed, ..SMALL }.write(home.path()).unwrap();
        let files: BTreeMap<_, _> = files(home.path())
            .into_iter()
            .map(|(path, bytes)| (path.strip_prefix(home.path()).unwrap().to_owned(), bytes))
            .collect();
        (written, files)
    });
    assert!(homes[0] == homes[1], "the same seed");
    assert!(homes[0] != homes[2], "another seed");
}

#[test]
fn a_home_holds_what_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let written = SMALL.write(home.path()).unwrap();
    let files = files(home.path());
    let named = |piece: &str| files.keys().filter(|path| path.to_string_lossy().contains(piece)).count();
    assert_eq!(written.threads, 20 + 7 + 1);
    assert_eq!(named("rollout-"), 20 + 8 + 1);
    assert!((1..20).contains(&named("archived_sessions/")), "{}", named("archived_sessions/"));
    let giant =
        files.iter().find(|(path, _)| path.to_string_lossy().contains(written.giant.as_ref().unwrap()));
    let longest = giant.unwrap().1.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert!(longest.unwrap() > 1 << 20);
}

#[test]
fn whole_threads_are_whole_lines_of_json() {
    let home = tempfile::tempdir().unwrap();
    Corpus { hostile: false, ..SMALL }.write(home.path()).unwrap();
    for (path, bytes) in files(home.path()) {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.ends_with('\n'), "{}", path.display());
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(line["type"].is_string() && line["payload"].is_object(), "{line}");
        }
    }
}
