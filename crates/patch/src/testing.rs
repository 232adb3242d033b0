//! What the tests of this crate share: folders as values, and random patches for them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use crate::{Patch, PatchError, Plan, on_disk};

/// What stands below a folder, by relative path: `folder`, `-> target`, or a mode and a content.
pub(crate) type Tree = BTreeMap<String, String>;

pub(crate) fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let node = if metadata.is_dir() {
                folders.push(path.clone());
                "folder".to_owned()
            } else if metadata.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else {
                let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                format!("{:o} {content}", metadata.permissions().mode() & 0o7777)
            };
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), node);
        }
    }
    found
}

/// Makes files with their folders; a content that begins with `-> ` makes a link.
pub(crate) fn fill(root: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix("-> ") {
            Some(target) => symlink(target, path).unwrap(),
            None => fs::write(path, content).unwrap(),
        }
    }
}

pub(crate) fn within_marks(sections: &str) -> String {
    format!("*** Begin Patch\n{sections}\n*** End Patch")
}

pub(crate) fn plan(root: &Path, sections: &str) -> Result<Plan, PatchError> {
    Patch::parse(&within_marks(sections)).unwrap().plan(root, on_disk)
}

/// Files for random patches, some of which are links, or lie in folders.
pub(crate) const FILES: [(&str, &str); 4] =
    [("a", "1\n2\n3\n4\n5\n6\n7\n8\n"), ("b c", "1\n\n2\n\n3"), ("d/e", "3\n3\n3\n"), ("empty", "")];

/// Random sections, many of which fit [`FILES`].
pub(crate) fn section() -> impl Strategy<Value = String> {
    let path = || prop::sample::select(vec!["a", "b c", "d/e", "empty", "link", "f", "g/h", "g/i/j", "a/k"]);
    let line = || prop::sample::select(vec!["1", "2", "3", "7", "new", ""]);
    prop_oneof![
        (path(), prop::collection::vec(line(), 0..4)).prop_map(|(path, lines)| {
            let lines: String = lines.iter().map(|line| format!("\n+{line}")).collect();
            format!("*** Add File: {path}{lines}")
        }),
        path().prop_map(|path| format!("*** Delete File: {path}")),
        (path(), path()).prop_map(|(path, to)| format!("*** Update File: {path}\n*** Move to: {to}")),
        (path(), path(), line())
            .prop_map(|(path, to, line)| format!("*** Update File: {path}\n*** Move to: {to}\n@@\n+{line}")),
        (path(), line(), line())
            .prop_map(|(path, old, new)| format!("*** Update File: {path}\n@@\n-{old}\n+{new}")),
        (path(), line()).prop_map(|(path, new)| format!("*** Update File: {path}\n@@\n+{new}")),
    ]
}

/// Carries a plan out where it leads now.
pub(crate) fn apply(plan: &Plan) -> Result<(), PatchError> {
    plan.apply(&plan.landings()?)
}
