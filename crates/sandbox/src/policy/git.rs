//! What belongs to the workspace's owner and not to the commands in it: git's own files, and our settings.
//!
//! Whoever writes there has his words run later, outside of any sandbox: hooks, `core.fsmonitor`, an MCP server.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::placeholder::is_placeholder;

/// The names that are protected below each writable folder.
const PROTECTED: [&str; 2] = [".git", ".codex"];

/// A `.git` file is one line with a path in it.
const MAX_GIT_FILE: u64 = 16 * 1024;

/// Adds what is protected for the sake of one folder: the names in it and in all folders above it, since another
/// writable folder may hold those, and whatever they point to.
///
/// Only what exists is found; a placeholder is there for others.
pub(super) fn collect(folder: &Path, protected: &mut Vec<PathBuf>) {
    for folder in folder.ancestors() {
        for name in PROTECTED {
            let path = folder.join(name);
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if is_placeholder(&path) {
                continue;
            }
            if metadata.is_symlink() {
                protected.extend(path.canonicalize());
            }
            let git = git_folder(&path);
            protected.extend(git.as_deref().and_then(common_folder));
            protected.extend(git);
            protected.push(path);
        }
    }
}

/// Returns what is protected in a folder and does not exist.
pub(super) fn absent(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let is_absent = |path: &PathBuf| {
        fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
            || is_placeholder(path)
    };
    PROTECTED.map(|name| folder.join(name)).into_iter().filter(is_absent)
}

/// Where a `.git` that is a file (of a worktree, of a submodule) says that the repository is.
fn git_folder(file: &Path) -> Option<PathBuf> {
    let text = first_line(file)?;
    let target = text.strip_prefix("gitdir:")?.trim();
    file.parent()?.join(target).canonicalize().ok()
}

/// Where the repository of a worktree keeps what all of its worktrees share: settings, hooks.
fn common_folder(git: &Path) -> Option<PathBuf> {
    git.join(first_line(&git.join("commondir"))?).canonicalize().ok()
}

fn first_line(file: &Path) -> Option<String> {
    if !fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(file).ok()?.take(MAX_GIT_FILE).read_to_string(&mut text).ok()?;
    text.lines().next().map(str::to_owned)
}
