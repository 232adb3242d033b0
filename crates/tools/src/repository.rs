//! Where the repository around a folder begins.

use std::path::Path;

/// Returns the closest folder at or above this one that has a `.git`; `None` outside of a repository.
pub fn repository_root(cwd: &Path) -> Option<&Path> {
    let is_root = |folder: &&Path| {
        let git = folder.join(".git");
        git.exists() && !sandbox::is_placeholder(&git)
    };
    cwd.ancestors().find(is_root)
}
