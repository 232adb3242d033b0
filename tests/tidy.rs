//! What no compiler sees: files that no module lists, missing introductions, files that grew too long, arrows between
//! crates that are not in the map, and promises about the lockfile and the README.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use toml::Table;

/// Which crates a crate may use: the map of the design. A crate is added here when it is added there.
const MAP: &[(&str, &[&str])] = &[
    ("agent", &["config", "history", "items", "model", "rollout", "threads", "tools"]),
    ("bench", &["testkit"]),
    ("config", &[]),
    ("doctor", &["rollout", "state", "threads"]),
    ("faults", &[]),
    ("history", &["items", "protocol", "rollout", "shell"]),
    ("items", &[]),
    ("jsonrpc", &[]),
    ("mcp", &["config"]),
    ("model", &["items"]),
    ("patch", &[]),
    ("protocol", &["items"]),
    ("rollout", &["items"]),
    ("sandbox", &[]),
    (
        "server",
        &[
            "agent", "config", "history", "items", "jsonrpc", "model", "protocol", "rollout", "state",
            "threads", "tools",
        ],
    ),
    ("shell", &[]),
    ("skein", &["config", "doctor", "jsonrpc", "protocol", "server"]),
    ("state", &["rollout"]),
    ("testkit", &["protocol", "rollout"]),
    ("threads", &["history", "items", "protocol", "rollout", "state"]),
    ("tools", &["config", "items", "mcp", "patch", "rollout", "sandbox", "shell"]),
];

/// What only tests may use.
const TESTS_ONLY: &[&str] = &["bench", "faults", "testkit"];

/// Nobody reads a longer file from top to bottom.
const LONGEST_FILE: usize = 600;

/// SQLite before this one may lose commits when two connections write and checkpoint at once (the WAL-reset race).
const OLDEST_SQLITE: (&str, &str) = ("0.37.0", "3.51.3");

#[test]
fn every_source_file_is_listed_by_a_module() {
    let all: BTreeSet<_> = source_files().into_iter().collect();
    let mut listed = BTreeSet::new();
    let mut rest: Vec<_> = all.iter().filter(|path| is_root(path)).cloned().collect();
    while let Some(path) = rest.pop() {
        rest.extend(modules_of(&path));
        listed.insert(path);
    }
    let unlisted: Vec<_> = all.difference(&listed).collect();
    assert!(unlisted.is_empty(), "listed by no module: {unlisted:#?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = source_files().into_iter().filter(|path| !text(path).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "without a `//!` at the top: {silent:#?}");
}

#[test]
fn no_file_is_too_long() {
    let lines = source_files().into_iter().map(|path| (text(&path).lines().count(), path));
    let long: Vec<_> = lines.filter(|(count, _)| *count > LONGEST_FILE).collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines: {long:#?}");
}

#[test]
fn every_arrow_between_crates_is_in_the_map() {
    let map: BTreeMap<_, _> = MAP.iter().copied().collect();
    let manifests = manifests();
    let named: BTreeSet<_> = manifests.keys().map(String::as_str).collect();
    assert_eq!(named, map.keys().copied().collect(), "crates there and crates in the map");
    for (name, manifest) in &manifests {
        let direct: BTreeSet<_> = map[name.as_str()].iter().copied().collect();
        // Tests may also build what lies below the crates that the crate itself may use.
        let in_tests: BTreeSet<_> = below(&map, name).into_iter().chain(TESTS_ONLY.iter().copied()).collect();
        let sections =
            [("dependencies", &direct), ("build-dependencies", &direct), ("dev-dependencies", &in_tests)];
        for (section, allowed) in sections {
            for used in dependencies(manifest, section).filter(|used| named.contains(used.as_str())) {
                assert!(allowed.contains(used.as_str()), "{name} → {used} ({section}) is not in the map");
            }
        }
    }
}

/// Every crate that can be reached from one by the arrows of the map.
fn below<'a>(map: &BTreeMap<&str, &'a [&'a str]>, name: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut rest: Vec<_> = map[name].to_vec();
    while let Some(used) = rest.pop() {
        if found.insert(used) {
            rest.extend(map[used]);
        }
    }
    found
}

#[test]
fn sqlite_is_one_that_does_not_lose_commits() {
    let lock: Table = text(&root().join("Cargo.lock")).parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let sqlite = packages.iter().filter(|package| package["name"].as_str() == Some("libsqlite3-sys"));
    let versions: Vec<_> = sqlite.map(|package| package["version"].as_str().unwrap()).collect();
    let (oldest, bundled) = OLDEST_SQLITE;
    assert_eq!(versions.len(), 1, "{versions:?}");
    assert!(
        numbers(versions[0]) >= numbers(oldest),
        "libsqlite3-sys {} is older than SQLite {bundled}",
        versions[0]
    );
}

#[test]
fn the_command_in_the_readme_is_the_one_that_ci_runs() {
    let readme = text(&root().join("README.md"));
    let (start, end) = ("<!-- test-command -->", "<!-- /test-command -->");
    assert_eq!((readme.matches(start).count(), readme.matches(end).count()), (1, 1));
    let block = readme.split(start).nth(1).and_then(|rest| rest.split(end).next()).unwrap();
    let commands: Vec<_> =
        block.lines().filter(|line| !line.is_empty() && !line.starts_with("```")).collect();
    assert_eq!(commands, ["cargo nextest run --workspace --locked"]);
    let ci = text(&root().join(".ci/run"));
    assert!(ci.contains(r#"step "tests: $(test_command)" bash -euo pipefail -c "$(test_command)""#));
    assert!(!ci.contains("nextest run"), "a command of its own, beside that of the README");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file of Rust in the project.
fn source_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 100, "the files are not where they are looked for");
    files.sort();
    files
}

/// Whether cargo begins to read here: a library, a program, a build script, a test binary, an example.
fn is_root(path: &Path) -> bool {
    let parent = path.parent().unwrap();
    let of_its_own = |folder: &Path| {
        let in_crate = folder.parent().is_some_and(|parent| parent.join("Cargo.toml").exists());
        in_crate && ["benches", "examples", "tests"].iter().any(|name| folder.ends_with(name))
    };
    ["lib.rs", "main.rs", "build.rs"].iter().any(|name| path.ends_with(name))
        || of_its_own(parent) && parent != root().join("tests")
}

/// The files that the `mod` lines of a file stand for.
fn modules_of(path: &Path) -> Vec<PathBuf> {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let parent = path.parent().unwrap();
    let folder = if is_root(path) { parent.to_owned() } else { parent.join(stem) };
    let code = text(path);
    let declared = code.lines().filter_map(|line| {
        let (before, rest) = line.trim().split_once("mod ")?;
        let visible = before.is_empty() || before.starts_with("pub");
        rest.strip_suffix(';').filter(|_| visible)
    });
    let file = |name: &str| {
        let path = folder.join(format!("{name}.rs"));
        assert!(path.exists(), "{} declares {name}, which is not at {}", stem, path.display());
        path
    };
    declared.map(file).collect()
}

/// The manifest of each crate, by its name.
fn manifests() -> BTreeMap<String, Table> {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    // The program's folder has no manifest: it is the root package.
    let folders = crates.filter(|folder| !folder.ends_with("skein")).chain([root()]);
    let manifest = |folder: PathBuf| -> Table { text(&folder.join("Cargo.toml")).parse().unwrap() };
    folders
        .map(manifest)
        .map(|table| (table["package"]["name"].as_str().unwrap().to_owned(), table))
        .collect()
}

/// The names of what a section of a manifest, or of its parts for one platform, asks for.
fn dependencies<'a>(manifest: &'a Table, section: &'a str) -> impl Iterator<Item = &'a String> {
    let targets = manifest.get("target").and_then(|targets| targets.as_table());
    let of_targets =
        targets.into_iter().flat_map(|targets| targets.values()).filter_map(|target| target.as_table());
    let tables = [manifest].into_iter().chain(of_targets);
    tables.filter_map(move |table| table.get(section)?.as_table()).flat_map(|section| section.keys())
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap()).collect()
}
