//! What is attached to which thread; payloads stay in the journal, since nobody says how many there will be.

use std::collections::{BTreeMap, HashMap};

use rollout::ThreadId;

use crate::{AttachmentId, AttachmentIdentity, log::Span};

/// The attachments of each thread, one of each identity.
#[derive(Default)]
pub(crate) struct Attachments(HashMap<ThreadId, BTreeMap<AttachmentIdentity, Noted>>);

/// An attachment as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) id: AttachmentId,
    /// Unix seconds.
    pub(crate) created_at: i64,
    /// Where the whole of it stands.
    pub(crate) at: Span,
}

impl Attachments {
    /// Returns what a thread has of an identity.
    pub(crate) fn get(&self, thread: ThreadId, identity: &AttachmentIdentity) -> Option<&Noted> {
        self.0.get(&thread)?.get(identity)
    }

    /// Counts what a thread has.
    pub(crate) fn count(&self, thread: ThreadId) -> usize {
        self.0.get(&thread).map_or(0, BTreeMap::len)
    }

    /// Returns what a thread has, oldest first.
    pub(crate) fn of(&self, thread: ThreadId) -> Vec<Noted> {
        let mut all: Vec<_> = self.0.get(&thread).into_iter().flat_map(BTreeMap::values).cloned().collect();
        all.sort_by_key(|noted| (noted.created_at, noted.id));
        all
    }

    /// Returns the threads that have something of an identity, in the order of their ids.
    pub(crate) fn owners(&self, identity: &AttachmentIdentity) -> Vec<ThreadId> {
        let having = self.0.iter().filter(|(_, attached)| attached.contains_key(identity));
        let mut threads: Vec<_> = having.map(|(thread, _)| *thread).collect();
        threads.sort();
        threads
    }

    /// Takes in an attachment; of two with one identity the first counts.
    pub(super) fn add(&mut self, thread: ThreadId, identity: AttachmentIdentity, noted: Noted) {
        self.0.entry(thread).or_default().entry(identity).or_insert(noted);
    }

    pub(super) fn remove(&mut self, thread: ThreadId, identity: &AttachmentIdentity) {
        if let Some(attached) = self.0.get_mut(&thread) {
            attached.remove(identity);
        }
    }

    pub(super) fn forget(&mut self, thread: ThreadId) {
        self.0.remove(&thread);
    }
}
