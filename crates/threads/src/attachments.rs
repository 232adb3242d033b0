//! Attachments: small things that a client keeps with a thread, such as the pull request that it is about.
//!
//! They stand in the journal. Within a thread there is one of each type and key; whoever comes second gets the first.

use std::{fmt, io, str::FromStr};

use rollout::{Place, ThreadId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Page, ThreadError, ThreadManager,
    journal::{Entry, Line, Noted},
    manager::Stores,
};

/// How long a type or a key, how large a payload and how many attachments of a thread may be: the published server's
/// bounds, which keep the journal small.
const MAX_WORD: usize = 256;
const MAX_PAYLOAD: usize = 64 << 10;
const MAX_ATTACHMENTS: usize = 100;

/// What one attachment goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttachmentId(Uuid);

/// What a thread has at most one of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttachmentIdentity {
    /// What kind of thing it is, in the client's words.
    pub attachment_type: String,
    /// Which one of them, in the client's words.
    pub identity_key: String,
}

/// Something to attach, whose words and size are right.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAttachment {
    identity: AttachmentIdentity,
    payload: Value,
}

/// Something attached to a thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// What it goes by.
    pub id: AttachmentId,
    /// What there is one of.
    pub identity: AttachmentIdentity,
    /// The client's own.
    pub payload: Value,
    /// When it was attached, in Unix seconds.
    pub created_at: i64,
}

/// What a thread has after something was to be attached.
#[derive(Clone, Debug, PartialEq)]
pub enum Attached {
    /// The new attachment.
    Created(Attachment),
    /// The one that was there already, as it was.
    Existing(Attachment),
}

/// A thread that has an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachmentOwner {
    /// The thread.
    pub thread: ThreadId,
    /// Whether it is archived.
    pub archived: bool,
}

/// A place among the attachments of a thread, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttachmentPosition {
    /// When the attachment there was made, in Unix seconds.
    pub created_at: i64,
    /// The attachment there.
    pub id: AttachmentId,
}

impl ThreadManager {
    /// Attaches something to a stored thread, active or archived, unless the thread has one of its identity.
    pub async fn attach(&self, thread: ThreadId, new: NewAttachment) -> Result<Attached, ThreadError> {
        self.require(thread, Place::Anywhere).await?;
        self.blocking(move |stores| stores.attach(thread, new)).await
    }

    /// Removes what a stored thread has of an identity, and tells what that was.
    pub async fn detach(
        &self,
        thread: ThreadId,
        identity: AttachmentIdentity,
    ) -> Result<Option<AttachmentId>, ThreadError> {
        self.require(thread, Place::Anywhere).await?;
        self.blocking(move |stores| {
            stores.journal.note(|journal, _| {
                let Some(noted) = journal.attachments.get(thread, &identity) else {
                    return Ok((vec![], None));
                };
                Ok((vec![Entry::AttachmentRemoved { thread_id: thread, identity }], Some(noted.id)))
            })
        })
        .await
    }

    /// Returns a page of what is attached to a thread, oldest first; nothing for a thread that is not there.
    pub async fn attachments(
        &self,
        thread: ThreadId,
        after: Option<AttachmentPosition>,
        limit: u32,
    ) -> Result<Page<Attachment>, ThreadError> {
        self.blocking(move |stores| {
            let noted = stores.journal.with(|journal| journal.attachments.of(thread));
            let behind = |noted: &Noted| after.is_none_or(|after| noted.position() > after);
            let Page { items, more } = Page::of(noted.into_iter().filter(behind), limit);
            let items = items.into_iter().map(|noted| stores.attachment(noted)).collect::<Result<_, _>>()?;
            Ok(Page { items, more })
        })
        .await
    }

    /// Returns a page of the threads that have something of an identity, in the order of their ids: the archived
    /// ones, the others, or all.
    pub async fn attachment_owners(
        &self,
        identity: AttachmentIdentity,
        archived: Option<bool>,
        after: Option<ThreadId>,
        limit: u32,
    ) -> Result<Page<AttachmentOwner>, ThreadError> {
        let threads = self
            .blocking(move |stores| Ok(stores.journal.with(|journal| journal.attachments.owners(&identity))))
            .await?;
        let mut owners = Vec::new();
        for thread in threads.into_iter().filter(|thread| after.is_none_or(|after| *thread > after)) {
            if owners.len() > limit as usize {
                break;
            }
            // One that another program deleted owns nothing.
            let Some(found) = self.find(thread, Place::Anywhere).await? else { continue };
            if archived.is_none_or(|archived| archived == found.archived) {
                owners.push(AttachmentOwner { thread, archived: found.archived });
            }
        }
        Ok(Page::of(owners.into_iter(), limit))
    }
}

impl Stores {
    fn attach(&self, thread: ThreadId, new: NewAttachment) -> Result<Attached, ThreadError> {
        enum Decided {
            New(Attachment),
            There(Noted),
        }
        let NewAttachment { identity, payload } = new;
        let decided = self.journal.note(|journal, now| {
            if let Some(noted) = journal.attachments.get(thread, &identity) {
                return Ok((vec![], Decided::There(noted.clone())));
            }
            if journal.attachments.count(thread) >= MAX_ATTACHMENTS {
                return Err(ThreadError::TooManyAttachments(MAX_ATTACHMENTS));
            }
            let created_at = now.timestamp();
            let attachment = Attachment { id: AttachmentId::new(), identity, payload, created_at };
            Ok((vec![attachment.entry(thread)], Decided::New(attachment)))
        })?;
        match decided {
            Decided::New(created) => Ok(Attached::Created(created)),
            Decided::There(noted) => self.attachment(noted).map(Attached::Existing),
        }
    }

    /// Attaches to a thread that is about to be what another has.
    pub(crate) fn copy_attachments(&self, from: ThreadId, to: ThreadId) -> Result<(), ThreadError> {
        let noted = self.journal.with(|journal| journal.attachments.of(from));
        let copies = noted.into_iter().map(|noted| {
            let attachment = self.attachment(noted)?;
            Ok(Attachment { id: AttachmentId::new(), ..attachment }.entry(to))
        });
        let copies = copies.collect::<Result<Vec<_>, ThreadError>>()?;
        if copies.is_empty() {
            return Ok(());
        }
        self.journal.note(|_, _| Ok((copies, ())))
    }

    /// Reads an attachment where it stands.
    fn attachment(&self, noted: Noted) -> Result<Attachment, ThreadError> {
        let read = self.journal.line(noted.at).and_then(|line| match serde_json::from_slice(&line)? {
            Line { entry: Entry::Attachment { id, identity, payload, .. }, .. } if id == noted.id => {
                Ok(Attachment { id, identity, payload, created_at: noted.created_at })
            }
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the journal was replaced")),
        });
        read.map_err(ThreadError::io("read", self.journal.path()))
    }
}

impl AttachmentIdentity {
    /// Makes an identity of words that are not blank, and not too long.
    pub fn checked(
        attachment_type: impl Into<String>,
        identity_key: impl Into<String>,
    ) -> Result<Self, ThreadError> {
        Ok(Self {
            attachment_type: checked("attachmentType", attachment_type.into())?,
            identity_key: checked("identityKey", identity_key.into())?,
        })
    }
}

impl NewAttachment {
    /// Makes something to attach of a payload that is not too large.
    pub fn checked(identity: AttachmentIdentity, payload: Value) -> Result<Self, ThreadError> {
        match payload.to_string().len() {
            len if len > MAX_PAYLOAD => Err(ThreadError::LargePayload(MAX_PAYLOAD)),
            _ => Ok(Self { identity, payload }),
        }
    }
}

impl Attachment {
    /// Returns where among its thread's attachments this one is.
    pub fn position(&self) -> AttachmentPosition {
        AttachmentPosition { created_at: self.created_at, id: self.id }
    }

    fn entry(&self, thread_id: ThreadId) -> Entry {
        let Self { id, identity, payload, created_at: _ } = self.clone();
        Entry::Attachment { thread_id, id, identity, payload }
    }
}

impl Noted {
    fn position(&self) -> AttachmentPosition {
        AttachmentPosition { created_at: self.created_at, id: self.id }
    }
}

impl AttachmentId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl FromStr for AttachmentId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn checked(field: &'static str, word: String) -> Result<String, ThreadError> {
    if word.trim().is_empty() {
        return Err(ThreadError::EmptyWord(field));
    }
    match word.len() {
        len if len > MAX_WORD => Err(ThreadError::LongWord { field, max: MAX_WORD }),
        _ => Ok(word),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write, path::Path};

    use pretty_assertions::assert_eq;
    use rollout::Home;
    use serde_json::json;

    use super::*;

    fn stores(home: &Path) -> Stores {
        Stores::new(Home::new(home.to_owned()))
    }

    fn attach(stores: &Stores, thread: ThreadId, key: &str, payload: Value) -> Result<Attached, ThreadError> {
        let identity = AttachmentIdentity::checked("pr", key)?;
        stores.attach(thread, NewAttachment::checked(identity, payload)?)
    }

    fn payloads(stores: &Stores, thread: ThreadId) -> Vec<Value> {
        let noted = stores.journal.with(|journal| journal.attachments.of(thread));
        noted.into_iter().map(|noted| stores.attachment(noted).unwrap().payload).collect()
    }

    #[test]
    fn who_comes_second_gets_the_first_whichever_server_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other, thread) = (stores(folder.path()), stores(folder.path()), ThreadId::new());
        let Ok(Attached::Created(first)) = attach(&one, thread, "k", json!({ "n": [1, null] })) else {
            panic!()
        };
        assert_eq!(attach(&other, thread, "k", json!(2)).unwrap(), Attached::Existing(first.clone()));
        assert!(matches!(attach(&other, thread, "l", json!(3)), Ok(Attached::Created(_))));
        assert_eq!(payloads(&one, thread), [first.payload, json!(3)]);
    }

    #[test]
    fn damage_between_attachments_costs_none_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let (stores_, thread) = (stores(folder.path()), ThreadId::new());
        attach(&stores_, thread, "k", json!("ü")).unwrap();
        let mut journal = OpenOptions::new().append(true).open(stores_.journal.path()).unwrap();
        journal.write_all(b"\0\0\n\n{\"timestamp\":\"2030-01-01T00:00:00Z\",\"type\":\"attach").unwrap();
        attach(&stores_, thread, "l", json!(2)).unwrap();
        for stores in [&stores_, &stores(folder.path())] {
            assert_eq!(payloads(stores, thread), [json!("ü"), json!(2)]);
        }
    }

    #[test]
    fn a_copy_is_the_copys_own() {
        let folder = tempfile::tempdir().unwrap();
        let (stores, source, copy) = (stores(folder.path()), ThreadId::new(), ThreadId::new());
        stores.copy_attachments(source, copy).unwrap();
        assert!(!stores.journal.path().exists());
        attach(&stores, source, "k", json!(1)).unwrap();
        stores.copy_attachments(source, copy).unwrap();
        stores.journal.note(|_, _| Ok((vec![Entry::ThreadDeleted { thread_id: source }], ()))).unwrap();
        assert_eq!((payloads(&stores, source), payloads(&stores, copy)), (vec![], vec![json!(1)]));
    }
}
