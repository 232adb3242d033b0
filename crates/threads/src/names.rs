//! Thread names: `session_index.jsonl`, a file that other programs read and write too, so its form is theirs.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use rollout::{Home, ThreadId};
use serde::{Deserialize, Serialize};

use crate::{
    ThreadError, ThreadManager,
    log::{Fold, Log, Span},
};

/// One line of the file; the last one of a thread counts.
#[derive(Serialize, Deserialize)]
struct Entry {
    id: ThreadId,
    thread_name: String,
    #[serde(default)]
    updated_at: String,
}

/// The name of each thread that has one.
#[derive(Default)]
pub(crate) struct Names(HashMap<ThreadId, String>);

impl Fold for Names {
    fn fold(&mut self, line: &[u8], _: Span) {
        if let Ok(Entry { id, thread_name, .. }) = serde_json::from_slice(line) {
            self.0.insert(id, thread_name);
        }
    }
}

impl Names {
    /// Returns the name of a thread.
    pub(crate) fn get(&self, id: ThreadId) -> Option<String> {
        self.0.get(&id).cloned()
    }

    /// Returns the threads whose name holds a text.
    pub(crate) fn holding(&self, text: &str) -> Vec<ThreadId> {
        self.0.iter().filter(|(_, name)| name.contains(text)).map(|(id, _)| *id).collect()
    }
}

/// Returns the thread that a line of the file names, if it can be read.
pub(crate) fn thread_of(line: &[u8]) -> Option<ThreadId> {
    serde_json::from_slice(line).ok().map(|Entry { id, .. }| id)
}

pub(crate) fn open(home: &Home) -> Log<Names> {
    Log::new(home.disk().clone(), home.session_index())
}

impl ThreadManager {
    /// Names an active thread; the name is on disk when this returns.
    ///
    /// The text is trimmed and must not be blank; names need not be unique. Returns the name as stored.
    pub async fn set_name(&self, id: ThreadId, name: &str) -> Result<String, ThreadError> {
        let name = checked_name(name)?;
        self.require_active(id).await?;
        self.store_name(id, name.clone()).await?;
        Ok(name)
    }

    /// Names a thread that the caller knows to exist, such as one that is loaded but has no rollout yet.
    pub async fn store_name(&self, id: ThreadId, name: String) -> Result<(), ThreadError> {
        self.blocking(move |stores| {
            let now: DateTime<Utc> = Utc::now();
            let updated_at = now.to_rfc3339_opts(SecondsFormat::Nanos, true);
            let entry = Entry { id, thread_name: name, updated_at };
            let mut log = stores.names.hold().map_err(ThreadError::io("open", stores.names.path()))?;
            log.append(&[entry]).map_err(ThreadError::io("append to", stores.names.path()))
        })
        .await
    }
}

/// Returns the name as it will be stored.
pub fn checked_name(name: &str) -> Result<String, ThreadError> {
    match name.trim() {
        "" => Err(ThreadError::EmptyName),
        name => Ok(name.to_owned()),
    }
}
