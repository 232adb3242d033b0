//! Which access holds at a path, and at which paths it changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the kernel shows as files: nobody's workspace, and as root a way out of any.
pub(crate) const KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What may be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The paths at which access changes, parents first; above the first of them all is read-only.
///
/// Invariant: an entry differs from what holds at its parent. So a writable entry is never reached through a folder
/// that commands may change, and nobody can put a symbolic link on the way to it.
#[derive(Debug, Default)]
pub(crate) struct Map(BTreeMap<PathBuf, Access>);

impl Map {
    pub(crate) fn new(writable: &[PathBuf], protected: &[PathBuf]) -> Self {
        let writable = writable.iter().filter(|path| !KERNEL.iter().any(|folder| path.starts_with(folder)));
        let mut stated: BTreeMap<_, _> = writable.map(|path| (path.clone(), Access::Write)).collect();
        stated.extend(protected.iter().map(|path| (path.clone(), Access::Read)));
        stated.extend(KERNEL.map(|path| (path.into(), Access::Read)));
        let mut map = Self::default();
        for (path, access) in stated {
            if map.at(path.parent().unwrap_or(&path)) != access {
                map.0.insert(path, access);
            }
        }
        map
    }

    /// Returns what holds at a path.
    pub(crate) fn at(&self, path: &Path) -> Access {
        path.ancestors().find_map(|path| self.0.get(path)).copied().unwrap_or(Access::Read)
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = (&Path, Access)> {
        self.0.iter().map(|(path, access)| (path.as_path(), *access))
    }

    /// Returns what has to be mounted, parents first.
    ///
    /// That is more than the changes: the folders on the way to what is protected are mounted too, as they are.
    /// Otherwise one of them could be renamed and replaced, and what is protected with it.
    pub(crate) fn mounts(&self) -> BTreeMap<&Path, Access> {
        let mut mounts: BTreeMap<_, _> = self.changes().collect();
        for path in self.read_only() {
            let above = path.ancestors().skip(1).take_while(|path| !self.0.contains_key(*path));
            mounts.extend(above.map(|path| (path, Access::Write)));
        }
        mounts
    }

    pub(crate) fn writable(&self) -> impl Iterator<Item = &Path> {
        self.changes().filter(|(_, access)| *access == Access::Write).map(|(path, _)| path)
    }

    /// Returns what is protected inside of something writable.
    pub(crate) fn read_only(&self) -> impl Iterator<Item = &Path> {
        self.changes().filter(|(_, access)| *access == Access::Read).map(|(path, _)| path)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    fn map(writable: &[&str], protected: &[&str]) -> Map {
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
        Map::new(&paths(writable), &paths(protected))
    }

    fn changes(writable: &[&str], protected: &[&str]) -> Vec<String> {
        let map = map(writable, protected);
        map.changes().map(|(path, access)| format!("{} {access:?}", path.display())).collect()
    }

    #[test]
    fn only_changes_are_kept_and_parents_come_first() {
        let cases: &[(&[&str], &[&str], &[&str])] = &[
            (&[], &["/a"], &[]),
            (&["/w/sub", "/w"], &[], &["/w Write"]),
            (&["/w"], &["/w/.git", "/w/.git/hooks"], &["/w Write", "/w/.git Read"]),
            (&["/w", "/w/.git/wt"], &["/w/.git"], &["/w Write", "/w/.git Read", "/w/.git/wt Write"]),
            (&["/w"], &["/w"], &[]),
            (&["/w"], &["/wide/.git"], &["/w Write"]),
        ];
        for (writable, protected, expected) in cases {
            assert_eq!(changes(writable, protected), *expected, "{writable:?} {protected:?}");
        }
    }

    #[test]
    fn folders_on_the_way_to_what_is_protected_are_mounted() {
        let map = map(&["/w", "/w/a/.git/wt"], &["/w/a/b/home", "/w/a/.git"]);
        let mounts: Vec<_> =
            map.mounts().iter().map(|(path, access)| format!("{} {access:?}", path.display())).collect();
        assert_eq!(
            mounts,
            [
                "/w Write",
                "/w/a Write",
                "/w/a/.git Read",
                "/w/a/.git/wt Write",
                "/w/a/b Write",
                "/w/a/b/home Read"
            ]
        );
    }

    #[test]
    fn what_the_kernel_shows_is_never_writable() {
        assert_eq!(changes(&["/"], &[]), ["/ Write", "/dev Read", "/proc Read", "/sys Read"]);
        assert_eq!(changes(&["/proc/self", "/dev", "/sys/fs"], &[]), Vec::<String>::new());
    }

    /// Paths of few names, so that they lie below each other.
    fn path() -> impl Strategy<Value = PathBuf> {
        proptest::collection::vec("[ab]", 0..4).prop_map(|names| Path::new("/").join(names.join("/")))
    }

    fn paths() -> impl Strategy<Value = Vec<PathBuf>> {
        proptest::collection::vec(path(), 0..5)
    }

    proptest! {
        #[test]
        fn the_longest_path_decides(writable in paths(), protected in paths(), asked in path()) {
            let longest = |list: &[PathBuf]| {
                list.iter().filter(|path| asked.starts_with(path)).map(|path| path.components().count()).max()
            };
            let expected =
                if longest(&writable) > longest(&protected) { Access::Write } else { Access::Read };
            prop_assert_eq!(Map::new(&writable, &protected).at(&asked), expected);
        }
    }
}
