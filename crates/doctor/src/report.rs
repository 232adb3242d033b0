//! The report of a check: a summary a subject, then what was found. Its JSON is documented by these types.

use std::{collections::BTreeMap, path::PathBuf};

use rollout::ThreadId;
use serde::Serialize;

use crate::{Code, Finding};

/// Grows when a field changes its meaning or goes; new fields and codes do not count.
pub(crate) const VERSION: u32 = 1;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// The home.
    pub home: PathBuf,
    /// Whether there is no fault; notes do not count.
    pub healthy: bool,
    /// The files of threads.
    pub rollouts: Rollouts,
    /// The database.
    pub index: IndexReport,
    /// The journal.
    pub journal: LogReport,
    /// The log of names.
    pub names: LogReport,
    /// What takes room.
    pub disk: Disk,
    /// What the reference servers would not cope with.
    pub peers: Peers,
    /// The first hundred findings of each code, faults first.
    pub findings: Vec<Finding>,
    /// How many findings there are of each code.
    pub finding_counts: BTreeMap<Code, u64>,
}

/// The files of threads, added up.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollouts {
    /// All files.
    pub files: u64,
    /// Those of them in the archive.
    pub archived_files: u64,
    /// The threads that they are of.
    pub threads: u64,
    /// Their lines, blank ones left out.
    pub lines: u64,
    /// Lines that cannot be read.
    pub damaged_lines: u64,
}

/// The database, in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexReport {
    /// What state it is in.
    pub state: IndexState,
    /// How many rows it has; none where it cannot be read.
    pub rows: Option<u64>,
    /// Rollouts without a row.
    pub missing_rows: u64,
    /// Rows without a file.
    pub orphaned_rows: u64,
    /// Rows that say something else than their files.
    pub differing_rows: u64,
    /// Files that changed since the index last did.
    pub rows_behind: u64,
}

/// What state the database is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IndexState {
    /// It can be read.
    Readable,
    /// It is not there, or empty.
    Missing,
    /// It is damaged.
    Damaged,
    /// A later version made it.
    Newer,
    /// Another process holds it for itself alone.
    Locked,
    /// It cannot be read for another reason.
    Unusable,
}

/// One log, in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogReport {
    /// Its lines, blank ones left out.
    pub lines: u64,
    /// Lines that cannot be read.
    pub damaged_lines: u64,
    /// Threads that it knows of and that are gone.
    pub threads_gone: u64,
}

/// What takes room.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// All rollouts, in bytes.
    pub bytes: u64,
    /// Those of them in the archive.
    pub archived_bytes: u64,
    /// The threads that take most, the largest first.
    pub largest: Vec<Usage>,
}

/// What one thread takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// The thread.
    pub thread_id: ThreadId,
    /// Its files.
    pub files: u32,
    /// How long they are together.
    pub bytes: u64,
    /// Whether all of them lie in the archive.
    pub archived: bool,
}

/// What the reference servers would not cope with, in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Peers {
    /// Files that one of them refuses, misreads or would damage.
    pub files: u64,
    /// Active and archived threads beyond those that they look at.
    pub unreachable_threads: u64,
}
