//! Git facts of a working folder, asked of the `git` program once when a thread starts.

use std::{path::Path, process::Stdio, time::Duration};

use rollout::GitInfo;
use tokio::process::Command;

/// How long all facts together may take; a thread is never held up longer by a slow file system.
const DEADLINE: Duration = Duration::from_secs(2);

/// Returns the commit, branch and remote of the repository around `cwd`; `None` outside of one.
pub(crate) async fn facts(cwd: &Path) -> Option<GitInfo> {
    tools::repository_root(cwd)?;
    let asked = async {
        tokio::join!(
            ask(cwd, &["rev-parse", "--verify", "HEAD"]),
            ask(cwd, &["symbolic-ref", "--short", "HEAD"]),
            ask(cwd, &["config", "--get", "remote.origin.url"]),
        )
    };
    let (commit_hash, branch, repository_url) = tokio::time::timeout(DEADLINE, asked).await.ok()?;
    let git = GitInfo { commit_hash, branch, repository_url, ..GitInfo::default() };
    (!git.is_empty()).then_some(git)
}

/// Returns the commit where the work in a folder left a branch.
pub(crate) async fn merge_base(cwd: &Path, branch: &str) -> Option<String> {
    // A branch that begins like an option is none.
    let branch = format!("refs/heads/{branch}");
    let remote = branch.replacen("refs/heads", "refs/remotes", 1);
    for name in [branch, remote] {
        let question = ["merge-base", "HEAD", &name];
        if let Ok(Some(base)) = tokio::time::timeout(DEADLINE, ask(cwd, &question)).await {
            return Some(base);
        }
    }
    None
}

/// Asks one question. An untrusted repository's config must not run programs, and asking must not write.
async fn ask(cwd: &Path, question: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(question)
        .current_dir(cwd)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !answer.trim().is_empty()).then(|| answer.trim().to_owned())
}
