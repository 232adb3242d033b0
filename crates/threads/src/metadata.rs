//! Patching what clients store about a thread: its git metadata.

use chrono::Utc;
use rollout::{GitInfo, Place, ThreadId};

use crate::{
    StoredThread, ThreadError, ThreadManager,
    journal::{Entry, Line},
    manager::Stores,
    read,
};

/// What to do with one stored field.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Patch<T = String> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Remove it.
    Clear,
    /// Replace it.
    Set(T),
}

/// A patch of a thread's git metadata.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GitPatch {
    /// The commit.
    pub sha: Patch,
    /// The branch.
    pub branch: Patch,
    /// The URL of the remote.
    pub origin_url: Patch,
}

impl ThreadManager {
    /// Patches the git metadata of a stored thread, active or archived, and returns the thread as it now reads.
    ///
    /// The patched record is in the rollout, and noted in the journal, when this returns. The index row is brought
    /// along through whichever handle opens; where none does, the next open repairs it from the rollout.
    pub async fn update_git_info(&self, id: ThreadId, patch: GitPatch) -> Result<StoredThread, ThreadError> {
        let patch = patch.checked()?;
        let found = self.require(id, Place::Anywhere).await?;
        let row = self
            .blocking(move |stores| {
                stores.patch_git(&found.path, &patch)?;
                read::row(found.path, found.archived)
            })
            .await?;
        self.bring_along(row.clone()).await;
        Ok(self.stores.stored(row))
    }
}

impl Stores {
    /// Appends the patched session record and notes it in the journal, alone among all servers of the home.
    ///
    /// The journal is held over both, so that of two patches at once each sees what the other left. Where it cannot
    /// be opened the rollout alone is enough.
    fn patch_git(&self, path: &std::path::Path, patch: &GitPatch) -> Result<(), ThreadError> {
        let mut journal = match self.journal.hold() {
            Ok(held) => Some(held),
            Err(error) => {
                tracing::warn!(%error, "the journal cannot be opened; the rollout alone takes the patch");
                None
            }
        };
        let mut summary = read::row(path.to_owned(), false)?.summary;
        let id = summary.id;
        self.journal.with(|journal| journal.git.merge(&mut summary));
        let git = patch.apply(summary.git.unwrap_or_default());
        rollout::append_meta(self.home.disk(), path, |meta| meta.git = Some(git.clone()))?;
        let noted = journal.as_mut().map(|held| {
            let entry = Entry::Git { thread_id: id, git: Some(git).filter(|git| !git.is_empty()) };
            held.append(&[Line { timestamp: Utc::now(), entry }])
        });
        if let Some(Err(error)) = noted {
            tracing::warn!(%error, "the patch of thread {id} is in the rollout, but not in the journal");
        }
        Ok(())
    }
}

impl GitPatch {
    /// Refuses a patch that says nothing, or that sets a field to a blank text.
    pub fn checked(self) -> Result<Self, ThreadError> {
        let trimmed = |name: &'static str, field: Patch| match field {
            Patch::Set(text) if text.trim().is_empty() => Err(ThreadError::BlankField(name)),
            Patch::Set(text) => Ok(Patch::Set(text.trim().to_owned())),
            other => Ok(other),
        };
        if self == Self::default() {
            return Err(ThreadError::EmptyPatch);
        }
        Ok(Self {
            sha: trimmed("sha", self.sha)?,
            branch: trimmed("branch", self.branch)?,
            origin_url: trimmed("originUrl", self.origin_url)?,
        })
    }

    /// Applies the patch to what is stored.
    pub fn apply(&self, mut git: GitInfo) -> GitInfo {
        let Self { sha, branch, origin_url } = self;
        sha.apply(&mut git.commit_hash);
        branch.apply(&mut git.branch);
        origin_url.apply(&mut git.repository_url);
        git
    }
}

impl<T: Clone> Patch<T> {
    pub(crate) fn apply(&self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_must_say_something() {
        let set = |text: &str| Patch::Set(text.to_owned());
        for (patch, refused) in [
            (GitPatch::default(), Some("gitInfo must include at least one field")),
            (GitPatch { branch: set(" "), ..GitPatch::default() }, Some("gitInfo.branch must not be empty")),
            (GitPatch { sha: set(""), ..GitPatch::default() }, Some("gitInfo.sha must not be empty")),
            (
                GitPatch { origin_url: set(""), ..GitPatch::default() },
                Some("gitInfo.originUrl must not be empty"),
            ),
            (GitPatch { branch: Patch::Clear, ..GitPatch::default() }, None),
        ] {
            assert_eq!(patch.checked().err().map(|e| e.to_string()).as_deref(), refused);
        }
    }
}
