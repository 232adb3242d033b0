//! The git metadata that clients set, so that a rebuild of the index needs no full read.
//!
//! The rollout holds the same as a `session_meta` record; but that record may lie anywhere in a large file, and
//! heads and tails are all that is read of most files. The newer of the two counts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rollout::{GitInfo, Summary, ThreadId};

/// The git metadata of each thread as a client left it, and when.
#[derive(Default)]
pub(crate) struct Git(HashMap<ThreadId, (DateTime<Utc>, Option<GitInfo>)>);

impl Git {
    /// Puts the metadata into a summary, unless the rollout has something newer.
    pub(crate) fn merge(&self, summary: &mut Summary) {
        let Some((at, git)) = self.0.get(&summary.id) else { return };
        if summary.git_at.is_none_or(|stored| stored <= *at) {
            summary.git.clone_from(git);
        }
    }

    pub(super) fn set(&mut self, thread: ThreadId, at: DateTime<Utc>, git: Option<GitInfo>) {
        self.0.insert(thread, (at, git));
    }

    pub(super) fn knows(&self, thread: ThreadId) -> bool {
        self.0.contains_key(&thread)
    }

    pub(super) fn forget(&mut self, thread: ThreadId) {
        self.0.remove(&thread);
    }
}
