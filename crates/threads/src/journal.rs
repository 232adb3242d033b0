//! `skein/journal.jsonl`: what clients set about threads and what belongs to no rollout, one entry a line.
//!
//! Invariant: entries are only ever appended, so an entry of a kind that is not known here is passed over and kept.
//! What they add up to is kept in memory, one file of this module for each part of it; two servers that read the same
//! lines know the same.

mod attachments;
mod git;
mod goals;
mod sections;

use chrono::{DateTime, Utc};
use rollout::{GitInfo, Home, ThreadId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{attachments::Attachments, git::Git, goals::Goals, sections::Sections};
pub(crate) use self::{attachments::Noted, goals::Used};
use crate::{
    AttachmentId, AttachmentIdentity, Goal, Section, SectionId, ThreadError,
    log::{Fold, Log, Span},
};

/// One line.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) timestamp: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) entry: Entry,
}

/// What a client set, or a turn put down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// The git metadata of a thread.
    Git {
        thread_id: ThreadId,
        /// The whole of it as it stands after the patch; absent when everything was cleared.
        git: Option<GitInfo>,
    },
    /// A section, new or changed, as a whole.
    Section(Section),
    /// A section is gone; its threads are in none.
    SectionDeleted { section_id: SectionId },
    /// A thread's section, and what it stands before there.
    SectionMove { thread_id: ThreadId, section_id: Option<SectionId>, before_thread_id: Option<ThreadId> },
    /// A thread has something attached.
    Attachment {
        thread_id: ThreadId,
        id: AttachmentId,
        #[serde(flatten)]
        identity: AttachmentIdentity,
        payload: Value,
    },
    /// A thread has something attached no more.
    AttachmentRemoved {
        thread_id: ThreadId,
        #[serde(flatten)]
        identity: AttachmentIdentity,
    },
    /// A thread's goal as a client left it, as a whole.
    Goal { thread_id: ThreadId, goal: Goal },
    /// A turn was for a thread's goal; this is what was used for it by then.
    GoalSpent {
        thread_id: ThreadId,
        #[serde(flatten)]
        used: Used,
    },
    /// A thread has no goal any more.
    GoalCleared { thread_id: ThreadId },
    /// A thread is gone, and with it all that was set about it.
    ThreadDeleted { thread_id: ThreadId },
}

/// What all entries add up to.
#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) git: Git,
    pub(crate) sections: Sections,
    pub(crate) attachments: Attachments,
    pub(crate) goals: Goals,
}

pub(crate) fn open(home: &Home) -> Log<Journal> {
    Log::new(home.disk().clone(), home.skein().join("journal.jsonl"))
}

impl Fold for Journal {
    fn fold(&mut self, line: &[u8], at: Span) {
        let Ok(Line { timestamp, entry }) = serde_json::from_slice(line) else { return };
        match entry {
            Entry::Git { thread_id, git } => self.git.set(thread_id, timestamp, git),
            Entry::Section(section) => self.sections.put(section),
            Entry::SectionDeleted { section_id } => self.sections.delete(&section_id),
            Entry::SectionMove { thread_id, section_id, before_thread_id } => {
                self.sections.place(thread_id, section_id, before_thread_id, timestamp);
            }
            Entry::Attachment { thread_id, id, identity, payload: _ } => {
                self.attachments.add(
                    thread_id,
                    identity,
                    Noted { id, created_at: timestamp.timestamp(), at },
                );
            }
            Entry::AttachmentRemoved { thread_id, identity } => self.attachments.remove(thread_id, &identity),
            Entry::Goal { thread_id, goal } => self.goals.put(thread_id, goal),
            Entry::GoalSpent { thread_id, used } => self.goals.spend(thread_id, used, timestamp),
            Entry::GoalCleared { thread_id } => self.goals.forget(thread_id),
            Entry::ThreadDeleted { thread_id } => self.forget(thread_id),
        }
    }
}

impl Journal {
    /// Tells whether anything is set about a thread.
    pub(crate) fn knows(&self, thread: ThreadId) -> bool {
        self.git.knows(thread)
            || self.sections.placed(thread).is_some()
            || self.attachments.count(thread) > 0
            || self.goals.get(thread).is_some()
    }

    fn forget(&mut self, thread: ThreadId) {
        self.git.forget(thread);
        self.sections.forget(thread);
        self.attachments.forget(thread);
        self.goals.forget(thread);
    }
}

impl Log<Journal> {
    /// Decides on the state as it is what to write, alone among all servers of the home, and writes it.
    ///
    /// The entries are on disk when this returns; where nothing is decided on, nothing is written.
    pub(crate) fn note<T>(
        &self,
        decide: impl FnOnce(&Journal, DateTime<Utc>) -> Result<(Vec<Entry>, T), ThreadError>,
    ) -> Result<T, ThreadError> {
        let mut held = self.hold().map_err(ThreadError::io("open", self.path()))?;
        let timestamp = Utc::now();
        let decided = held.with(|journal| decide(journal, timestamp));
        let (entries, result) = decided.map_err(ThreadError::io("read", self.path()))??;
        if !entries.is_empty() {
            let lines: Vec<_> = entries.into_iter().map(|entry| Line { timestamp, entry }).collect();
            held.append(&lines).map_err(ThreadError::io("append to", self.path()))?;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;
    use crate::GoalStatus;

    fn goal() -> Goal {
        Goal {
            objective: "ship\nit".to_owned(),
            status: GoalStatus::UsageLimited,
            token_budget: Some(i64::MAX),
            tokens_used: 7,
            time_used_ms: 1500,
            created_at: Utc::now(),
            updated_at: Utc::now(),
        }
    }

    #[test]
    fn an_entry_reads_as_it_was_written() {
        let (thread_id, section) = (ThreadId::new(), Section::new("Work", None));
        let identity = AttachmentIdentity::checked("pr", "k").unwrap();
        let goal = goal();
        for entry in [
            Entry::Git {
                thread_id,
                git: Some(GitInfo { branch: Some("main".into()), ..GitInfo::default() }),
            },
            Entry::Git { thread_id, git: None },
            Entry::Section(section.clone()),
            Entry::SectionDeleted { section_id: section.id.clone() },
            Entry::SectionMove { thread_id, section_id: Some(section.id), before_thread_id: Some(thread_id) },
            Entry::SectionMove { thread_id, section_id: None, before_thread_id: None },
            Entry::Attachment {
                thread_id,
                id: AttachmentId::new(),
                identity: identity.clone(),
                payload: json!({ "type": "x", "timestamp": [null, 1.5, u64::MAX] }),
            },
            Entry::AttachmentRemoved { thread_id, identity },
            Entry::Goal { thread_id, goal: goal.clone() },
            Entry::GoalSpent { thread_id, used: Used::of(&goal) },
            Entry::GoalCleared { thread_id },
            Entry::ThreadDeleted { thread_id },
        ] {
            let line = serde_json::to_vec(&Line { timestamp: Utc::now(), entry: entry.clone() }).unwrap();
            assert_eq!(serde_json::from_slice::<Line>(&line).unwrap().entry, entry);
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(&Home::new(folder.path().to_owned()));
        let thread_id = ThreadId::new();
        let unknown =
            json!({ "timestamp": "2030-01-01T00:00:00Z", "type": "from_the_future", "thread_id": 5 });
        journal.hold().unwrap().append(std::slice::from_ref(&unknown)).unwrap();
        journal.note(|_, _| Ok((vec![Entry::Git { thread_id, git: None }], ()))).unwrap();
        assert!(journal.with(|journal| journal.knows(thread_id)));
        let text = std::fs::read_to_string(journal.path()).unwrap();
        assert_eq!(text.lines().next(), Some(unknown.to_string().as_str()));
    }

    #[test]
    fn a_deleted_thread_leaves_nothing() {
        let (mut journal, thread_id, section) = (Journal::default(), ThreadId::new(), Section::pinned());
        let identity = AttachmentIdentity::checked("pr", "k").unwrap();
        let mut fold = |entry: Entry| {
            let line = serde_json::to_vec(&Line { timestamp: Utc::now(), entry }).unwrap();
            journal.fold(&line, Span::default());
            journal.knows(thread_id)
        };
        for entry in [
            Entry::Git { thread_id, git: None },
            Entry::SectionMove { thread_id, section_id: Some(section.id), before_thread_id: None },
            Entry::Attachment { thread_id, id: AttachmentId::new(), identity, payload: Value::Null },
            Entry::Goal { thread_id, goal: goal() },
        ] {
            assert!(fold(entry.clone()), "{entry:?}");
            assert!(!fold(Entry::ThreadDeleted { thread_id }), "{entry:?}");
        }
    }
}
