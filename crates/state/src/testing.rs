//! A home for tests, with rollouts as other programs write them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use rollout::{Home, RolloutName, ThreadId};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Direction, ListQuery, Sort, StateRuntime, ThreadRow, open};

/// A home in a folder of its own.
pub(crate) struct TestHome {
    _folder: TempDir,
    pub(crate) home: Home,
}

impl TestHome {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        Self { _folder: folder, home }
    }

    pub(crate) fn with_threads(numbers: impl IntoIterator<Item = u32>) -> Self {
        let this = Self::new();
        for number in numbers {
            this.write(number, &format!("message {number}"));
        }
        this
    }

    /// Where the rollout of the thread with this number lies while it is active.
    pub(crate) fn path(&self, number: u32) -> PathBuf {
        self.home.active_path(&name(number))
    }

    pub(crate) fn archived_path(&self, number: u32) -> PathBuf {
        self.home.archived_path(&name(number))
    }

    /// Writes the rollout of a thread with one message.
    pub(crate) fn write(&self, number: u32, message: &str) -> PathBuf {
        let path = self.path(number);
        write(&path, &rollout_text(number, message));
        path
    }

    pub(crate) fn database(&self) -> PathBuf {
        open::database(&self.home)
    }

    pub(crate) async fn open(&self) -> StateRuntime {
        open::open(&self.home, None).await.unwrap()
    }
}

/// Writes a file, and the folders that it lies in.
pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn append(path: &Path, text: &str) {
    use std::io::Write;
    fs::File::options().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

pub(crate) fn touch(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// The id of the thread with this number; ids are ordered as numbers are.
pub(crate) fn id(number: u32) -> ThreadId {
    format!("{number:08x}-0000-7000-8000-000000000000").parse().unwrap()
}

/// When the thread with this number was made: an hour later than the one before it.
pub(crate) fn created(number: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_258_000, 0).unwrap() + TimeDelta::hours(number.into())
}

pub(crate) fn name(number: u32) -> RolloutName {
    RolloutName { local_time: created(number).naive_utc(), id: id(number), segment: None }
}

pub(crate) fn rollout_text(number: u32, message: &str) -> String {
    meta_line(number, json!({})) + &message_line(message)
}

/// A session record; `extra` is put over what it holds.
pub(crate) fn meta_line(number: u32, extra: Value) -> String {
    let mut payload = json!({ "id": id(number), "timestamp": created(number).to_rfc3339(), "cwd": "/work",
        "originator": "test", "cli_version": "0.0.0", "source": "cli", "model_provider": "p" });
    payload.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    line("session_meta", payload)
}

pub(crate) fn message_line(message: &str) -> String {
    line("event_msg", json!({ "type": "user_message", "message": message }))
}

pub(crate) fn line(kind: &str, payload: Value) -> String {
    format!("{}\n", json!({ "timestamp": "2026-02-03T04:05:06.789Z", "type": kind, "payload": payload }))
}

/// All active threads, newest first.
pub(crate) fn everything() -> ListQuery {
    ListQuery {
        archived: false,
        sort: Sort::CreatedAt,
        direction: Direction::Desc,
        providers: None,
        default_provider: "default".into(),
        sources: vec![],
        cwds: None,
        search: None,
        parent: None,
        excluded: vec![],
        originators: None,
        ids: None,
        after: None,
        limit: 1000,
    }
}

/// The messages that the listed threads begin with.
pub(crate) fn previews(rows: &[ThreadRow]) -> Vec<String> {
    rows.iter().map(|row| row.summary.preview.clone().unwrap()).collect()
}
