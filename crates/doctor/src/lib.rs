//! A home looked over: what is damaged, what differs, what is left behind, and what other programs would choke on.
//!
//! - [`check`] looks at everything in a home and returns a [`Report`]; it makes, writes and locks nothing in there.
//! - [`repair`] builds the index anew where a report says that it needs it, and changes nothing else.
//! - [`Finding`] is one thing to know, with a stable [`Code`].
//!
//! The path of one check: `index` has the database copied (crate `state`), `files` walks the rollouts folder by folder
//! and reads each once, line by line; `compare` holds its row against what was read; `logs` and `leftovers` look at the
//! rest. Memory grows by some 50 bytes a file and with the longest line, not with the size of files.
//!
//! Invariant: a home that is in use is in order: what changed since the index last did is no fault, since the next list
//! brings its row along.
//! Not here: printing, arguments, exit codes.

mod compare;
mod error;
mod files;
mod findings;
mod index;
mod leftovers;
mod logs;
mod peers;
mod repair;
mod report;
mod rollouts;
mod text;

use std::path::Path;

use rollout::Home;

pub use error::DoctorError;
pub use findings::{Code, Finding, Severity};
pub use repair::{Repair, repair};
pub use report::{Disk, IndexReport, IndexState, LogReport, Peers, Report, Rollouts, Usage};

use crate::{files::Files, findings::Findings, index::Index};

/// How far a check is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many rollouts were read.
    pub files: u64,
    /// How many bytes of them.
    pub bytes: u64,
}

/// Looks at everything in a home; the index is copied to a folder below `scratch` for that.
///
/// Fails where the home cannot be looked at at all.
pub async fn check(
    home: &Path,
    scratch: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<Report, DoctorError> {
    let root = home.canonicalize().map_err(DoctorError::io("find", home))?;
    if !root.is_dir() {
        return Err(DoctorError::io("list", home)(std::io::ErrorKind::NotADirectory.into()));
    }
    let home = Home::new(root);
    let mut findings = Findings::new(&home);
    let mut index = Index::open(&home, scratch, &mut findings).await;
    let mut files = Files::default();
    rollouts::check(&home, &mut index, &mut files, &mut findings, &mut progress).await;
    files.check_together(&home, &mut findings);
    let journal = logs::check_journal(&home, &files, &mut findings);
    let names = logs::check_names(&home, &files, &mut findings);
    leftovers::check(&home, &mut findings);
    let index = index.close(files.count(), &mut findings).await;
    let (findings, counts) = findings.close();
    Ok(Report {
        version: report::VERSION,
        home: home.root().to_owned(),
        healthy: findings.iter().all(|finding| finding.severity == Severity::Note),
        rollouts: files.rollouts(),
        index,
        journal,
        names,
        disk: files.disk(),
        peers: files.peers(),
        findings,
        finding_counts: counts,
    })
}

#[cfg(test)]
mod tests;
