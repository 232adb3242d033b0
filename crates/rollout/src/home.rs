//! Where rollouts lie, and what their names say.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use chrono::{NaiveDate, NaiveDateTime};
use uuid::Uuid;

use crate::{Disk, ThreadId};

const TIME: &str = "%Y-%m-%dT%H-%M-%S";

/// How long the time in a name is: `2025-01-05T12-00-00`.
const TIME_LEN: usize = 19;

/// A `CODEX_HOME`.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
    disk: Disk,
}

/// What the name of a rollout says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutName {
    /// When the file was made, by the clock on the wall of who made it.
    pub local_time: NaiveDateTime,
    /// The thread.
    pub id: ThreadId,
    /// Set where the file goes on with a thread whose earlier file was left as it was.
    pub segment: Option<Uuid>,
}

impl Home {
    /// Names a home; nothing is looked at, and nothing that is written in it is synced.
    pub fn new(root: PathBuf) -> Self {
        Self::on(Disk::default(), root)
    }

    /// Names a home that lies on a disk.
    pub fn on(disk: Disk, root: PathBuf) -> Self {
        Self { root, disk }
    }

    /// Returns the disk, which has to know of what is written.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Returns the home that a rollout lies in, if it lies in one.
    pub(crate) fn around(rollout: &Path) -> Option<Self> {
        let folder = rollout.parent()?;
        let archived = folder.ends_with("archived_sessions").then_some(folder);
        let sessions = || folder.ancestors().nth(3).filter(|folder| folder.ends_with("sessions"));
        Some(Self::new(archived.or_else(sessions)?.parent()?.to_owned()))
    }

    /// Returns the folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of active rollouts, in folders by year, month and day.
    pub fn sessions(&self) -> PathBuf {
        self.root.join("sessions")
    }

    /// Returns the flat folder of archived rollouts.
    pub fn archived(&self) -> PathBuf {
        self.root.join("archived_sessions")
    }

    /// Returns the log of thread names.
    pub fn session_index(&self) -> PathBuf {
        self.root.join("session_index.jsonl")
    }

    /// Returns the folder of the locks that tell who writes to a thread; release 0.169 uses them too.
    pub fn writer_locks(&self) -> PathBuf {
        self.root.join("thread-writer-locks")
    }

    /// Returns the folder of what was said to turns that run, in a file a thread.
    pub fn inboxes(&self) -> PathBuf {
        self.skein().join("inbox")
    }

    /// Returns the folder of what is ours alone.
    pub fn skein(&self) -> PathBuf {
        self.root.join("skein")
    }

    /// Returns where the rollout of a new thread will lie.
    pub fn new_rollout(&self, id: ThreadId, local_time: NaiveDateTime) -> PathBuf {
        self.active_path(&RolloutName { local_time, id, segment: None })
    }

    /// Returns where a rollout of this name lies while it is active.
    pub fn active_path(&self, name: &RolloutName) -> PathBuf {
        self.day_folder(name.local_time.date()).join(name.to_string())
    }

    /// Returns where a rollout of this name lies while it is archived.
    pub fn archived_path(&self, name: &RolloutName) -> PathBuf {
        self.archived().join(name.to_string())
    }

    pub(crate) fn day_folder(&self, day: NaiveDate) -> PathBuf {
        self.sessions().join(day.format("%Y/%m/%d").to_string())
    }
}

impl RolloutName {
    /// Reads a file name; `None` for what is no name of a rollout.
    pub fn parse(file_name: &str) -> Option<Self> {
        let stem = file_name.strip_prefix("rollout-")?.strip_suffix(".jsonl")?;
        let (time, ids) = stem.split_at_checked(TIME_LEN)?;
        let local_time = NaiveDateTime::parse_from_str(time, TIME).ok()?;
        let (id, segment) = match ids.strip_prefix('-')?.split_once('_') {
            Some((id, segment)) => (id, Some(uuid(segment)?)),
            None => (ids.strip_prefix('-')?, None),
        };
        Some(Self { local_time, id: uuid(id)?.into(), segment })
    }

    /// Returns the id of this very file, by which others go on from it: its thread's, or that of a later piece.
    pub(crate) fn piece(&self) -> Uuid {
        self.segment.unwrap_or(self.id.as_uuid())
    }

    /// Reads the file name of a path.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        Self::parse(path.file_name()?.to_str()?)
    }
}

/// Reads a UUID in the one spelling that names use.
fn uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::parse_str(text).ok())?
}

impl fmt::Display for RolloutName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { local_time, id, segment } = self;
        write!(f, "rollout-{}-{id}", local_time.format(TIME))?;
        match segment {
            Some(segment) => write!(f, "_{segment}.jsonl"),
            None => f.write_str(".jsonl"),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_name_is_a_time_and_one_or_two_ids() {
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for (name, whole) in [
            (format!("rollout-2025-01-05T12-00-00-{id}.jsonl"), true),
            (format!("rollout-2025-01-05T12-00-00-{id}_{id}.jsonl"), true),
            (format!("rollout-2025-01-05T12-00-00-{id}.jsonl.bak"), false),
            (format!("rollout-2025-13-05T12-00-00-{id}.jsonl"), false),
            (format!("rollout-2025-01-05T12-00-00-{id}_x.jsonl"), false),
            (format!("x-2025-01-05T12-00-00-{id}.jsonl"), false),
            ("rollout-2025-01-05T12-00-00-.jsonl".to_owned(), false),
            ("rollout-ééééééééééééé.jsonl".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(RolloutName::parse(&name).map(|read| read.to_string()), whole.then_some(name));
        }
    }
}
