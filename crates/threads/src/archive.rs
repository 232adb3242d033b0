//! Archiving, unarchiving and deleting: a thread's flag is the folder that its rollout lies in.

use std::{fs, io, path::Path, time::SystemTime};

use rollout::{Located, Place, ThreadId};

use crate::{StoredThread, ThreadError, ThreadManager, journal::Entry, manager::Stores};

impl ThreadManager {
    /// Moves an active thread among the archived ones, every file of it.
    pub async fn archive(&self, id: ThreadId) -> Result<(), ThreadError> {
        let found = self.require(id, Place::Active).await?;
        self.blocking(move |stores| {
            for piece in stores.pieces(found)? {
                stores.move_file(&piece.path, &stores.home.archived_path(&piece.name))?;
            }
            Ok(())
        })
        .await
    }

    /// Moves an archived thread back to the day folder that its name tells, and returns it.
    ///
    /// Its time of change becomes now, so that it comes first where threads are listed by it.
    pub async fn unarchive(&self, id: ThreadId) -> Result<StoredThread, ThreadError> {
        let found = self.find(id, Place::Archived).await?.ok_or(ThreadError::NotArchived(id))?;
        self.blocking(move |stores| {
            let newest = stores.home.active_path(&found.name);
            for piece in stores.pieces(found)? {
                stores.move_file(&piece.path, &stores.home.active_path(&piece.name))?;
            }
            touch(&newest).map_err(ThreadError::io("touch", &newest))?;
            stores.load(newest, false)
        })
        .await
    }

    /// Removes a thread, active or archived, every file of it and what is journaled about it.
    pub async fn delete(&self, id: ThreadId) -> Result<(), ThreadError> {
        let found = self.require(id, Place::Anywhere).await?;
        self.blocking(move |stores| {
            stores.remove_file(&found.path)?;
            stores.remove_files(id)?;
            stores.forget(id);
            Ok(())
        })
        .await
    }
}

impl Stores {
    /// Returns the files of a thread, of which one was found: the newest comes first, so that a move that is broken off
    /// leaves the thread where its newest file is. A file that is named after another id is a thread by itself.
    fn pieces(&self, found: Located) -> Result<Vec<Located>, ThreadError> {
        let place = if found.archived { Place::Archived } else { Place::Active };
        let pieces = rollout::pieces(&self.home, found.name.id, place);
        let mut pieces = pieces.map_err(ThreadError::io("search", self.home.root()))?;
        pieces.retain(|piece| piece.path != found.path);
        pieces.push(found);
        pieces.reverse();
        Ok(pieces)
    }

    /// Removes every file that is named after a thread, wherever it lies.
    fn remove_files(&self, id: ThreadId) -> Result<(), ThreadError> {
        for place in [Place::Active, Place::Archived] {
            let pieces = rollout::pieces(&self.home, id, place);
            for piece in pieces.map_err(ThreadError::io("search", self.home.root()))? {
                self.remove_file(&piece.path)?;
            }
        }
        Ok(())
    }

    /// Removes a file; one that is gone already is no failure.
    fn remove_file(&self, path: &Path) -> Result<(), ThreadError> {
        self.home.disk().remove(path).map_err(ThreadError::io("remove", path))
    }

    /// Moves a rollout; what stands at the new name already is not replaced.
    fn move_file(&self, from: &Path, to: &Path) -> Result<(), ThreadError> {
        let disk = self.home.disk();
        if let Some(folder) = to.parent() {
            disk.make_folder(folder).map_err(ThreadError::io("make", folder))?;
        }
        if to.symlink_metadata().is_ok() {
            return Err(ThreadError::io("replace", to)(io::ErrorKind::AlreadyExists.into()));
        }
        fs::rename(from, to).map_err(ThreadError::io("move", from))?;
        disk.named(to);
        disk.named(from);
        Ok(())
    }

    /// Notes that a thread is gone. Where that fails the thread is gone all the same, and what is left is nobody's.
    fn forget(&self, id: ThreadId) {
        if let Err(error) = self.inbox(id).clear() {
            tracing::warn!(%error, "thread {id} is deleted, but not its inbox");
        }
        if !self.journal.with(|journal| journal.knows(id)) {
            return;
        }
        if let Err(error) = self.journal.note(|_, _| Ok((vec![Entry::ThreadDeleted { thread_id: id }], ()))) {
            tracing::warn!(%error, "thread {id} is deleted, but the journal does not know it");
        }
    }
}

fn touch(path: &Path) -> io::Result<()> {
    fs::File::options().append(true).open(path)?.set_modified(SystemTime::now())
}
