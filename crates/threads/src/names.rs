//! Thread names: `session_index.jsonl`, a file that other programs read and write too, so its form is theirs.

use chrono::{DateTime, SecondsFormat, Utc};
use rollout::{Home, ThreadId};
use serde::{Deserialize, Serialize};

use crate::{ThreadError, ThreadManager, log::Log};

/// One line of the file; the last one of a thread counts.
#[derive(Serialize, Deserialize)]
struct Entry {
    id: ThreadId,
    thread_name: String,
    #[serde(default)]
    updated_at: String,
}

pub(crate) fn open(home: &Home) -> Log<String> {
    Log::new(home.session_index(), |line| {
        let entry: Entry = serde_json::from_slice(line).ok()?;
        Some((entry.id, entry.thread_name))
    })
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
            let mut log = stores.names.hold().map_err(stores.log_error("open"))?;
            log.append(&entry).map_err(stores.log_error("append to"))
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
