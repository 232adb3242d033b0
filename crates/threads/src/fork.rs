//! Forking: a new rollout with the history of another, whole or up to a turn.

use std::path::PathBuf;

use history::{Cut, Turns};
use items::ResponseItem;
use rollout::{Segment, SessionMeta};

use crate::{StoredThread, ThreadError, ThreadManager, manager::Stores, read::MAX_TURNS};

/// How much of the history a fork gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForkCut {
    /// All of it.
    Nowhere,
    /// Up to this turn, and it too.
    Through(String),
    /// Up to this turn, without it.
    Before(String),
}

impl ThreadManager {
    /// Writes the rollout of a fork: its own session record, then the lines of the source as they are.
    ///
    /// The fork stands by itself: the source may be archived, deleted or moved. What is attached to the source is
    /// attached to the fork too; its name and its section are not the fork's.
    pub async fn fork(
        &self,
        source: &StoredThread,
        meta: SessionMeta,
        path: PathBuf,
        cut: ForkCut,
    ) -> Result<StoredThread, ThreadError> {
        let (id, from) = (source.id(), source.path.clone());
        self.blocking(move |stores| {
            let segments = stores.kept(&from, &cut)?;
            // First, so that there is no fork without them; of a thread that never was, they are nobody's.
            stores.copy_attachments(id, meta.id)?;
            drop(rollout::fork(stores.home.disk(), &segments, &path, meta)?);
            stores.load(path, /*archived*/ false)
        })
        .await
    }

    /// Returns what a fork that is kept nowhere begins with: its turns, and what its model knows.
    pub async fn fork_in_memory(
        &self,
        source: &StoredThread,
        cut: ForkCut,
    ) -> Result<(Turns, Vec<ResponseItem>), ThreadError> {
        let from = source.path.clone();
        self.blocking(move |stores| {
            let segments = stores.kept(&from, &cut)?;
            Ok((history::turns(&segments, None, MAX_TURNS)?, history::context(&segments)?.items))
        })
        .await
    }
}

impl Stores {
    fn kept(&self, path: &std::path::Path, cut: &ForkCut) -> Result<Vec<Segment>, ThreadError> {
        let segments = rollout::segments(&self.home, path)?;
        Ok(match cut {
            ForkCut::Nowhere => segments,
            ForkCut::Through(turn) => history::fork_cut(&segments, Cut::Through(turn))?,
            ForkCut::Before(turn) => history::fork_cut(&segments, Cut::Before(turn))?,
        })
    }
}
