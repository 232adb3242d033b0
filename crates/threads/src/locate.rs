//! Finding the rollout of a thread: the index where it helps, the files where it does not.

use std::path::Path;

use rollout::{Located, Place, RolloutName, ThreadId};
use state::ThreadRow;

use crate::{ThreadError, ThreadManager, manager::Stores};

impl ThreadManager {
    /// Finds a thread among the active or the archived ones, or `None`.
    ///
    /// The index is believed only as far as the file is where it says; a thread that it does not know, or knows
    /// elsewhere, is looked for by file name.
    pub(crate) async fn find(&self, id: ThreadId, place: Place) -> Result<Option<Located>, ThreadError> {
        let row = self.indexed(id).await;
        self.blocking(move |stores| {
            if let Some(found) = row.and_then(|row| still_there(row, place)) {
                return Ok(Some(found));
            }
            stores.find_by_name(id, place)
        })
        .await
    }

    pub(crate) async fn require(&self, id: ThreadId, place: Place) -> Result<Located, ThreadError> {
        self.find(id, place).await?.ok_or(ThreadError::NotFound(id))
    }

    /// Finds an active thread; one that is archived is an error of its own.
    pub(crate) async fn require_unarchived(&self, id: ThreadId) -> Result<Located, ThreadError> {
        match self.require(id, Place::Anywhere).await? {
            found if found.archived => Err(ThreadError::Archived(id)),
            found => Ok(found),
        }
    }

    /// Checks that a thread of this id is stored, active or archived.
    pub async fn require_stored(&self, id: ThreadId) -> Result<(), ThreadError> {
        self.require(id, Place::Anywhere).await.map(drop)
    }

    /// Checks that an active thread of this id is stored.
    pub async fn require_active(&self, id: ThreadId) -> Result<(), ThreadError> {
        self.require(id, Place::Active).await.map(drop)
    }
}

impl Stores {
    pub(crate) fn find_by_name(&self, id: ThreadId, place: Place) -> Result<Option<Located>, ThreadError> {
        rollout::find(&self.home, id, place).map_err(ThreadError::io("search", self.home.root()))
    }
}

fn still_there(row: ThreadRow, place: Place) -> Option<Located> {
    let wanted = match place {
        Place::Active => !row.archived,
        Place::Archived => row.archived,
        Place::Anywhere => true,
    };
    let name = RolloutName::parse(row.path.file_name()?.to_str()?)?;
    (wanted && is_file(&row.path)).then_some(Located { path: row.path, name, archived: row.archived })
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_file())
}
