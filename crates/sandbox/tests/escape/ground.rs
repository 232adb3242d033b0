//! Where the commands run: a workspace, a folder next to it that they must not change, and the launches.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use rustix::thread::{CapabilitySet, capabilities};
use sandbox::{Files, Mechanism, Network, Policy, Sandbox, Workspace};
use tempfile::TempDir;

/// The mechanisms that work here, of which there must be one.
pub fn sandboxes() -> &'static [(Mechanism, Sandbox)] {
    static FOUND: LazyLock<Vec<(Mechanism, Sandbox)>> = LazyLock::new(|| {
        let tried = Mechanism::ALL.map(|mechanism| (mechanism, Sandbox::with(mechanism, helper())));
        let (working, broken): (Vec<_>, Vec<_>) =
            tried.into_iter().partition(|(_, sandbox)| sandbox.in_force().is_some());
        let why_not: Vec<_> = broken.iter().flat_map(|(_, sandbox)| sandbox.why_not()).collect();
        println!("not tried: {why_not:#?}");
        assert!(!working.is_empty(), "no mechanism works: {why_not:#?}");
        working
    });
    &FOUND
}

pub fn helper() -> PathBuf {
    env!("CARGO_BIN_EXE_confine").into()
}

/// A folder with `workspace` and `outside` in it.
pub struct Ground {
    folder: TempDir,
}

impl Ground {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["workspace", "outside"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("outside/file"), "as it was").unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub fn workspace(&self) -> PathBuf {
        self.path("workspace")
    }

    /// The workspace alone is writable, without the network.
    pub fn policy(&self) -> Policy {
        Policy { files: self.described().files(), network: Network::Denied }
    }

    pub fn described(&self) -> Described {
        Described {
            cwd: self.workspace(),
            writable_roots: Vec::new(),
            protected: Vec::new(),
            slash_tmp: false,
        }
    }

    /// A command that finds the names of what is here in its environment.
    pub fn command(&self, argv: &[OsString]) -> Command {
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).current_dir(self.workspace());
        command.env("WORKSPACE", self.workspace()).env("OUTSIDE", self.path("outside"));
        command.env("TEST", std::process::id().to_string());
        command
    }

    /// Everything that an attempt must not change, with what it holds.
    pub fn kept(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut paths: Vec<_> =
            ["outside", "workspace/.git", "workspace/.codex"].map(|name| self.path(name)).into();
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            found.insert(path.clone(), fs::read(&path).unwrap_or_default());
        }
        found
    }
}

/// What a client says, owned.
pub struct Described {
    pub cwd: PathBuf,
    pub writable_roots: Vec<PathBuf>,
    pub protected: Vec<PathBuf>,
    pub slash_tmp: bool,
}

impl Described {
    pub fn files(&self) -> Files {
        let Self { cwd, writable_roots, protected, slash_tmp } = self;
        let exclude_slash_tmp = !slash_tmp;
        Workspace { cwd, writable_roots, tmpdir: None, exclude_tmpdir: true, exclude_slash_tmp, protected }
            .files()
    }
}

pub const UNRESTRICTED: Policy = Policy { files: Files::Full, network: Network::Granted };

/// Runs a command of the shell and returns how it ended.
pub fn run(sandbox: &Sandbox, ground: &Ground, policy: &Policy, script: &str) -> Output {
    let _held = sandbox.hold(policy);
    let plan = sandbox.plan(policy, &shell(script), &ground.workspace()).unwrap();
    ground.command(&plan).output().unwrap()
}

pub fn shell(script: &str) -> [OsString; 3] {
    ["sh".into(), "-c".into(), script.into()]
}

/// A shell command that runs a script of Python, without single quotes in it.
pub fn python(script: &str) -> String {
    assert!(!script.contains('\''));
    format!("exec python3 -c '{script}'")
}

pub fn succeeds(sandbox: &Sandbox, ground: &Ground, policy: &Policy, script: &str) -> bool {
    let output = run(sandbox, ground, policy, script);
    println!("{script}\n{output:?}");
    output.status.success()
}

/// Who can do something where there is no sandbox.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Free {
    Anybody,
    /// Root, and not only the root of a container.
    Root,
}

fn is_free(free: Free) -> bool {
    let powers = CapabilitySet::SYS_ADMIN | CapabilitySet::DAC_READ_SEARCH;
    let everybody = u32::MAX.to_string();
    free == Free::Anybody
        || capabilities(None).unwrap().effective.contains(powers)
            && fs::read_to_string("/proc/self/uid_map").unwrap().contains(&everybody)
}

/// Makes an attempt without a sandbox, where it must succeed, and then under every mechanism, where it must not.
pub fn assert_refused(prepare: impl Fn(&Path), free: Free, script: &str) {
    let fresh = || {
        let ground = Ground::new();
        prepare(&ground.path(""));
        ground
    };
    if is_free(free) {
        let (_, sandbox) = &sandboxes()[0];
        assert!(succeeds(sandbox, &fresh(), &UNRESTRICTED, script), "is no attempt: {script}");
    }
    for (mechanism, sandbox) in sandboxes() {
        let ground = fresh();
        let before = ground.kept();
        assert!(!succeeds(sandbox, &ground, &ground.policy(), script), "{mechanism}: {script}");
        assert!(before == ground.kept(), "{mechanism}: changed although it failed: {script}");
    }
}
