//! A thread as the files tell it.

use std::{
    path::{Path, PathBuf},
    slice,
};

use chrono::{DateTime, Utc};
use rollout::{GitInfo, SessionMeta, Stamp, Summary, ThreadId};
use state::ThreadRow;

use crate::{Placed, SectionId, ThreadManager, manager::Stores};

/// A stored thread: what its rollout says, with what clients set about it merged in.
#[derive(Clone, Debug)]
pub struct StoredThread {
    /// What the rollout says of itself.
    pub summary: Summary,
    /// Where the rollout lies.
    pub path: PathBuf,
    /// Whether it lies among the archived ones.
    pub archived: bool,
    /// Which state of the file this was read from.
    pub stamp: Stamp,
    /// The name that a client gave the thread.
    pub name: Option<String>,
    /// The section that a client put the thread into.
    pub section: Option<Placed>,
}

impl StoredThread {
    /// Returns the thread's id.
    pub fn id(&self) -> ThreadId {
        self.summary.id
    }

    /// Returns the git metadata, if any field of it is set.
    pub fn git(&self) -> Option<&GitInfo> {
        self.summary.git.as_ref().filter(|git| !git.is_empty())
    }

    /// Returns when the file last changed, which is when something last happened in the thread.
    pub fn updated_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.stamp.mtime_ns)
    }

    fn of_row(row: ThreadRow) -> Self {
        let ThreadRow { summary, path, archived, stamp } = row;
        Self { summary, path, archived, stamp, name: None, section: None }
    }

    /// Makes what is known of a thread before it has a rollout.
    pub fn promised(meta: &SessionMeta, path: PathBuf) -> Self {
        let created_at =
            DateTime::parse_from_rfc3339(&meta.timestamp).map_or_else(|_| Utc::now(), |at| at.to_utc());
        let summary = Summary::begin(meta.clone(), Some(created_at));
        let stamp =
            Stamp { mtime_ns: created_at.timestamp_nanos_opt().unwrap_or_default(), ..Stamp::default() };
        Self { summary, path, archived: false, stamp, name: None, section: None }
    }

    /// Returns where in the order of a section the thread is, if it is in that one.
    pub fn position_in(&self, section: &SectionId) -> Option<i64> {
        self.section.as_ref().filter(|placed| placed.section.id == *section).map(|placed| placed.position)
    }

    /// Returns the rollout's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl ThreadManager {
    /// Puts the name that the thread has by now into what is known of it.
    pub fn named(&self, mut thread: StoredThread) -> StoredThread {
        thread.name = self.stores.names.with(|names| names.get(thread.id())).or(thread.name);
        thread
    }
}

impl Stores {
    /// Merges what belongs to no rollout into a row that was made from one.
    pub(crate) fn stored(&self, row: ThreadRow) -> StoredThread {
        let mut thread = StoredThread::of_row(row);
        self.adorn(slice::from_mut(&mut thread));
        thread
    }

    /// Merges what belongs to no rollout into rows; the logs are looked at once for all of them.
    pub(crate) fn all_stored(&self, rows: Vec<ThreadRow>) -> Vec<StoredThread> {
        let mut threads: Vec<_> = rows.into_iter().map(StoredThread::of_row).collect();
        self.adorn(&mut threads);
        threads
    }

    fn adorn(&self, threads: &mut [StoredThread]) {
        self.journal.with(|journal| {
            for thread in &mut *threads {
                journal.git.merge(&mut thread.summary);
                thread.section = journal.sections.placed(thread.id());
            }
        });
        self.names.with(|names| {
            for thread in threads {
                thread.name = names.get(thread.id());
            }
        });
    }
}
