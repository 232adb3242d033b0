//! Git metadata: `{sha, branch, originUrl}` on the wire, `{commit_hash, branch, repository_url}` in a rollout.

use protocol::{GitInfo, PatchField, ThreadMetadataGitInfoUpdateParams};
use threads::{GitPatch, Patch, StoredThread};

/// Returns a thread's git metadata; none where no field of it is set.
pub(crate) fn git_info(thread: &StoredThread) -> Option<GitInfo> {
    let git = thread.git()?;
    Some(GitInfo {
        sha: git.commit_hash.clone(),
        branch: git.branch.clone(),
        origin_url: git.repository_url.clone(),
    })
}

/// Reads a patch; what is missing changes nothing, and a patch of nothing is refused further down.
pub(crate) fn git_info_patch(patch: Option<ThreadMetadataGitInfoUpdateParams>) -> GitPatch {
    let ThreadMetadataGitInfoUpdateParams { sha, branch, origin_url } = patch.unwrap_or_default();
    GitPatch { sha: field(sha), branch: field(branch), origin_url: field(origin_url) }
}

fn field(patch: PatchField<String>) -> Patch {
    match patch {
        PatchField::Keep => Patch::Keep,
        PatchField::Clear => Patch::Clear,
        PatchField::Set(text) => Patch::Set(text),
    }
}
