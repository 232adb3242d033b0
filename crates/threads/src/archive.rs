//! Archiving, unarchiving and deleting: a thread's flag is the folder that its rollout lies in.

use std::{fs, io, path::Path, time::SystemTime};

use rollout::{Located, Place, ThreadId};

use crate::{
    StoredThread, ThreadError, ThreadManager, files::make_private_folder, journal::Entry, manager::Stores,
};

impl ThreadManager {
    /// Moves an active thread among the archived ones.
    pub async fn archive(&self, id: ThreadId) -> Result<(), ThreadError> {
        let found = self.require(id, Place::Active).await?;
        self.blocking(move |stores| {
            let archived = stores.home.archived_path(&found.name);
            move_file(&found.path, &archived)
        })
        .await
    }

    /// Moves an archived thread back to the day folder that its name tells, and returns it.
    ///
    /// Its time of change becomes now, so that it comes first where threads are listed by it.
    pub async fn unarchive(&self, id: ThreadId) -> Result<StoredThread, ThreadError> {
        let found = self.find(id, Place::Archived).await?.ok_or(ThreadError::NotArchived(id))?;
        self.blocking(move |stores| {
            let active = stores.home.active_path(&found.name);
            move_file(&found.path, &active)?;
            touch(&active).map_err(ThreadError::io("touch", &active))?;
            stores.load(active, false)
        })
        .await
    }

    /// Removes a thread, active or archived, every file of it and what is journaled about it.
    pub async fn delete(&self, id: ThreadId) -> Result<(), ThreadError> {
        self.require(id, Place::Anywhere).await?;
        self.blocking(move |stores| {
            stores.remove_files(id)?;
            stores.forget(id);
            Ok(())
        })
        .await
    }
}

impl Stores {
    /// Removes until no file of the id is left: a thread that was reverted by another program has several.
    fn remove_files(&self, id: ThreadId) -> Result<(), ThreadError> {
        while let Some(Located { path, .. }) = self.find_by_name(id, Place::Anywhere)? {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ThreadError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes that a thread is gone. Where that fails the thread is gone all the same, and what is left is nobody's.
    fn forget(&self, id: ThreadId) {
        if !self.journal.with(|journal| journal.knows(id)) {
            return;
        }
        if let Err(error) = self.journal.note(|_, _| Ok((vec![Entry::ThreadDeleted { thread_id: id }], ()))) {
            tracing::warn!(%error, "thread {id} is deleted, but the journal does not know it");
        }
    }
}

/// Moves a rollout; what stands at the new name already is not replaced.
fn move_file(from: &Path, to: &Path) -> Result<(), ThreadError> {
    if let Some(folder) = to.parent() {
        make_private_folder(folder).map_err(ThreadError::io("make", folder))?;
    }
    if to.symlink_metadata().is_ok() {
        return Err(ThreadError::io("replace", to)(io::ErrorKind::AlreadyExists.into()));
    }
    fs::rename(from, to).map_err(ThreadError::io("move", from))
}

fn touch(path: &Path) -> io::Result<()> {
    fs::File::options().append(true).open(path)?.set_modified(SystemTime::now())
}
