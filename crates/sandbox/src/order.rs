//! What travels in the arguments of the helper, and what it answers when it is only tried.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// What the helper is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub stage: Stage,
    pub policy: Policy,
    pub cwd: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The helper becomes bubblewrap, which starts it again inside.
    Bubblewrap(Bubblewrap),
    /// The helper confines itself and becomes the command.
    Here(Layers),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bubblewrap {
    pub program: PathBuf,
    pub helper: PathBuf,
}

/// What the helper puts over itself, besides the seccomp filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Layers {
    /// Landlock where there is any: inside of bubblewrap, files are as they should be.
    InBubblewrap,
    /// Namespaces and Landlock.
    Namespaces,
    /// Landlock.
    Landlock,
    /// Nothing: the policy opens all files.
    None,
}

/// What the helper found when it was started without a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The version of Landlock in force, 0 for none.
    pub landlock: i32,
}
