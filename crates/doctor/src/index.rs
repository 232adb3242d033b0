//! The index under examination: the copy of it while it can be read, and the state that it is in.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rollout::Home;
use state::{IndexCopy, IndexedFile, IndexedFolder, StateError, chain, holder};

use crate::{Code, Finding, IndexReport, IndexState, findings::Findings};

/// How often a lock is looked at before it counts: servers hold it for an instant when they open or close the index.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The index of a home, as far as it can be read.
pub(crate) struct Index {
    state: IndexState,
    copy: Option<IndexCopy>,
    rows: Option<u64>,
    complete: bool,
    unseen: HashSet<PathBuf>,
}

impl Index {
    /// Copies the index and looks at it as a database.
    pub(crate) async fn open(home: &Home, scratch: &Path, findings: &mut Findings) -> Self {
        if let Some(pid) = held_for_long(home) {
            let words = match pid {
                0 => "another process holds it for itself alone".to_owned(),
                pid => format!("process {pid} holds it for itself alone"),
            };
            findings.add(Finding::new(Code::IndexLocked, words));
            return Self::without(IndexState::Locked);
        }
        // Damage counts when a second copy has it too: the first may have been taken between two writes.
        let opened = match Self::copied(home, scratch).await {
            Err(StateError::Corrupt(_)) => Self::copied(home, scratch).await,
            opened => opened,
        };
        opened.unwrap_or_else(|error| {
            let (state, code) = match &error {
                StateError::Corrupt(_) => (IndexState::Damaged, Code::IndexDamaged),
                StateError::Newer(_) => (IndexState::Newer, Code::IndexNewer),
                _ => (IndexState::Unusable, Code::IndexUnusable),
            };
            findings.add(Finding::new(code, chain(&error)));
            Self::without(state)
        })
    }

    async fn copied(home: &Home, scratch: &Path) -> Result<Self, StateError> {
        let Some(copy) = IndexCopy::take(home, scratch).await? else {
            return Ok(Self::without(IndexState::Missing));
        };
        let faults = copy.faults().await?;
        if !faults.is_empty() {
            return Err(StateError::Corrupt(faults.join("; ").into()));
        }
        Ok(Self {
            state: IndexState::Readable,
            rows: Some(copy.count().await?),
            complete: copy.is_complete().await?,
            unseen: copy.folders().await?.into_iter().collect(),
            copy: Some(copy),
        })
    }

    fn without(state: IndexState) -> Self {
        Self { state, copy: None, rows: None, complete: false, unseen: HashSet::new() }
    }

    /// Tells whether every rollout should have a row.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns when the index changed last, in nanoseconds since 1970.
    pub(crate) fn changed_ns(&self) -> i64 {
        self.copy.as_ref().map_or(i64::MIN, IndexCopy::changed_ns)
    }

    /// Returns what is known of a folder; nothing where the index cannot be read.
    pub(crate) async fn folder(&mut self, folder: &Path, findings: &mut Findings) -> Option<IndexedFolder> {
        self.unseen.remove(folder);
        let read = self.copy.as_ref()?.folder(folder).await;
        self.read(read, findings)
    }

    /// Returns what is known of files of a folder, by their names.
    pub(crate) async fn files(
        &mut self,
        folder: &Path,
        names: &[&str],
        findings: &mut Findings,
    ) -> Option<HashMap<String, IndexedFile>> {
        let read = self.copy.as_ref()?.files(folder, names).await;
        self.read(read, findings)
    }

    /// Returns a folder that has rows and was not looked at yet.
    pub(crate) fn unseen_folder(&mut self) -> Option<PathBuf> {
        self.unseen.iter().next().cloned()
    }

    /// Adds up what was found; what it takes is removed.
    pub(crate) async fn close(self, files: u64, findings: &mut Findings) -> IndexReport {
        let Self { state, copy, rows, complete, unseen: _ } = self;
        if let Some(copy) = copy {
            copy.close().await;
        }
        if state == IndexState::Missing && files > 0 {
            findings.add(Finding::new(Code::IndexMissing, "is not there; the next server builds it"));
        }
        if state == IndexState::Readable && !complete {
            let words = format!("has {} of {files} rows; a server goes on with it", rows.unwrap_or_default());
            findings.add(Finding::new(Code::IndexIncomplete, words));
        }
        IndexReport {
            state,
            rows,
            missing_rows: findings.of(Code::RowMissing),
            orphaned_rows: findings.of(Code::RowOrphaned),
            differing_rows: findings.of(Code::RowDiffers),
            rows_behind: findings.of(Code::RowBehind),
        }
    }

    /// Takes in what could be read; after damage nothing more is asked.
    fn read<T>(&mut self, read: Result<T, StateError>, findings: &mut Findings) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                findings.add(Finding::new(Code::IndexDamaged, chain(&error)));
                *self = Self { rows: self.rows, ..Self::without(IndexState::Damaged) };
                None
            }
        }
    }
}

fn held_for_long(home: &Home) -> Option<u32> {
    let mut held = holder(home)?;
    for _ in 1..LOOKS {
        thread::sleep(BETWEEN_LOOKS);
        held = holder(home)?;
    }
    Some(held)
}
