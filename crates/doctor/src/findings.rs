//! What was found: codes, places, and how many of a kind are kept.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rollout::{Home, ThreadId};
use serde::Serialize;

/// How many findings of one code are listed; the rest are counted. A home with a hundred thousand damaged lines is
/// not told apart by the last of them, and memory stays bounded.
const LISTED: u64 = 100;

/// One thing to know about a home.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is, in a word that stays.
    pub code: Code,
    /// Whether it is a fault.
    pub severity: Severity,
    /// What it is, for people; the words may change.
    pub message: String,
    /// Where it is, below the home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// In which line, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// At which byte that line begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Of which thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<ThreadId>,
    /// What the reference servers make of it, where that is worse than what we do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<&'static str>,
}

/// Whether a finding makes a home unhealthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Something is damaged, missing or wrong.
    Fault,
    /// Good to know; it mends itself, or harms nothing of ours.
    Note,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $code:ident: $severity:ident,)+) => {
        /// What a finding is about; the names in JSON stay.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[doc = $doc])+ $code,)+
        }

        impl Code {
            /// Returns whether it is a fault.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$code => Severity::$severity,)+
                }
            }
        }
    };
}

codes! {
    /// A folder or file cannot be read.
    Unreadable: Fault,
    /// A line of a rollout cannot be read; it is passed over.
    DamagedLine: Fault,
    /// The last line of a rollout is whole, but has no line break.
    UnendedLine: Fault,
    /// A file is named as a rollout and has no session record.
    NoSessionRecord: Fault,
    /// The first line is not the session record.
    LateSessionRecord: Fault,
    /// The id in the name is not that of the session record.
    NameDiffers: Fault,
    /// Two files claim to be the same thread.
    DuplicateThread: Fault,
    /// A thread goes on from a file that is not there.
    MissingBase: Fault,
    /// The numbers of a numbered rollout have a gap, or are missing.
    WrongOrdinal: Fault,
    /// A line is so long that programs that read whole lines take as much memory.
    GiantLine: Note,
    /// There are more threads than other programs ever look at.
    UnreachableThreads: Note,
    /// There is no index yet.
    IndexMissing: Fault,
    /// The index is damaged.
    IndexDamaged: Fault,
    /// The index was made by a later version.
    IndexNewer: Fault,
    /// Another process holds the index for itself alone.
    IndexLocked: Fault,
    /// The index cannot be read for another reason.
    IndexUnusable: Fault,
    /// The index was never filled to the end.
    IndexIncomplete: Note,
    /// A rollout has no row.
    RowMissing: Fault,
    /// A row is of a file that is gone.
    RowOrphaned: Fault,
    /// A row says something else than its file.
    RowDiffers: Fault,
    /// The number that stands for a folder's files does not fit its rows.
    FolderDiffers: Fault,
    /// A file changed since the index last did; the next list brings its row along.
    RowBehind: Note,
    /// A line of the journal cannot be read; it is passed over, and kept.
    DamagedJournalLine: Fault,
    /// A line of the journal is of a kind that this build does not know.
    UnknownJournalEntry: Note,
    /// The journal knows of a thread that is gone.
    JournalThreadGone: Note,
    /// A line of the log of names cannot be read.
    DamagedNameLine: Fault,
    /// A name is of a thread that is gone.
    NameThreadGone: Note,
    /// A damaged index that was set aside lies there.
    IndexSetAside: Note,
    /// A copy of a thread that was never finished lies there.
    UnfinishedCopy: Note,
    /// A lock file that nobody holds lies there.
    StaleLock: Note,
    /// Words that were said to a turn may be in no rollout yet.
    WaitingWords: Note,
}

/// Collects findings, the first of each code.
pub(crate) struct Findings {
    root: PathBuf,
    listed: Vec<Finding>,
    counts: BTreeMap<Code, u64>,
}

impl Findings {
    pub(crate) fn new(home: &Home) -> Self {
        Self { root: home.root().to_owned(), listed: Vec::new(), counts: BTreeMap::new() }
    }

    /// Adds a finding.
    pub(crate) fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.code).or_default();
        *count += 1;
        if *count <= LISTED {
            let path =
                finding.path.map(|path| path.strip_prefix(&self.root).map(Path::to_owned).unwrap_or(path));
            self.listed.push(Finding { path, ..finding });
        }
    }

    /// Counts a finding that is one of many and needs no words of its own.
    pub(crate) fn count(&mut self, code: Code) {
        *self.counts.entry(code).or_default() += 1;
    }

    /// Returns how many there are of a code.
    pub(crate) fn of(&self, code: Code) -> u64 {
        self.counts.get(&code).copied().unwrap_or_default()
    }

    /// Returns what is listed, faults first, and how many there are of each code.
    pub(crate) fn close(mut self) -> (Vec<Finding>, BTreeMap<Code, u64>) {
        self.listed.sort_by_key(|finding| (finding.severity == Severity::Note, finding.code));
        (self.listed, self.counts)
    }
}

impl Finding {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            path: None,
            line: None,
            offset: None,
            thread_id: None,
            peers: None,
        }
    }

    pub(crate) fn at(self, path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    pub(crate) fn line(self, line: u64, offset: u64) -> Self {
        Self { line: Some(line), offset: Some(offset), ..self }
    }

    pub(crate) fn of(self, thread: ThreadId) -> Self {
        Self { thread_id: Some(thread), ..self }
    }

    pub(crate) fn peers(self, peers: Option<&'static str>) -> Self {
        Self { peers, ..self }
    }
}
