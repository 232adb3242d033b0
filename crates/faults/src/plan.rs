//! What is to happen to which operation, and the count of those that were seen.

use std::{
    cell::Cell,
    env,
    fs::OpenOptions,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::shadow::Shadow;

/// What the process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Write,
    Truncate,
    Sync,
    Rename,
    Unlink,
    MakeFolder,
    Times,
    Open,
    /// An open that may make the file.
    Create,
    Lock,
}

/// What is to become of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    /// A write is to write half of what it was given.
    Half,
    Fail(i32),
    Die,
    /// A write is to write half, and then the process ends.
    DieTorn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Once(i32),
    Always(i32),
    /// Half of a write, then the next two: what would write the rest, and what would take the half back.
    Short(i32),
    /// Half of a write, then always.
    Full(i32),
    Kill,
    Torn,
}

/// What this process was told.
pub(crate) struct Plan {
    home: PathBuf,
    kinds: Vec<String>,
    at: u64,
    act: Act,
    seen: &'static [AtomicU64; 2],
    /// What a power cut would leave is kept here.
    pub(crate) shadow: Option<Shadow>,
    /// Only this process: a child that was forked has the plan too, but it is not for it.
    process: u32,
}

static PLAN: OnceLock<Plan> = OnceLock::new();

thread_local! {
    /// Whether this thread is at work here: what it does to files meanwhile is not the program's.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

#[used]
#[cfg(not(test))]
#[unsafe(link_section = ".init_array")]
static LOADED: extern "C" fn() = load;

/// Runs before the program's `main`, while there is one thread.
#[cfg_attr(test, expect(dead_code, reason = "it would be loaded into the tests themselves"))]
extern "C" fn load() {
    let Some(_inside) = Inside::enter() else { return };
    let variable = |name: &str| {
        let name = format!("SKEIN_FAULTS_{name}");
        let value = env::var_os(&name);
        // SAFETY: no other thread is there that could read the environment.
        unsafe { env::remove_var(name) };
        value.map(|value| value.to_string_lossy().into_owned())
    };
    // SAFETY: as above.
    unsafe { env::remove_var("LD_PRELOAD") };
    let (home, seen) = (variable("HOME"), variable("SEEN"));
    let (kinds, at, act) = (variable("KINDS"), variable("AT"), variable("ACT"));
    let shadow = variable("SHADOW");
    let (Some(home), Some(seen)) = (home, seen) else { return };
    let plan = Plan {
        kinds: kinds.unwrap_or_default().split(',').map(str::to_owned).collect(),
        at: at.and_then(|at| at.parse().ok()).unwrap_or(u64::MAX),
        act: act.as_deref().and_then(Act::parse).unwrap_or(Act::Kill),
        seen: shared(Path::new(&seen)),
        shadow: shadow.map(|folder| Shadow::new(folder.into(), home.clone().into())),
        home: home.into(),
        process: std::process::id(),
    };
    drop(PLAN.set(plan));
}

/// Maps the counters, which outlive the process.
fn shared(path: &Path) -> &'static [AtomicU64; 2] {
    const SIZE: usize = size_of::<[AtomicU64; 2]>();
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file =
        file.and_then(|file| file.set_len(SIZE as u64).map(|()| file)).expect("a file for the counters");
    // SAFETY: a fresh mapping of a file that is as long; it is never unmapped, and only used as atomics.
    unsafe {
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        let map = libc::mmap(ptr::null_mut(), SIZE, access, flags, file.as_raw_fd(), 0);
        assert_ne!(map, libc::MAP_FAILED, "the counters cannot be mapped");
        &*map.cast()
    }
}

/// Returns the plan, where there is one for this process and the caller is the program.
pub(crate) fn plan() -> Option<(&'static Plan, Inside)> {
    let plan = PLAN.get().filter(|plan| plan.process == std::process::id())?;
    Some((plan, Inside::enter()?))
}

impl Plan {
    /// Returns the path below the home; `None` for one that is not of it.
    pub(crate) fn below<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(&self.home).ok().filter(|rest| !rest.as_os_str().is_empty())
    }

    /// Tells whether a path is the home's, or the home itself.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.home)
    }

    /// Counts an operation, if it counts, and decides on it.
    pub(crate) fn judge(&self, op: Op, path: &Path) -> Verdict {
        let name = path.file_name().unwrap_or_default();
        let is_index = name.as_encoded_bytes().starts_with(b"state.sqlite");
        if !self.kinds.iter().any(|kind| is_of(kind, op, is_index)) || !self.act.can_hit(op) {
            return Verdict::Go;
        }
        let number = self.seen[0].fetch_add(1, Ordering::SeqCst) + 1;
        let verdict = self.act.on(number, self.at, op);
        if verdict != Verdict::Go {
            self.seen[1].fetch_add(1, Ordering::SeqCst);
        }
        verdict
    }
}

fn is_of(kind: &str, op: Op, is_index: bool) -> bool {
    match kind {
        "any" => true,
        "index" => is_index,
        _ if is_index => false,
        "write" => matches!(op, Op::Write | Op::Truncate),
        "sync" => op == Op::Sync,
        "name" => matches!(op, Op::Rename | Op::Unlink | Op::MakeFolder | Op::Times),
        "open" => matches!(op, Op::Open | Op::Create),
        "lock" => op == Op::Lock,
        _ => false,
    }
}

impl Act {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.split_once(':') {
            None if text == "kill" => Self::Kill,
            None if text == "torn" => Self::Torn,
            None => return None,
            Some((act, errno)) => {
                let errno = errno.parse().ok()?;
                match act {
                    "once" => Self::Once(errno),
                    "always" => Self::Always(errno),
                    "short" => Self::Short(errno),
                    "full" => Self::Full(errno),
                    _ => return None,
                }
            }
        })
    }

    /// Tells whether an operation can fail in this way: on a full disk what needs no room goes on.
    fn can_hit(self, op: Op) -> bool {
        match self {
            Self::Once(errno) | Self::Always(errno) | Self::Short(errno) | Self::Full(errno) => {
                errno != libc::ENOSPC || matches!(op, Op::Write | Op::Create | Op::MakeFolder)
            }
            Self::Kill | Self::Torn => true,
        }
    }

    fn on(self, number: u64, at: u64, op: Op) -> Verdict {
        let half = op == Op::Write && number == at;
        match self {
            Self::Once(errno) if number == at => Verdict::Fail(errno),
            Self::Always(errno) if number >= at => Verdict::Fail(errno),
            Self::Short(_) | Self::Full(_) if half => Verdict::Half,
            Self::Short(errno) if (at..=at.saturating_add(2)).contains(&number) => Verdict::Fail(errno),
            Self::Full(errno) if number >= at => Verdict::Fail(errno),
            Self::Torn if half => Verdict::DieTorn,
            Self::Kill | Self::Torn if number == at => Verdict::Die,
            _ => Verdict::Go,
        }
    }
}

/// Held while a thread is at work here.
pub(crate) struct Inside(());

impl Inside {
    fn enter() -> Option<Self> {
        (!INSIDE.replace(true)).then(|| Self(()))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_hits_what_it_says_and_nothing_else() {
        let verdicts = |text: &str| {
            let act = Act::parse(text).unwrap();
            [1, 2, 3, 4, 5].map(|number| act.on(number, 2, Op::Write))
        };
        use Verdict::{Die, DieTorn, Fail, Go, Half};
        for (text, expected) in [
            ("once:5", [Go, Fail(5), Go, Go, Go]),
            ("always:5", [Go, Fail(5), Fail(5), Fail(5), Fail(5)]),
            ("short:28", [Go, Half, Fail(28), Fail(28), Go]),
            ("full:28", [Go, Half, Fail(28), Fail(28), Fail(28)]),
            ("kill", [Go, Die, Go, Go, Go]),
            ("torn", [Go, DieTorn, Go, Go, Go]),
        ] {
            assert_eq!(verdicts(text), expected, "{text}");
        }
        assert_eq!(Act::parse("often:5"), None);
        assert_eq!(Act::Torn.on(2, 2, Op::Sync), Die);
    }

    #[test]
    fn the_index_is_a_kind_of_its_own_and_a_full_disk_lets_through_what_needs_no_room() {
        assert!(is_of("index", Op::Lock, true) && !is_of("lock", Op::Lock, true));
        assert!(is_of("any", Op::Lock, true) && is_of("lock", Op::Lock, false));
        let full = Act::Full(libc::ENOSPC);
        assert!(full.can_hit(Op::Write) && !full.can_hit(Op::Truncate) && !full.can_hit(Op::Open));
        assert!(Act::Full(libc::EIO).can_hit(Op::Truncate));
    }
}
