//! `skein/journal.jsonl`: the git metadata that clients set, so that a rebuild of the index needs no full read.
//!
//! The rollout holds the same as a `session_meta` record; but that record may lie anywhere in a large file, and
//! heads and tails are all that is read of most files. The newer of the two counts.

use chrono::{DateTime, Utc};
use rollout::{GitInfo, Home, Summary, ThreadId};
use serde::{Deserialize, Serialize};

use crate::log::Log;

/// One line of the journal. Lines of other kinds are left for the releases that know them.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Entry {
    Git {
        timestamp: DateTime<Utc>,
        thread_id: ThreadId,
        /// The whole of it as it stands after the patch; absent when everything was cleared.
        git: Option<GitInfo>,
    },
}

/// The git metadata of a thread as a client left it, and when.
#[derive(Clone)]
pub(crate) struct JournaledGit {
    at: DateTime<Utc>,
    git: Option<GitInfo>,
}

pub(crate) fn open(home: &Home) -> Log<JournaledGit> {
    Log::new(home.skein().join("journal.jsonl"), |line| {
        let Entry::Git { timestamp, thread_id, git } = serde_json::from_slice(line).ok()?;
        Some((thread_id, JournaledGit { at: timestamp, git }))
    })
}

/// Puts the journaled git metadata into a summary, unless the rollout has something newer.
pub(crate) fn merge(summary: &mut Summary, journaled: Option<JournaledGit>) {
    let Some(JournaledGit { at, git }) = journaled else { return };
    if summary.git_at.is_none_or(|stored| stored <= at) {
        summary.git = git;
    }
}
