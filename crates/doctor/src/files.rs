//! What all rollouts together say: threads and what they take, files that claim the same thread, files that others go on
//! from.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use rollout::{Home, Located, ThreadId};
use uuid::Uuid;

use crate::{Code, Disk, Finding, Peers, Rollouts, Usage, findings::Findings, peers};

/// How many of the largest threads are named.
const LARGEST: usize = 10;

/// What is remembered of the files that were read.
#[derive(Default)]
pub(crate) struct Files {
    totals: Rollouts,
    bytes: u64,
    archived_bytes: u64,
    threads: HashMap<ThreadId, Thread>,
    /// What each file goes by where others go on from it.
    pieces: HashSet<Uuid>,
    bases: Vec<(PathBuf, Uuid)>,
    choking: u64,
}

#[derive(Default)]
struct Thread {
    files: u32,
    /// Those that are no later pieces.
    beginnings: u32,
    archived: u32,
    bytes: u64,
}

/// What one file says, as far as it matters for the others.
pub(crate) struct Read {
    pub(crate) thread: Option<ThreadId>,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) damaged: u64,
    pub(crate) base: Option<Uuid>,
    /// Whether a reference server would choke on it.
    pub(crate) chokes: bool,
}

impl Files {
    /// Takes in a file that was read.
    pub(crate) fn add(&mut self, file: &Located, read: &Read) {
        let Read { thread, bytes, lines, damaged, base, chokes } = *read;
        let archived = u64::from(file.archived);
        let Rollouts { files, archived_files, threads: _, lines: all_lines, damaged_lines } =
            &mut self.totals;
        *files += 1;
        *archived_files += archived;
        *all_lines += lines;
        *damaged_lines += damaged;
        self.bytes += bytes;
        self.archived_bytes += archived * bytes;
        self.choking += u64::from(chokes);
        self.pieces.insert(file.name.segment.unwrap_or(file.name.id.as_uuid()));
        self.bases.extend(base.map(|base| (file.path.clone(), base)));
        let Some(id) = thread else { return };
        let thread = self.threads.entry(id).or_default();
        thread.files += 1;
        thread.beginnings += u32::from(file.name.segment.is_none());
        thread.archived += u32::from(file.archived);
        thread.bytes += bytes;
    }

    /// Looks at what shows only when all files were read.
    pub(crate) fn check_together(&mut self, home: &Home, findings: &mut Findings) {
        self.check_duplicates(home, findings);
        for (path, base) in std::mem::take(&mut self.bases) {
            if !self.pieces.contains(&base) {
                self.choking += 1;
                let finding =
                    Finding::new(Code::MissingBase, format!("goes on from {base}, which is not there"));
                findings.add(finding.at(path).peers(Some(peers::BASE)));
            }
        }
        let unreachable = self.peers().unreachable_threads;
        if unreachable > 0 {
            let words = format!(
                "{unreachable} threads are older than the {} that the reference servers look at",
                peers::SCANNED
            );
            findings.add(Finding::new(Code::UnreachableThreads, words));
        }
    }

    fn check_duplicates(&mut self, home: &Home, findings: &mut Findings) {
        let several = self.threads.iter().filter(|(_, thread)| thread.beginnings > 1);
        let several: HashSet<_> = several.map(|(id, _)| *id).collect();
        if several.is_empty() {
            return;
        }
        self.choking += several.len() as u64;
        let mut places: HashMap<ThreadId, Vec<PathBuf>> = HashMap::new();
        for file in [false, true].into_iter().flat_map(|archived| rollout::walk(home, archived)).flatten() {
            if several.contains(&file.name.id) {
                places.entry(file.name.id).or_default().push(file.path);
            }
        }
        for id in several {
            let paths = places.remove(&id).unwrap_or_default();
            let words = format!(
                "{} files claim to be this thread; the newest stands for it",
                self.threads[&id].beginnings
            );
            let finding = Finding::new(Code::DuplicateThread, words).of(id).peers(Some(peers::DUPLICATE));
            findings.add(match paths.into_iter().next_back() {
                Some(path) => finding.at(path),
                None => finding,
            });
        }
    }

    /// Returns how many files were read.
    pub(crate) fn count(&self) -> u64 {
        self.totals.files
    }

    /// Tells whether a file is of this thread.
    pub(crate) fn has(&self, id: ThreadId) -> bool {
        self.threads.contains_key(&id)
    }

    pub(crate) fn rollouts(&self) -> Rollouts {
        Rollouts { threads: self.threads.len() as u64, ..self.totals.clone() }
    }

    pub(crate) fn disk(&self) -> Disk {
        let mut largest: Vec<_> = self.threads.iter().collect();
        largest.sort_unstable_by_key(|(id, thread)| (std::cmp::Reverse(thread.bytes), **id));
        let usage = |(id, thread): (&ThreadId, &Thread)| Usage {
            thread_id: *id,
            files: thread.files,
            bytes: thread.bytes,
            archived: thread.archived == thread.files,
        };
        let largest = largest.into_iter().take(LARGEST).map(usage).collect();
        Disk { bytes: self.bytes, archived_bytes: self.archived_bytes, largest }
    }

    pub(crate) fn peers(&self) -> Peers {
        let archived = self.totals.archived_files;
        let beyond =
            [self.totals.files - archived, archived].map(|files| files.saturating_sub(peers::SCANNED));
        Peers { files: self.choking, unreachable_threads: beyond.iter().sum() }
    }
}
