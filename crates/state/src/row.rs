//! One rollout file as a row, and back.
//!
//! Invariant: a row read back equals the row written, but that its times are whole milliseconds (git: microseconds),
//! and that its path is below the home that the index is opened for; paths are stored relative to it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rollout::{Home, RolloutName, Stamp, Summary, ThreadId};
use sqlx::{Row, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{StateError, error::nonsense};

/// What the index holds of a stored thread.
#[derive(Clone, Debug, PartialEq)]
pub struct ThreadRow {
    /// What the rollout says of itself.
    pub summary: Summary,
    /// Where the rollout lies.
    pub path: PathBuf,
    /// Whether it lies among the archived ones.
    pub archived: bool,
    /// Which state of the file this was read from.
    pub stamp: Stamp,
}

impl ThreadRow {
    pub(crate) fn created_ms(&self) -> i64 {
        self.summary.created_at.timestamp_millis()
    }

    pub(crate) fn updated_ms(&self) -> i64 {
        self.stamp.changed_ms()
    }
}

/// Where a file lies below the home; what the rows are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileKey {
    pub(crate) folder: String,
    pub(crate) name: String,
}

impl FileKey {
    /// Returns the key of a path, or `None` where a walk of the home would find no rollout.
    pub(crate) fn of(home: &Home, path: &Path) -> Option<Self> {
        let folder = folder_text(home, path.parent()?)?;
        let name = path.file_name()?.to_str()?;
        let is_place = match folder.split_once('/') {
            None => folder == "archived_sessions",
            Some((first, day)) => first == "sessions" && day.split('/').count() == 3,
        };
        (is_place && RolloutName::parse(name).is_some()).then(|| Self { folder, name: name.to_owned() })
    }

    pub(crate) fn path(&self, home: &Home) -> PathBuf {
        home.root().join(&self.folder).join(&self.name)
    }
}

pub(crate) fn folder_text(home: &Home, folder: &Path) -> Option<String> {
    folder.strip_prefix(home.root()).ok()?.to_str().map(str::to_owned)
}

/// A file as it was read: its thread, or that it holds none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileRow {
    pub(crate) key: FileKey,
    pub(crate) archived: bool,
    pub(crate) stamp: Stamp,
    /// `None` for a file without a session record.
    pub(crate) summary: Option<Summary>,
}

impl FileRow {
    pub(crate) fn of_thread(home: &Home, row: ThreadRow) -> Option<Self> {
        let ThreadRow { summary, path, archived, stamp } = row;
        Some(Self { key: FileKey::of(home, &path)?, archived, stamp, summary: Some(summary) })
    }
}

/// The columns that [`thread_row`] reads, in its order.
pub(crate) const THREAD_COLUMNS: &str = "folder, name, archived, size, mtime_ns, ino, thread, created_ms, cwd, originator, \
    cli_version, source, provider, model, reasoning_effort, git, git_at, forked_from, parent, history_mode, preview";

/// Reads a row of [`THREAD_COLUMNS`].
pub(crate) fn thread_row(home: &Home, row: &SqliteRow) -> Result<ThreadRow, StateError> {
    let key = FileKey { folder: row.try_get(0)?, name: row.try_get(1)? };
    let summary = Summary {
        id: thread_id(row.try_get(6)?)?.ok_or_else(|| nonsense("a listed row has no thread"))?,
        created_at: time(DateTime::from_timestamp_millis(row.try_get(7)?))?,
        cwd: row.try_get(8)?,
        originator: row.try_get(9)?,
        cli_version: row.try_get(10)?,
        source: json(row.try_get(11)?)?,
        model_provider: row.try_get(12)?,
        model: row.try_get(13)?,
        reasoning_effort: row.try_get(14)?,
        git: row.try_get::<Option<&str>, _>(15)?.map(json).transpose()?,
        git_at: row
            .try_get::<Option<i64>, _>(16)?
            .map(|at| time(DateTime::from_timestamp_micros(at)))
            .transpose()?,
        forked_from: thread_id(row.try_get(17)?)?,
        parent: thread_id(row.try_get(18)?)?,
        history_mode: row.try_get(19)?,
        preview: row.try_get(20)?,
    };
    Ok(ThreadRow { summary, path: key.path(home), archived: row.try_get(2)?, stamp: stamp(row, 3)? })
}

/// Reads three columns from `first` on: size, time of change, inode.
pub(crate) fn stamp(row: &SqliteRow, first: usize) -> Result<Stamp, StateError> {
    // SQLite has no unsigned integers; an inode keeps its bits through the cast.
    Ok(Stamp {
        size: row.try_get::<i64, _>(first)?.cast_unsigned(),
        mtime_ns: row.try_get(first + 1)?,
        ino: row.try_get::<i64, _>(first + 2)?.cast_unsigned(),
    })
}

pub(crate) fn id_bytes(id: ThreadId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

/// Writes a JSON list of values as hexadecimal digits, for `unhex` to read.
pub(crate) fn hex_list<'a>(values: impl Iterator<Item = &'a [u8]>) -> String {
    let mut list = String::from("[");
    for (index, value) in values.enumerate() {
        list.push_str(if index == 0 { "\"" } else { ",\"" });
        for byte in value {
            for digit in [byte >> 4, byte & 0xf] {
                list.push(char::from_digit(digit.into(), 16).unwrap_or_default()); // both are below 16
            }
        }
        list.push('"');
    }
    list.push(']');
    list
}

pub(crate) fn thread_id(bytes: Option<&[u8]>) -> Result<Option<ThreadId>, StateError> {
    let Some(bytes) = bytes else { return Ok(None) };
    match Uuid::from_slice(bytes) {
        Ok(uuid) => Ok(Some(uuid.into())),
        Err(error) => Err(nonsense(error.to_string())),
    }
}

fn time(time: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, StateError> {
    time.ok_or_else(|| nonsense("a time out of range"))
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StateError> {
    serde_json::from_str(text).map_err(|error| nonsense(error.to_string()))
}
