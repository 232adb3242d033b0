//! What all patches of a turn did together, as `git diff` would show it.
//!
//! Not here: the heading behind the second `@@`, which git finds by the language of the file, and renames that no patch
//! has made.

mod blob;
mod names;
mod similarity;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use blob::{Blob, Side};
use names::Name;
use similarity::similarity;

use crate::disk::Found;
use crate::plan::{After, Plan};
use crate::unified;

/// All texts from before the turn that are kept together; a file beyond shows as one that cannot be compared. A turn
/// that edits more than this has no diff that anybody reads.
const MAX_KEPT: usize = 64 * 1024 * 1024;

/// Below it, as for git, a moved file is another one. In percent.
const LEAST_SIMILARITY: usize = 50;

/// The files that a turn has touched, and what they were when it first did.
#[derive(Clone, Debug)]
pub struct TurnDiff {
    root: PathBuf,
    before: BTreeMap<PathBuf, Side>,
    /// Where moved files were before the turn, by where they are.
    moved: BTreeMap<PathBuf, PathBuf>,
    /// The bytes of text in `before`.
    kept: usize,
}

impl TurnDiff {
    /// Begins a turn. Paths below `root` are shown relative to it, others absolute.
    pub fn new(root: PathBuf) -> Self {
        Self { root, before: BTreeMap::new(), moved: BTreeMap::new(), kept: 0 }
    }

    /// Takes in a plan that was applied: from it come what its files were before, and which have moved.
    ///
    /// What a file was counts only the first time, so plans are recorded in order, and none that failed.
    pub fn record(&mut self, plan: &Plan) {
        let touched = || plan.files.iter().filter(|file| file.after != After::AsBefore);
        for file in touched() {
            if !self.before.contains_key(&file.path) {
                let side = file.before.as_ref().map_or(Side::Absent, |content| {
                    Side::File(Blob::new(content, /*room for its text*/ MAX_KEPT - self.kept))
                });
                self.kept += side.text().map_or(0, str::len);
                self.before.insert(file.path.clone(), side);
            }
        }
        let origins: Vec<_> =
            touched().map(|file| (&file.path, self.origin(&file.path, &file.after))).collect();
        for (path, origin) in origins {
            match origin {
                Some(origin) => self.moved.insert(path.clone(), origin),
                None => self.moved.remove(path),
            };
        }
    }

    /// Tells whether no plan changed a file.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// Returns the diff of the turn so far; nothing where every file is as it was.
    ///
    /// `read` is [`on_disk`](crate::on_disk) but for tests, and is asked for each recorded file: commands may have
    /// changed it besides.
    pub fn print(&self, mut read: impl FnMut(&Path) -> io::Result<Found>) -> String {
        let sides = self.before.iter().map(|(path, old)| (path.as_path(), (old, Side::read(read(path)))));
        let mut rest: BTreeMap<_, _> = sides.collect();
        // By name, and by path besides: a file outside of the root may have the name of one inside.
        let mut sections = BTreeMap::new();
        for (path, origin) in &self.moved {
            let (Some((Side::Absent, new)), Some((old, Side::Absent))) =
                (rest.get(path.as_path()), rest.get(origin.as_path()))
            else {
                continue;
            };
            let Some(percent) = similarity(old, new).filter(|percent| *percent >= LEAST_SIMILARITY) else {
                continue;
            };
            let (from, to) = (self.name(origin), self.name(path));
            let renamed = format!("similarity index {percent}%\nrename from {from}\nrename to {to}\n");
            let text = section([&from, &to], [old, new], &renamed);
            sections.insert((to, path.as_path()), text);
            rest.remove(path.as_path());
            rest.remove(origin.as_path());
        }
        for (path, (old, new)) in rest {
            if *old != new {
                let name = self.name(path);
                let text = section([&name, &name], [old, &new], "");
                sections.insert((name, path), text);
            }
        }
        sections.into_values().collect()
    }

    /// Returns where a file was before the turn, if elsewhere.
    fn origin(&self, path: &Path, after: &After) -> Option<PathBuf> {
        let After::Edited { from, .. } = after else { return None };
        let origin = self.moved.get(from).unwrap_or(from);
        (origin != path).then(|| origin.clone())
    }

    fn name(&self, path: &Path) -> Name {
        Name::new(path, &self.root)
    }
}

/// Returns the part about one file, which had one name and has another.
fn section([from, to]: [&Name; 2], [old, new]: [&Side; 2], renamed: &str) -> String {
    let (before, after) = (from.side("a"), to.side("b"));
    let modes = match (old, new) {
        (Side::Absent, Side::File(new)) => format!("new file mode {}\n", new.mode()),
        (Side::File(old), Side::Absent) => format!("deleted file mode {}\n", old.mode()),
        (Side::File(old), Side::File(new)) if old.mode() != new.mode() => {
            format!("old mode {}\nnew mode {}\n", old.mode(), new.mode())
        }
        _ => String::new(),
    };
    let head = format!("diff --git {before} {after}\n{modes}{renamed}");
    if old.id() == new.id() {
        return head;
    }
    let index = match (old, new) {
        (Side::File(old), Side::File(new)) if old.mode() == new.mode() => {
            format!("index {}..{} {}\n", old.id(), new.id(), new.mode())
        }
        _ => match (old.id(), new.id()) {
            (Some(old), Some(new)) => format!("index {old}..{new}\n"),
            _ => String::new(),
        },
    };
    let before = if *old == Side::Absent { "/dev/null" } else { &before };
    let after = if *new == Side::Absent { "/dev/null" } else { &after };
    let body = match (old.text(), new.text()) {
        (Some(""), Some("")) => String::new(),
        (Some(old), Some(new)) => {
            // Some tools end a name at a blank, unless a tab does.
            let tab = |name: &str| if name.contains(' ') { "\t" } else { "" };
            format!("--- {before}{}\n+++ {after}{}\n{}", tab(before), tab(after), unified(old, new))
        }
        _ => format!("Binary files {before} and {after} differ\n"),
    };
    head + &index + &body
}

#[cfg(test)]
mod tests;
