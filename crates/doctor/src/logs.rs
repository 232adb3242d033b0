//! The journal and the log of names: damaged lines, and threads that are gone.

use std::{collections::HashMap, path::PathBuf};

use rollout::{Home, Looked, RolloutError, ThreadId};
use state::chain;
use threads::Mention;

use crate::{Code, Finding, LogReport, files::Files, findings::Findings, rollouts::words};

/// What the findings about one log are called.
struct Kind {
    path: PathBuf,
    damaged: Code,
    gone: Code,
}

/// Looks at the journal.
pub(crate) fn check_journal(home: &Home, files: &Files, findings: &mut Findings) -> LogReport {
    let path = home.skein().join("journal.jsonl");
    let kind = Kind { path, damaged: Code::DamagedJournalLine, gone: Code::JournalThreadGone };
    check(kind, files, findings, |look| threads::look_through_journal(home, look))
}

/// Looks at the log of names.
pub(crate) fn check_names(home: &Home, files: &Files, findings: &mut Findings) -> LogReport {
    let path = home.session_index();
    let kind = Kind { path, damaged: Code::DamagedNameLine, gone: Code::NameThreadGone };
    check(kind, files, findings, |look| threads::look_through_names(home, look))
}

fn check(
    kind: Kind,
    files: &Files,
    findings: &mut Findings,
    look_through: impl FnOnce(&mut dyn FnMut(&Looked<'_>, Mention)) -> Result<(), RolloutError>,
) -> LogReport {
    let Kind { path, damaged, gone } = kind;
    let mut report = LogReport::default();
    // The last line about each thread that has no file.
    let mut missing: HashMap<ThreadId, (u64, u64)> = HashMap::new();
    let read = look_through(&mut |line, mention| {
        report.lines += 1;
        let at = |finding: Finding| finding.at(&path).line(line.number, line.offset);
        match mention {
            Mention::Threads(ids) => {
                missing.extend(
                    ids.into_iter().filter(|id| !files.has(*id)).map(|id| (id, (line.number, line.offset))),
                );
            }
            Mention::Deleted(id) => drop(missing.remove(&id)),
            Mention::Unknown => {
                let words = "is of a kind that this build does not know; it is kept";
                findings.add(at(Finding::new(Code::UnknownJournalEntry, words)));
            }
            Mention::Unreadable => {
                report.damaged_lines += 1;
                let words = line.flaw(/*was_read*/ false).map_or("cannot be read", words);
                findings.add(at(Finding::new(damaged, words)));
            }
        }
    });
    if let Err(error) = read {
        findings.add(Finding::new(Code::Unreadable, chain(&error)).at(&path));
    }
    report.threads_gone = missing.len() as u64;
    let mut missing: Vec<_> = missing.into_iter().collect();
    missing.sort_unstable_by_key(|(_, (number, _))| *number);
    for (id, (number, offset)) in missing {
        let finding = Finding::new(gone, "is about a thread that is gone").at(&path);
        findings.add(finding.line(number, offset).of(id));
    }
    report
}
