//! `skein/inbox/<thread>.jsonl`: what was said to the turn that runs, until the turn is over.
//!
//! A turn stores words where the model hears them, which is behind a compaction or between two requests. They are
//! acknowledged before that, so they lie here from then on. Where a server died in between, the next one that comes
//! upon them puts into the rollout what is not there.

use std::{collections::HashSet, fs, path::Path, sync::PoisonError, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use memchr::memmem;
use rollout::{Line, Place, Record, ThreadId, ThreadLock, Writer};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::{
    ThreadError, ThreadManager,
    log::{Fold, Log, Span},
    manager::Stores,
};

/// How far a clock may be set back between two lines.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);

/// How long a list waits until what lies in inboxes is stored: that takes milliseconds, after a crash, and else none.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a client said at once, and how it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unheard {
    /// The turn that it was said to.
    pub turn_id: String,
    /// The item that it becomes.
    pub item_id: String,
    /// What the turn begins with, where these are its first words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin: Option<Record>,
    /// The words.
    pub records: Vec<Record>,
}

/// The inbox of one thread. Used by who holds the thread's lock.
pub struct Inbox(Log<Waiting>);

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    timestamp: DateTime<Utc>,
    #[serde(flatten)]
    unheard: Unheard,
}

/// All that lies in an inbox, in its order.
#[derive(Default)]
struct Waiting(Vec<Entry>);

impl Fold for Waiting {
    fn fold(&mut self, line: &[u8], _: Span) {
        let Ok(entry) = serde_json::from_slice::<Entry>(line) else { return };
        if self.0.last().is_none_or(|last| last.unheard.item_id != entry.unheard.item_id) {
            self.0.push(entry);
        }
    }
}

impl Inbox {
    /// Puts words down; they are in the file when this returns.
    pub fn put(&self, unheard: Unheard) -> Result<(), ThreadError> {
        let Self(log) = self;
        let mut held = log.hold().map_err(ThreadError::io("open", log.path()))?;
        let entry = Entry { timestamp: Utc::now(), unheard };
        held.append(&[entry]).map_err(ThreadError::io("append to", log.path()))
    }

    /// Forgets all words: the turn that they were said to is over.
    pub fn clear(&self) -> Result<(), ThreadError> {
        let Self(log) = self;
        // Where nothing was put down, no name goes that would have to be synced.
        if !log.exists() {
            return Ok(());
        }
        log.remove().map_err(ThreadError::io("remove", log.path()))
    }
}

impl ThreadManager {
    /// Returns the inbox of a thread.
    pub fn inbox(&self, id: ThreadId) -> Inbox {
        self.stores.inbox(id)
    }

    /// Stores what was said to turns of a thread that died with their servers. The caller holds the thread's lock.
    /// Blocks.
    pub fn deliver_held(&self, id: ThreadId, rollout: &Path) {
        self.stores.deliver_held(id, rollout);
    }

    /// The same, unless a turn runs in the thread now.
    pub fn deliver(&self, id: ThreadId, rollout: &Path) {
        self.stores.deliver(id, rollout);
    }

    /// Stores, once, what was said to any turn that died with its server before this one started.
    pub async fn deliver_all(&self) {
        self.delivered.get_or_init(|| self.look_into_inboxes()).await;
    }

    /// Waits for that, but not for long: a thread without a word is in no list.
    pub(crate) async fn delivered(&self) {
        if timeout(PATIENCE, self.deliver_all()).await.is_err() {
            tracing::warn!("a list may lack a thread whose first words are still in its inbox");
        }
    }

    async fn look_into_inboxes(&self) {
        let delivered = self.blocking(|stores| {
            for id in stores.inboxes() {
                if let Some(found) = stores.find_by_name(id, Place::Anywhere)? {
                    stores.deliver(id, &found.path);
                }
            }
            Ok(())
        });
        if let Err(error) = delivered.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "not every inbox could be looked into");
        }
    }
}

impl Stores {
    pub(crate) fn inbox(&self, id: ThreadId) -> Inbox {
        let path = self.home.inboxes().join(format!("{id}.jsonl"));
        Inbox(Log::new(self.home.disk().clone(), path))
    }

    /// Stores what was said to turns of a thread that died with their servers, unless one runs now.
    pub(crate) fn deliver(&self, id: ThreadId, rollout: &Path) {
        if !self.inbox(id).0.exists() {
            return;
        }
        // Who reads a thread while another task stores what is in its inbox waits, and finds it.
        let _alone = self.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        match ThreadLock::try_lock(&self.home, id) {
            Ok(Some(_held)) => self.deliver_held(id, rollout),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(thread = %id, %error, "what was said to a turn that died is not stored yet");
            }
        }
    }

    fn deliver_held(&self, id: ThreadId, rollout: &Path) {
        let inbox = self.inbox(id);
        if !inbox.0.exists() {
            return;
        }
        let delivered = self.put_into(rollout, &inbox).and_then(|()| inbox.clear());
        if let Err(error) = delivered {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(thread = %id, error, "what was said to a turn that died is not stored yet");
        }
    }

    /// Appends to a rollout what of an inbox is not in it.
    fn put_into(&self, rollout: &Path, Inbox(log): &Inbox) -> Result<(), ThreadError> {
        let held = log.hold().map_err(ThreadError::io("open", log.path()))?;
        let waiting = held.with(|Waiting(entries)| entries.clone());
        let mut missing = waiting.map_err(ThreadError::io("read", log.path()))?;
        let mut begun = HashSet::new();
        let Some(since) = missing.iter().map(|entry| entry.timestamp).min() else { return Ok(()) };
        let mut lines = rollout::backward(&rollout::segments(&self.home, rollout)?);
        while !missing.is_empty()
            && let Some(line) = lines.next().map_err(ThreadError::io("read", rollout))?
        {
            let time = Line::parse(line.bytes).and_then(|line| line.timestamp());
            if time.is_some_and(|time| time < since - CLOCK_SLACK) {
                break;
            }
            let names = |id: &str| memmem::find(line.bytes, id.as_bytes()).is_some();
            begun
                .extend(missing.iter().map(|entry| entry.unheard.turn_id.clone()).filter(|turn| names(turn)));
            missing.retain(|entry| !names(&entry.unheard.item_id));
        }
        let mut records = Vec::new();
        for Unheard { turn_id, begin, records: said, .. } in missing.into_iter().map(|entry| entry.unheard) {
            records.extend(begin.filter(|_| !begun.contains(&turn_id)));
            records.extend(said);
        }
        if !records.is_empty() {
            Writer::open(self.home.disk(), rollout)?.append(&records)?;
        }
        Ok(())
    }

    /// Returns the threads that have an inbox.
    fn inboxes(&self) -> Vec<ThreadId> {
        let entries = fs::read_dir(self.home.inboxes()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.path().file_stem()?.to_str()?.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use items::{ResponseItem, Role};
    use pretty_assertions::assert_eq;
    use rollout::{Event, Home, SessionMeta};

    use super::*;

    struct Thread {
        _folder: tempfile::TempDir,
        stores: Stores,
        id: ThreadId,
        rollout: PathBuf,
    }

    impl Thread {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (home, id) = (Home::new(folder.path().to_owned()), ThreadId::new());
            let rollout = home.new_rollout(id, Utc::now().naive_local());
            Writer::create(home.disk(), &rollout, SessionMeta { id, ..SessionMeta::default() }).unwrap();
            let stores = Stores::new(home);
            Self { _folder: folder, stores, id, rollout }
        }

        /// What the rollout holds behind its head: the kinds of its records, with the words of a message.
        fn stored(&self) -> Vec<String> {
            let text = fs::read_to_string(&self.rollout).unwrap();
            let kind = |line: &str| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let payload = &line["payload"];
                let words = payload["message"].as_str().or(payload["content"][0]["text"].as_str());
                [payload["type"].as_str().unwrap(), words.unwrap_or_default()].join(" ")
            };
            text.lines().skip(1).map(kind).collect()
        }

        fn append(&self, records: &[Record]) {
            Writer::open(self.stores.home.disk(), &self.rollout).unwrap().append(records).unwrap();
        }

        fn inbox(&self) -> Inbox {
            self.stores.inbox(self.id)
        }
    }

    fn begin(turn: &str) -> Record {
        Record::EventMsg(Event::TaskStarted {
            turn_id: turn.to_owned(),
            started_at: None,
            model_context_window: None,
            collaboration_mode_kind: None,
        })
    }

    fn said(words: &str, begin: Option<Record>) -> Unheard {
        let event = Event::UserMessage {
            message: words.to_owned(),
            images: None,
            local_images: Vec::new(),
            text_elements: Vec::new(),
            inputs: None,
            client_id: None,
            turn_id: Some("turn".to_owned()),
            item_id: Some(format!("item-{words}")),
        };
        Unheard {
            turn_id: "turn".to_owned(),
            item_id: format!("item-{words}"),
            begin,
            records: vec![
                Record::ResponseItem(ResponseItem::message(Role::User, words)),
                Record::EventMsg(event),
            ],
        }
    }

    #[test]
    fn words_that_are_not_stored_yet_are_stored_in_their_order_and_once() {
        let thread = Thread::new();
        let first = said("a", Some(begin("turn")));
        for unheard in [first.clone(), said("b", None)] {
            thread.inbox().put(unheard).unwrap();
        }
        // A line that a crash tore was not acknowledged.
        let path = thread.inbox().0.path().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{{\"timestamp\":\"2030-")).unwrap();
        let all = ["task_started ", "message a", "user_message a", "message b", "user_message b"];
        for _ in 0..2 {
            thread.stores.deliver(thread.id, &thread.rollout);
            assert_eq!(thread.stored(), all);
            assert!(!path.exists());
        }
        // One of them is heard by now, and the turn has begun.
        thread.inbox().put(first).unwrap();
        thread.inbox().put(said("c", Some(begin("turn")))).unwrap();
        thread.stores.deliver(thread.id, &thread.rollout);
        assert_eq!(thread.stored(), [&all[..], &["message c", "user_message c"]].concat());
    }

    #[test]
    fn what_is_older_than_the_words_is_not_looked_through() {
        let thread = Thread::new();
        let unheard = said("a", None);
        thread.append(&unheard.records);
        let entry = Entry { timestamp: Utc::now() + TimeDelta::hours(1), unheard };
        thread.inbox().0.hold().unwrap().append(&[entry]).unwrap();
        thread.stores.deliver(thread.id, &thread.rollout);
        assert_eq!(thread.stored().len(), 4);
    }

    #[test]
    fn the_inbox_of_a_turn_that_runs_is_left_alone() {
        let thread = Thread::new();
        thread.inbox().put(said("a", None)).unwrap();
        let held = ThreadLock::try_lock(&thread.stores.home, thread.id).unwrap().unwrap();
        thread.stores.deliver(thread.id, &thread.rollout);
        assert_eq!(thread.stored(), [""; 0]);
        drop(held);
        assert_eq!(thread.stores.inboxes(), [thread.id]);
        thread.stores.deliver(thread.id, &thread.rollout);
        assert_eq!(thread.stored(), ["message a", "user_message a"]);
    }
}
