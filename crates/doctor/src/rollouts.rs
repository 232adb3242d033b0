//! Every rollout read once, line by line, and its row held against it.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path, time::SystemTime};

use rollout::{Flaw, GitInfo, Home, Kind, Line, Located, RolloutError, SessionMeta, Stamp, ThreadId};
use state::{IndexedFolder, chain};

use crate::{
    Code, Finding, Progress,
    compare::{self, Fresh},
    files::{Files, Read},
    findings::Findings,
    index::Index,
    peers,
};

/// How many files have their rows fetched at once.
const BATCH: usize = 256;

/// How many damaged lines of one file are listed.
const LISTED: u64 = 5;

/// How often progress is told within one file.
const STEP: u64 = 16 << 20;

/// Looks at every rollout of a home, and at rows of files that are gone.
pub(crate) async fn check(
    home: &Home,
    index: &mut Index,
    files: &mut Files,
    findings: &mut Findings,
    progress: &mut impl FnMut(Progress),
) {
    let began = nanos(SystemTime::now());
    let mut walk = Walk { index, files, findings, progress, began, done: Progress::default() };
    for archived in [false, true] {
        let mut folder: Vec<Located> = Vec::new();
        for located in rollout::walk(home, archived) {
            match located {
                Ok(located) => {
                    if folder.first().is_some_and(|first| first.path.parent() != located.path.parent()) {
                        walk.folder(std::mem::take(&mut folder)).await;
                    }
                    folder.push(located);
                }
                Err(error) => walk.findings.add(Finding::new(Code::Unreadable, chain(&error))),
            }
        }
        walk.folder(folder).await;
    }
    while let Some(folder) = walk.index.unseen_folder() {
        if let Some(known) = walk.index.folder(&folder, walk.findings).await {
            walk.orphans(&folder, &known, &[]);
        }
    }
}

struct Walk<'a, P> {
    index: &'a mut Index,
    files: &'a mut Files,
    findings: &'a mut Findings,
    progress: &'a mut P,
    began: i64,
    done: Progress,
}

impl<P: FnMut(Progress)> Walk<'_, P> {
    async fn folder(&mut self, located: Vec<Located>) {
        let Some(folder) = located.first().and_then(|first| first.path.parent()).map(Path::to_owned) else {
            return;
        };
        let known = self.index.folder(&folder, self.findings).await;
        if let Some(known) = &known {
            if !known.digest_fits {
                let words = "the number that stands for its files does not fit their rows";
                self.findings.add(Finding::new(Code::FolderDiffers, words).at(&folder));
            }
            self.orphans(&folder, known, &located);
        }
        for located in located.chunks(BATCH) {
            let names: Vec<_> = located.iter().filter_map(|file| name(&file.path)).collect();
            let rows = match known.is_some() {
                true => self.index.files(&folder, &names, self.findings).await,
                false => None,
            };
            for file in located {
                let Some(read) = self.read(file) else { continue };
                let (Some(rows), Some(known), Some(name)) = (&rows, &known, name(&file.path)) else {
                    continue;
                };
                let row = rows.get(name).zip(known.files.get(name).copied());
                self.compare(file, row, &read);
            }
        }
    }

    fn orphans(&mut self, folder: &Path, known: &IndexedFolder, located: &[Located]) {
        let there: std::collections::HashSet<_> =
            located.iter().filter_map(|file| name(&file.path)).collect();
        for gone in known.files.keys().filter(|known| !there.contains(known.as_str())) {
            let path = folder.join(gone);
            if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
                continue; // it came meanwhile
            }
            // A folder changes when something in it goes; one that is gone itself, with the one that it lay in.
            let changed = folder
                .ancestors()
                .find_map(|folder| fs::metadata(folder).ok())
                .map_or(0, |meta| changed_ns(&meta));
            self.findings.add(match changed > self.index.changed_ns() {
                true => Finding::new(Code::RowBehind, "went since the index was last brought along").at(path),
                false => Finding::new(Code::RowOrphaned, "has a row, but is not there").at(path),
            });
        }
    }

    /// Reads a file; `None` where it is gone, or cannot be read.
    fn read(&mut self, file: &Located) -> Option<Contents> {
        let mut contents = Contents::default();
        let (findings, progress, done) = (&mut *self.findings, &mut *self.progress, &mut self.done);
        done.files += 1;
        let (mut told, before) = (0, done.bytes);
        let read = rollout::look_through(&file.path, |line| {
            contents.take(&line, file, findings);
            done.bytes = before + contents.bytes;
            if contents.bytes - told >= STEP {
                told = contents.bytes;
                progress(*done);
            }
        });
        progress(*done);
        match read {
            Ok(bytes) => contents.bytes = bytes,
            Err(RolloutError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                findings.add(Finding::new(Code::Unreadable, chain(&error)).at(&file.path));
                return None;
            }
        }
        if contents.meta.is_none() {
            let changed = fs::metadata(&file.path).map_or(i64::MAX, |meta| changed_ns(&meta));
            if changed < self.began {
                let words = if contents.bytes == 0 { "is empty" } else { "has no session record" };
                let finding = Finding::new(Code::NoSessionRecord, words).at(&file.path);
                contents.chokes = true;
                findings.add(finding.peers(Some(peers::NO_SESSION)));
            }
        }
        contents.check_meta(file, findings);
        let read = Read {
            thread: contents.meta.as_ref().map(|meta| meta.id),
            bytes: contents.bytes,
            lines: contents.lines,
            damaged: contents.damaged,
            base: contents.base(),
            chokes: contents.chokes,
        };
        self.files.add(file, &read);
        Some(contents)
    }

    fn compare(&mut self, file: &Located, row: Option<(&state::IndexedFile, Stamp)>, contents: &Contents) {
        // One that cannot be summarized by now was cut, or went.
        let Ok(fresh) = rollout::summarize(&file.path) else { return };
        let Ok(now) = fs::metadata(&file.path) else { return };
        let behind = |words| Finding::new(Code::RowBehind, words).at(&file.path);
        let Some((row, known)) = row else {
            if changed_ns(&now) > self.index.changed_ns() {
                self.findings.add(behind("came since the index was last brought along"));
            } else if self.index.is_complete() {
                self.findings.add(Finding::new(Code::RowMissing, "has no row in the index").at(&file.path));
            }
            return;
        };
        let stamp = fresh.as_ref().map_or_else(|| Stamp::of(&now), |(_, stamp)| *stamp);
        if known != stamp || stamp.size < contents.bytes {
            self.findings.add(behind("changed since the index was last brought along"));
            return;
        }
        let fresh = Fresh {
            summary: fresh.as_ref().map(|(summary, _)| summary),
            later_git: contents.later_git.as_ref(),
            archived: file.archived,
        };
        let differing = compare::differing(row, &fresh);
        if !differing.is_empty() {
            let words = format!("its row says something else: {}", differing.join(", "));
            let finding = Finding::new(Code::RowDiffers, words).at(&file.path);
            self.findings.add(match fresh.summary {
                Some(summary) => finding.of(summary.id),
                None => finding,
            });
        }
    }
}

/// What the lines of one file say.
#[derive(Default)]
struct Contents {
    bytes: u64,
    lines: u64,
    damaged: u64,
    meta: Option<Meta>,
    /// Whether another record stands before the session record.
    late: Option<(u64, u64)>,
    later_git: Option<Option<GitInfo>>,
    /// The number that the next line should have, where that is known.
    next: Option<u64>,
    misnumbered: bool,
    chokes: bool,
}

struct Meta {
    id: ThreadId,
    numbered: bool,
    base: Option<serde_json::Value>,
}

impl Contents {
    fn take(&mut self, line: &rollout::Looked<'_>, file: &Located, findings: &mut Findings) {
        self.bytes = line.offset + line.len;
        self.lines += 1;
        let parsed = Line::parse(line.bytes);
        if let Some(flaw) = line.flaw(parsed.is_some()) {
            self.take_flaw(flaw, line, parsed.is_some(), file, findings);
        } else if line.len > peers::GIANT {
            let words = format!("is {} bytes long", line.len);
            let finding = Finding::new(Code::GiantLine, words).at(&file.path).line(line.number, line.offset);
            findings.add(finding.peers(Some(peers::GIANT_LINE)));
        }
        let Some(parsed) = parsed else {
            self.next = None;
            return;
        };
        match (parsed.kind, &self.meta) {
            (Kind::SessionMeta, None) => {
                let Some(meta) = parsed.session_meta() else { return };
                let SessionMeta { id, history_mode, history_base, .. } = meta;
                let numbered = parsed.ordinal.is_some() || history_mode.as_deref() == Some("paginated");
                self.next = history_base.is_none().then_some(0);
                self.meta = Some(Meta { id, numbered, base: history_base });
            }
            (Kind::SessionMeta, Some(first)) => {
                if let Some(later) = parsed.session_meta().filter(|later| later.id == first.id) {
                    self.later_git = Some(later.git);
                }
            }
            (_, None) => self.late = self.late.or(Some((line.number, line.offset))),
            _ => {}
        }
        self.take_ordinal(&parsed, line, file, findings);
    }

    fn take_flaw(
        &mut self,
        flaw: Flaw,
        line: &rollout::Looked<'_>,
        was_read: bool,
        file: &Located,
        findings: &mut Findings,
    ) {
        let peers = peers::of_flaw(flaw);
        self.chokes |= peers.is_some();
        self.damaged += u64::from(!was_read);
        let code = if flaw == Flaw::Unended { Code::UnendedLine } else { Code::DamagedLine };
        if self.damaged > LISTED {
            findings.count(code);
            return;
        }
        let finding = Finding::new(code, words(flaw)).at(&file.path).line(line.number, line.offset);
        findings.add(finding.peers(peers));
    }

    fn take_ordinal(
        &mut self,
        parsed: &Line<'_>,
        line: &rollout::Looked<'_>,
        file: &Located,
        findings: &mut Findings,
    ) {
        if self.misnumbered || !self.meta.as_ref().is_some_and(|meta| meta.numbered) {
            return;
        }
        let is_right = parsed.ordinal.is_some_and(|ordinal| self.next.is_none_or(|next| next == ordinal));
        if !is_right {
            self.misnumbered = true;
            self.chokes = true;
            let words = match (parsed.ordinal, self.next) {
                (Some(ordinal), Some(next)) => format!("has number {ordinal}, and should have {next}"),
                _ => "has no number".to_owned(),
            };
            let finding =
                Finding::new(Code::WrongOrdinal, words).at(&file.path).line(line.number, line.offset);
            findings.add(finding.peers(Some(peers::ORDINAL)));
        }
        self.next = parsed.ordinal.and_then(|ordinal| ordinal.checked_add(1));
    }

    /// Looks at what the session record says once the whole file was read.
    fn check_meta(&mut self, file: &Located, findings: &mut Findings) {
        let Some(Meta { id, .. }) = self.meta else { return };
        if let Some((number, offset)) = self.late {
            self.chokes = true;
            let finding = Finding::new(Code::LateSessionRecord, "the session record does not come first");
            let finding = finding.at(&file.path).line(number, offset).of(id);
            findings.add(finding.peers(Some(peers::LATE_SESSION)));
        }
        if id != file.name.id {
            self.chokes = true;
            let words = format!("is named after {}, and says that it is {id}", file.name.id);
            let finding = Finding::new(Code::NameDiffers, words).at(&file.path).of(id);
            findings.add(finding.peers(Some(peers::NAME)));
        }
    }

    fn base(&self) -> Option<uuid::Uuid> {
        let base = self.meta.as_ref()?.base.as_ref()?;
        base.get("thread_id")?.as_str()?.parse().ok()
    }
}

/// Says what is wrong with a line.
pub(crate) fn words(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::TooLong => "is longer than any line that is read",
        Flaw::NotUtf8 => "holds bytes that are no UTF-8",
        Flaw::Nul => "holds NULs",
        Flaw::Mark => "begins with a byte order mark",
        Flaw::Torn => "is the last one, and torn",
        Flaw::NotJson => "is no JSON",
        Flaw::NotARecord => "is JSON, but no record",
        Flaw::Unended => "is the last one, and has no line break",
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Returns when a file last changed, its name included.
fn changed_ns(meta: &fs::Metadata) -> i64 {
    let renamed = meta.ctime().saturating_mul(1_000_000_000).saturating_add(meta.ctime_nsec());
    Stamp::of(meta).mtime_ns.max(renamed)
}

fn nanos(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
