//! What is to fail under a server, as the crate `faults` takes it, and what it saw.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testkit::{Home, Launch};

/// What is to fail in one round.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Which kinds of operations count.
    pub kinds: &'a str,
    /// What happens.
    pub act: &'a str,
    /// To which of those operations; to none without it.
    pub at: Option<u64>,
}

/// Where a server under faults keeps what it saw, beside its home.
pub struct Beside(TempDir);

impl Plan<'_> {
    /// Starts to start a server under the plan.
    pub fn launch(&self, home: &Home, beside: &Beside) -> Launch {
        let Self { kinds, act, at } = *self;
        let launch = Launch::on(home)
            .env("LD_PRELOAD", library())
            .env("SKEIN_FAULTS_HOME", home.root())
            .env("SKEIN_FAULTS_SEEN", beside.seen_file())
            .env("SKEIN_FAULTS_KINDS", kinds)
            .env("SKEIN_FAULTS_ACT", act)
            .without_handshake();
        match at {
            Some(at) => launch.env("SKEIN_FAULTS_AT", at.to_string()),
            None => launch,
        }
    }
}

impl Beside {
    /// Makes the place.
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("skein-faults-").tempdir().unwrap())
    }

    /// Returns how many operations counted, and how many of them failed.
    pub fn seen(&self) -> (u64, u64) {
        let bytes = fs::read(self.seen_file()).expect("the library was loaded into the server");
        let number = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        (number(0), number(8))
    }

    /// Returns the folder that is told what a power cut would leave.
    pub fn shadow(&self) -> PathBuf {
        let folder = self.0.path().join("shadow");
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn seen_file(&self) -> PathBuf {
        self.0.path().join("seen")
    }
}

/// The library to be preloaded: cargo builds it beside this program, as a dependency of the tests.
fn library() -> PathBuf {
    let program = env::current_exe().unwrap();
    let library = program.parent().map(|folder| folder.join("libfaults.so"));
    library.filter(|path| Path::exists(path)).expect("libfaults.so beside the tests")
}

/// Tells whether every operation is to have its turn.
fn is_long() -> bool {
    env::var_os("SKEIN_LONG_TESTS").is_some_and(|value| value == "1")
}

/// Returns which operations have their turn, of so many: all, the one that was asked for, or a sample that is spread
/// over them.
pub fn turns(of: u64, sample: u64) -> Vec<u64> {
    if let Some(at) = env::var("SKEIN_FAULT_AT").ok().and_then(|at| at.parse().ok()) {
        return vec![at];
    }
    let count = if is_long() { of } else { sample.min(of) };
    // The middle of each of `count` equal stretches.
    (0..count).map(|turn| (2 * turn + 1) * of / (2 * count) + 1).collect()
}
