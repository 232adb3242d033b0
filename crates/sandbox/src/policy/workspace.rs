//! From what a client says about a workspace to the files that a command may change.

use std::path::{Path, PathBuf};

use crate::policy::{Files, git};

/// What a client says about a workspace, and what the server knows besides.
#[derive(Clone, Copy, Debug)]
pub struct Workspace<'a> {
    /// The folder that the policy is for, which is writable.
    pub cwd: &'a Path,
    /// Further writable folders.
    pub writable_roots: &'a [PathBuf],
    /// The value of `TMPDIR` that commands are given, if any.
    pub tmpdir: Option<&'a Path>,
    /// Leaves `tmpdir` read-only.
    pub exclude_tmpdir: bool,
    /// Leaves `/tmp` read-only.
    pub exclude_slash_tmp: bool,
    /// What stays read-only wherever it is, such as the server's home, unless a writable folder lies inside of it.
    pub protected: &'a [PathBuf],
}

impl Workspace<'_> {
    /// Returns the files that a command may change, as the file system is now.
    ///
    /// `.git`, the repository that a `.git` file points to, and `.codex` are protected in each writable folder and
    /// above it, where they exist; where they do not, they may not be made in `cwd` and the further folders. So call
    /// this for every command. A folder that does not exist, or is not given by an absolute path, is left out. So is one
    /// below another writable folder that turns out to be somewhere else: a command may have put a symbolic link
    /// there.
    pub fn files(&self) -> Files {
        let Self { cwd, writable_roots, tmpdir, exclude_tmpdir, exclude_slash_tmp, protected } = *self;
        let slash_tmp = (!exclude_slash_tmp).then_some(Path::new("/tmp"));
        let tmpdir = tmpdir.filter(|_| !exclude_tmpdir);
        let stated = [cwd].into_iter().chain(writable_roots.iter().map(PathBuf::as_path));
        let stated = stated.filter_map(|folder| Root::find(folder, /*is_shared*/ false));
        let shared = slash_tmp.into_iter().chain(tmpdir).filter_map(|folder| Root::find(folder, true));
        let roots: Vec<_> = stated.chain(shared).collect();
        let trusted = roots.iter().filter(|root| roots.iter().all(|other| other.vouches_for(root)));
        let (shared, stated): (Vec<_>, Vec<_>) = trusted.partition(|root| root.is_shared);
        let absent = stated.iter().flat_map(|root| git::absent(&root.real)).collect();
        let writable: Vec<_> = stated.into_iter().chain(shared).map(|root| root.real.clone()).collect();

        let mut protected: Vec<_> = protected.iter().filter_map(|path| path.canonicalize().ok()).collect();
        for folder in &writable {
            git::collect(folder, &mut protected);
        }
        Files::Workspace { writable: sorted(writable), protected: sorted(protected), absent: sorted(absent) }
    }
}

/// A folder as it was named, and where it is.
struct Root<'a> {
    named: &'a Path,
    real: PathBuf,
    /// Whether others keep their files there too.
    is_shared: bool,
}

impl<'a> Root<'a> {
    fn find(named: &'a Path, is_shared: bool) -> Option<Self> {
        let real = named.canonicalize().ok().filter(|_| named.is_absolute())?;
        Some(Self { named, real, is_shared })
    }

    /// Whether `other` is where it says it is, as far as it was named as something inside of this one.
    fn vouches_for(&self, other: &Root) -> bool {
        !other.named.starts_with(self.named)
            || other.named == self.named
            || other.real.starts_with(&self.real)
    }
}

fn sorted(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use pretty_assertions::assert_eq;
    use tempfile::TempDir;

    use super::*;

    type Names = &'static [&'static str];

    /// A folder with what the lines say: `folder/`, `file = text` or `link -> target`.
    fn tree(lines: &[&str]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for line in lines {
            let path = |name: &str| {
                let path = root.path().join(name.trim());
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                path
            };
            if let Some((name, text)) = line.split_once('=') {
                fs::write(path(name), text.trim()).unwrap();
            } else if let Some((name, target)) = line.split_once("->") {
                symlink(target.trim(), path(name)).unwrap();
            } else {
                fs::create_dir_all(path(line)).unwrap();
            }
        }
        root
    }

    /// What is writable and what is protected, as paths below the tree.
    fn files(root: &TempDir, cwd: &str, writable_roots: &[&str]) -> (Vec<String>, Vec<String>) {
        let path = root.path().canonicalize().unwrap();
        let writable_roots: Vec<_> = writable_roots.iter().map(|name| path.join(name)).collect();
        let workspace = Workspace {
            cwd: &path.join(cwd),
            writable_roots: &writable_roots,
            tmpdir: Some(&path.join("tmpdir")),
            exclude_tmpdir: false,
            exclude_slash_tmp: true,
            protected: &[path.join("home")],
        };
        let Files::Workspace { writable, protected, absent: _ } = workspace.files() else {
            panic!("no workspace")
        };
        let below = |paths: Vec<PathBuf>| {
            let below = paths.iter().filter_map(|found| found.strip_prefix(&path).ok());
            below.map(|found| found.display().to_string()).collect()
        };
        (below(writable), below(protected))
    }

    #[test]
    fn what_is_writable_and_what_is_protected_is_found_on_the_disk() {
        let cases: &[(Names, &str, Names, Names, Names)] = &[
            // Nothing there, nothing to protect; and what is missing is not writable.
            (&["w/"], "w", &["missing"], &["w"], &[]),
            (&["w/", "tmpdir/", "home/"], "w", &[], &["tmpdir", "w"], &["home"]),
            (&["w/.git/", "w/.codex/"], "w", &[], &["w"], &["w/.codex", "w/.git"]),
            (&["w/.git/", "w/sub/.codex/"], "w/sub", &[], &["w/sub"], &["w/.git", "w/sub/.codex"]),
            // A worktree: its own part of the repository, and what all worktrees share.
            (
                &["w/.git = gitdir: ../m/.git/worktrees/w", "m/.git/worktrees/w/commondir = ../.."],
                "w",
                &["m"],
                &["m", "w"],
                &["m/.git", "m/.git/worktrees/w", "w/.git"],
            ),
            // Files named so that lead nowhere, or say nothing.
            (&["w/.git = gitdir: missing"], "w", &[], &["w"], &["w/.git"]),
            (&["w/.git = nonsense"], "w", &[], &["w"], &["w/.git"]),
            (&["w/.git -> missing"], "w", &[], &["w"], &["w/.git"]),
            (&["w/.git -> ../store", "store/"], "w", &[], &["w"], &["store", "w/.git"]),
            // Named by a link, it is where the link leads; but not where a command could have made the link.
            (&["w/", "link -> w"], "link", &[], &["w"], &[]),
            (&["w/link -> ../x", "x/"], "w", &["w/link"], &["w"], &[]),
            (&["w/link -> x", "w/x/"], "w", &["w/link"], &["w", "w/x"], &[]),
            (&["x/", "w/link -> ../x"], "w/link", &["w"], &["w"], &[]),
        ];
        for (lines, cwd, roots, writable, protected) in cases {
            let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
            let found = files(&tree(lines), cwd, roots);
            assert_eq!(found, (owned(writable), owned(protected)), "{lines:?} {cwd} {roots:?}");
        }
    }

    #[test]
    fn a_folder_that_is_not_named_from_the_root_is_left_out() {
        let workspace = Workspace {
            cwd: Path::new("."),
            writable_roots: &["src".into()],
            tmpdir: Some(Path::new("")),
            exclude_tmpdir: false,
            exclude_slash_tmp: true,
            protected: &[],
        };
        let none = Files::Workspace { writable: Vec::new(), protected: Vec::new(), absent: Vec::new() };
        assert_eq!(workspace.files(), none);
    }
}
