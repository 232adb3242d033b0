//! Threads and their status.

use agent::{Snapshot, Status, Waiting};
use protocol::{
    SessionSource, SubAgentSource, Thread, ThreadActiveFlag, ThreadHistoryMode, ThreadStatus, Turn,
};
use threads::StoredThread;

use crate::wire::{self, settings};

/// Whether a thread is loaded, and how.
pub(crate) enum Loaded<'a> {
    /// In no memory of this server.
    No,
    /// In memory.
    Yes(&'a Snapshot),
}

/// What beside the stored thread goes into the wire form.
pub(crate) struct ThreadParts<'a> {
    /// Whether it is loaded.
    pub(crate) loaded: Loaded<'a>,
    /// What a rollout without a provider counts as.
    pub(crate) default_provider: &'a str,
    /// Its turns, where they are to be given.
    pub(crate) turns: Vec<Turn>,
}

/// Builds the wire form of a thread.
pub(crate) fn thread(stored: &StoredThread, parts: ThreadParts<'_>) -> Thread {
    let ThreadParts { loaded, default_provider, turns } = parts;
    let summary = &stored.summary;
    let source = wire::session_source(&summary.source);
    let (agent_nickname, agent_role) = agent(&source);
    let ephemeral = matches!(&loaded, Loaded::Yes(snapshot) if snapshot.ephemeral);
    let updated_at = stored.updated_at().timestamp();
    Thread {
        id: summary.id.to_string(),
        session_id: summary.id.to_string(),
        forked_from_id: summary.forked_from.map(|id| id.to_string()),
        parent_thread_id: summary.parent.map(|id| id.to_string()),
        preview: summary.preview.clone().unwrap_or_default(),
        ephemeral,
        section: stored.section.as_ref().map(|placed| wire::section(placed.section.clone())),
        section_entered_at: stored.section.as_ref().map(|placed| placed.entered_at.timestamp()),
        history_mode: match summary.history_mode.as_deref() {
            Some("paginated") => ThreadHistoryMode::Paginated,
            _ => ThreadHistoryMode::Legacy,
        },
        model_provider: summary.model_provider.clone().unwrap_or_else(|| default_provider.to_owned()),
        model: summary.model.clone(),
        reasoning_effort: summary.reasoning_effort.as_deref().map(settings::effort),
        created_at: summary.created_at.timestamp(),
        updated_at,
        recency_at: Some(updated_at),
        status: match loaded {
            Loaded::No => ThreadStatus::NotLoaded,
            Loaded::Yes(snapshot) => status(&snapshot.status),
        },
        path: (!ephemeral).then(|| stored.path.to_string_lossy().into_owned()),
        cwd: summary.cwd.clone(),
        cli_version: summary.cli_version.clone(),
        source,
        thread_source: None,
        originator: Some(summary.originator.clone()),
        agent_nickname,
        agent_role,
        git_info: wire::git_info(stored),
        name: stored.name.clone(),
        project_id: None,
        turns,
    }
}

/// Builds the wire form of a loaded thread's status.
pub(crate) fn status(status: &Status) -> ThreadStatus {
    match status {
        Status::Idle => ThreadStatus::Idle,
        Status::Active(waiting) => ThreadStatus::Active { active_flags: flags(*waiting) },
        Status::SystemError => ThreadStatus::SystemError,
    }
}

fn flags(waiting: Waiting) -> Vec<ThreadActiveFlag> {
    let Waiting { approval, user_input } = waiting;
    let flags =
        [(approval, ThreadActiveFlag::WaitingOnApproval), (user_input, ThreadActiveFlag::WaitingOnUserInput)];
    flags.into_iter().filter(|(waits, _)| *waits).map(|(_, flag)| flag).collect()
}

fn agent(source: &SessionSource) -> (Option<String>, Option<String>) {
    match source {
        SessionSource::SubAgent(SubAgentSource::ThreadSpawn { agent_nickname, agent_role, .. }) => {
            (agent_nickname.clone(), agent_role.clone())
        }
        _ => (None, None),
    }
}
