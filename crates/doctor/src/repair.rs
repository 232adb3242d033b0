//! Building what is ours anew.
//!
//! Invariant: no rollout and no log is changed, whatever is wrong with it; a damaged line is kept for whoever can read it.

use std::path::PathBuf;

use rollout::Home;
use serde::Serialize;
use state::chain;

use crate::{Code, IndexState, Report};

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "index", rename_all = "camelCase")]
pub enum Repair {
    /// Nothing: the index was in order.
    #[serde(rename_all = "camelCase")]
    NotNeeded,
    /// The index was built anew.
    #[serde(rename_all = "camelCase")]
    Rebuilt {
        /// Where the old one lies, if there was one.
        set_aside: Option<PathBuf>,
    },
    /// The index is as it was.
    #[serde(rename_all = "camelCase")]
    LeftAlone {
        /// Why.
        reason: String,
    },
}

/// Builds the index anew if the report of a check says that it needs it; servers may run meanwhile.
pub async fn repair(report: &Report, progress: impl Fn(state::Progress)) -> Repair {
    if !needs_rebuild(report) {
        return Repair::NotNeeded;
    }
    match state::rebuild(&Home::new(report.home.clone()), progress).await {
        Ok(set_aside) => Repair::Rebuilt { set_aside },
        Err(error) => Repair::LeftAlone { reason: chain(&error) },
    }
}

fn needs_rebuild(report: &Report) -> bool {
    const ROWS: [Code; 5] =
        [Code::RowMissing, Code::RowOrphaned, Code::RowDiffers, Code::FolderDiffers, Code::IndexIncomplete];
    match report.index.state {
        IndexState::Readable => ROWS.iter().any(|code| report.finding_counts.contains_key(code)),
        IndexState::Missing => report.rollouts.files > 0,
        IndexState::Damaged | IndexState::Newer | IndexState::Locked | IndexState::Unusable => true,
    }
}
