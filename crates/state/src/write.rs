//! Writing rows: what a file is now, or that it is gone.
//!
//! Invariants: a row is never replaced by what was read from an older state of its file; of the files of one thread in
//! one place exactly the newest by folder and name `stands`; git metadata found in the middle of a file outlives a new
//! look at its head and tail.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use rollout::{GitInfo, LaterMeta, Stamp, Summary, ThreadId};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, query_builder::Separated};

use crate::{
    StateError, StateRuntime, ThreadRow,
    digest::Digest,
    error::nonsense,
    row::{self, FileKey, FileRow},
    source::SourceKind,
};

/// How much of a file's end is certain to have been searched for session records when it was summarized. Less than the
/// 64 KiB that are read, since a record may begin before them.
pub(crate) const SURE_TAIL: u64 = 32 << 10;

/// A file of this size or less is its own tail.
const WHOLE: u64 = 64 << 10;

/// What to make of a file's row.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: FileKey,
    pub(crate) expected: Expected,
    /// `None`: the file is gone.
    pub(crate) file: Option<FileRow>,
}

/// What the row must hold for the change to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// What it held before the file was looked at. If it holds anything else by now, another process brought it along,
    /// and may have looked later than we did.
    Still(Option<Stamp>),
    /// Nothing that was read from a newer state of the file, if there still is one.
    NotNewer,
}

/// A file with a part that was never searched for session records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unscanned {
    pub(crate) key: FileKey,
    pub(crate) thread: ThreadId,
    pub(crate) ino: u64,
    pub(crate) from: u64,
    pub(crate) position: WorkPosition,
}

/// A place in the work list of the content pass: time of change, row.
pub(crate) type WorkPosition = (i64, i64);

/// A file that was searched as far as `to`, and the last session record in there, if any.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scanned {
    pub(crate) file: Unscanned,
    pub(crate) to: u64,
    pub(crate) found: Option<LaterMeta>,
}

/// How many rows one statement writes; it takes 25 values a row, of 32,766 that SQLite allows.
const ROWS_AT_ONCE: usize = 64;

/// A file, and what is known of its middle.
type Put<'a> = (&'a FileRow, LaterGit);

/// What a row says already, as far as a change depends on it.
#[derive(Debug, PartialEq)]
struct Known {
    row: i64,
    stamp: Stamp,
    thread: Option<Vec<u8>>,
    scanned: u64,
    git: Option<String>,
    git_at: Option<i64>,
}

impl StateRuntime {
    /// Brings rows along with what their files were read as.
    ///
    /// A row that was read from a newer state of the file stays as it is.
    pub async fn upsert(&self, rows: Vec<ThreadRow>) -> Result<(), StateError> {
        let changes: Vec<_> = rows
            .into_iter()
            .filter_map(|row| FileRow::of_thread(&self.home, row))
            .map(|file| Change { key: file.key.clone(), expected: Expected::NotNewer, file: Some(file) })
            .collect();
        self.apply(&changes).await.map(drop)
    }

    /// Removes the rows of files that are gone; the row of one that is there stays.
    pub async fn forget(&self, paths: Vec<PathBuf>) -> Result<(), StateError> {
        let changes: Vec<_> = paths
            .iter()
            .filter_map(|path| FileKey::of(&self.home, path))
            .map(|key| Change { key, expected: Expected::NotNewer, file: None })
            .collect();
        self.apply(&changes).await.map(drop)
    }

    /// Returns what state of each file in a folder is known, by file name.
    pub async fn known_files(&self, folder: &Path) -> Result<HashMap<String, Stamp>, StateError> {
        let Some(folder) = row::folder_text(&self.home, folder) else { return Ok(HashMap::new()) };
        self.noted(async {
            let mut connection = self.reader().await?;
            let rows = sqlx::query("SELECT name, size, mtime_ns, ino FROM rollouts WHERE folder = ?1")
                .bind(folder)
                .fetch_all(&mut *connection)
                .await?;
            rows.iter().map(|found| Ok((found.try_get(0)?, row::stamp(found, 1)?))).collect()
        })
        .await
    }

    /// Returns what state of these files is known.
    pub(crate) async fn known(&self, keys: &[FileKey]) -> Result<HashMap<FileKey, Stamp>, StateError> {
        let known = self.noted(async { known(&mut *self.reader().await?, keys).await }).await?;
        Ok(known.into_iter().map(|(key, known)| (key, known.stamp)).collect())
    }

    /// Returns what the rows say of each folder.
    pub(crate) async fn digests(&self) -> Result<HashMap<String, Digest>, StateError> {
        self.noted(async {
            let mut connection = self.reader().await?;
            let rows = sqlx::query("SELECT folder, files, digest FROM folders WHERE files > 0")
                .fetch_all(&mut *connection)
                .await?;
            rows.iter()
                .map(|found| {
                    Ok((found.try_get(0)?, Digest { files: found.try_get(1)?, sum: found.try_get(2)? }))
                })
                .collect()
        })
        .await
    }

    /// Makes the changes in one transaction; returns the files whose row was not as expected, and stayed as it is.
    ///
    /// A file that vanished since it was read gets no row, and one that is back keeps its row: other processes may have
    /// seen to that already, and will not look again.
    pub(crate) async fn apply(&self, changes: &[Change]) -> Result<Vec<FileKey>, StateError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        self.noted(async {
            let mut transaction = self.begin().await?;
            let keys: Vec<_> = changes.iter().map(|change| change.key.clone()).collect();
            let mut known = known(&mut transaction, &keys).await?;
            let mut threads = BTreeSet::new();
            let (mut refused, mut rows, mut gone) = (Vec::new(), Vec::new(), Vec::new());
            let mut folders = BTreeMap::<&str, Digest>::new();
            for Change { key, expected, file } in changes {
                let before = known.remove(key);
                let is_still_so = key.path(&self.home).exists() == file.is_some();
                if !is_still_so || !expected.holds(before.as_ref(), file.as_ref()) {
                    refused.push(key.clone());
                    continue;
                }
                threads.extend(before.as_ref().and_then(|before| before.thread.clone()));
                let folder = folders.entry(&key.folder).or_default();
                if let Some(before) = &before {
                    folder.remove(&key.name, before.stamp);
                }
                if let Some(file) = file {
                    folder.add(&key.name, file.stamp);
                }
                match file {
                    Some(file) => {
                        threads.extend(file.summary.as_ref().map(|summary| row::id_bytes(summary.id)));
                        rows.push((file, later_git(before.as_ref(), file.stamp, file.summary.as_ref())?));
                    }
                    None => gone.extend(before.map(|before| before.row)),
                }
            }
            put(&mut transaction, &rows).await?;
            if !gone.is_empty() {
                sqlx::query("DELETE FROM rollouts WHERE id IN (SELECT value FROM json_each(?1))")
                    .bind(serde_json::json!(gone).to_string())
                    .execute(&mut *transaction)
                    .await?;
            }
            settle(&mut transaction, &threads).await?;
            for (folder, change) in folders {
                adjust(&mut transaction, folder, change).await?;
            }
            self.commit(transaction).await?;
            Ok(refused)
        })
        .await
    }

    /// Returns files that have parts that were never searched for session records, the latest changed first.
    pub(crate) async fn unscanned(
        &self,
        after: Option<WorkPosition>,
        limit: u32,
    ) -> Result<Vec<Unscanned>, StateError> {
        let (mtime_ns, row) = after.unwrap_or((i64::MAX, i64::MAX));
        self.noted(async {
            let mut connection = self.reader().await?;
            let rows = sqlx::query(
                "SELECT folder, name, thread, ino, scanned, mtime_ns, id
                 FROM rollouts INDEXED BY rollouts_unscanned
                 WHERE thread IS NOT NULL AND scanned < size AND (mtime_ns, id) < (?1, ?2)
                 ORDER BY mtime_ns DESC, id DESC LIMIT ?3",
            )
            .bind(mtime_ns)
            .bind(row)
            .bind(limit)
            .fetch_all(&mut *connection)
            .await?;
            rows.iter()
                .map(|found| {
                    let thread = row::thread_id(found.try_get(2)?)?;
                    Ok(Unscanned {
                        key: FileKey { folder: found.try_get(0)?, name: found.try_get(1)? },
                        thread: thread.ok_or_else(|| nonsense("a row to search has no thread"))?,
                        ino: found.try_get::<i64, _>(3)?.cast_unsigned(),
                        from: found.try_get::<i64, _>(4)?.cast_unsigned(),
                        position: (found.try_get(5)?, found.try_get(6)?),
                    })
                })
                .collect()
        })
        .await
    }

    /// Records how far files were searched, and what was found there.
    ///
    /// A row that by now knows its file further than that, or is of another file, stays as it is.
    pub(crate) async fn scanned(&self, searched: &[Scanned]) -> Result<(), StateError> {
        if searched.is_empty() {
            return Ok(());
        }
        self.noted(async {
            let mut transaction = self.begin().await?;
            for Scanned { file, to, found } in searched {
                let git = found.as_ref().map(|found| git_text(found.git.as_ref())).transpose()?.flatten();
                // One without a time is taken for as old as can be: what the journal knows is newer.
                let at = found.as_ref().map(|found| found.at.unwrap_or_default().timestamp_micros());
                sqlx::query(
                    "UPDATE rollouts SET scanned = min(?1, size),
                        git = CASE WHEN ?2 IS NULL THEN git ELSE ?3 END, git_at = coalesce(?2, git_at)
                     WHERE folder = ?4 AND name = ?5 AND ino = ?6 AND scanned < min(?1, size)",
                )
                .bind(to.cast_signed())
                .bind(at)
                .bind(git)
                .bind(&file.key.folder)
                .bind(&file.key.name)
                .bind(file.ino.cast_signed())
                .execute(&mut *transaction)
                .await?;
            }
            self.commit(transaction).await
        })
        .await
    }
}

impl Expected {
    fn holds(self, before: Option<&Known>, file: Option<&FileRow>) -> bool {
        match self {
            Self::Still(stamp) => before.map(|before| before.stamp) == stamp,
            Self::NotNewer => match (before, file) {
                (Some(before), Some(file)) => age(before.stamp) <= age(file.stamp),
                _ => true,
            },
        }
    }
}

/// States of one file come in this order: a patch of metadata grows the file and leaves its time alone.
fn age(stamp: Stamp) -> (i64, u64) {
    (stamp.mtime_ns, stamp.size)
}

async fn known(
    connection: &mut SqliteConnection,
    keys: &[FileKey],
) -> Result<HashMap<FileKey, Known>, StateError> {
    let wanted: Vec<_> = keys.iter().map(|key| [&key.folder, &key.name]).collect();
    let rows = sqlx::query(
        "SELECT folder, name, rollouts.id, size, mtime_ns, ino, thread, scanned, git, git_at
         FROM json_each(?1) AS wanted CROSS JOIN rollouts
         WHERE folder = wanted.value ->> 0 AND name = wanted.value ->> 1",
    )
    .bind(serde_json::json!(wanted).to_string())
    .fetch_all(&mut *connection)
    .await?;
    rows.iter()
        .map(|found| {
            let key = FileKey { folder: found.try_get(0)?, name: found.try_get(1)? };
            let known = Known {
                row: found.try_get(2)?,
                stamp: row::stamp(found, 3)?,
                thread: found.try_get(6)?,
                scanned: found.try_get::<i64, _>(7)?.cast_unsigned(),
                git: found.try_get(8)?,
                git_at: found.try_get(9)?,
            };
            Ok((key, known))
        })
        .collect()
}

/// Writes rows, a good many with one statement: each statement is handed to the thread of its connection and back.
async fn put(connection: &mut SqliteConnection, files: &[Put<'_>]) -> Result<(), StateError> {
    for files in files.chunks(ROWS_AT_ONCE) {
        let mut sql = QueryBuilder::new(
            "INSERT INTO rollouts (folder, name, size, mtime_ns, ino, archived, updated_ms, scanned, git, git_at,
                thread, stands, created_ms, source_kind, source, provider, cwd, originator, cli_version,
                model, reasoning_effort, forked_from, parent, history_mode, preview) ",
        );
        sql.push_values(files, |mut row, (file, later)| bind(&mut row, file, later));
        sql.push(
            " ON CONFLICT (folder, name) DO UPDATE SET
                size = excluded.size, mtime_ns = excluded.mtime_ns, ino = excluded.ino,
                archived = excluded.archived, updated_ms = excluded.updated_ms, scanned = excluded.scanned,
                git = excluded.git, git_at = excluded.git_at, thread = excluded.thread, stands = excluded.stands,
                created_ms = excluded.created_ms, source_kind = excluded.source_kind, source = excluded.source,
                provider = excluded.provider, cwd = excluded.cwd, originator = excluded.originator,
                cli_version = excluded.cli_version, model = excluded.model,
                reasoning_effort = excluded.reasoning_effort, forked_from = excluded.forked_from,
                parent = excluded.parent, history_mode = excluded.history_mode, preview = excluded.preview",
        );
        // A large statement is not kept prepared: it would hold more memory than the rows of a small home.
        sql.build().persistent(files.len() == 1).execute(&mut *connection).await?;
    }
    Ok(())
}

fn bind(row: &mut Separated<'_, Sqlite, &str>, file: &FileRow, later: &LaterGit) {
    let FileRow { key, archived, stamp, summary } = file;
    let summary = summary.as_ref();
    row.push_bind(key.folder.clone())
        .push_bind(key.name.clone())
        .push_bind(stamp.size.cast_signed())
        .push_bind(stamp.mtime_ns)
        .push_bind(stamp.ino.cast_signed())
        .push_bind(*archived)
        .push_bind(stamp.changed_ms())
        .push_bind(later.scanned.cast_signed())
        .push_bind(later.git.clone())
        .push_bind(later.git_at)
        .push_bind(summary.map(|summary| row::id_bytes(summary.id)))
        .push_bind(summary.is_some())
        // Nothing reads the rest of a row without a thread; some columns take no NULL.
        .push_bind(summary.map_or(0, |summary| summary.created_at.timestamp_millis()))
        .push_bind(summary.map_or("", |summary| SourceKind::of(&summary.source).word()))
        .push_bind(summary.map_or_else(String::new, |summary| summary.source.to_string()))
        .push_bind(summary.and_then(|summary| summary.model_provider.clone()))
        .push_bind(summary.map_or_else(String::new, |summary| summary.cwd.clone()))
        .push_bind(summary.map_or_else(String::new, |summary| summary.originator.clone()))
        .push_bind(summary.map_or_else(String::new, |summary| summary.cli_version.clone()))
        .push_bind(summary.and_then(|summary| summary.model.clone()))
        .push_bind(summary.and_then(|summary| summary.reasoning_effort.clone()))
        .push_bind(summary.and_then(|summary| summary.forked_from).map(row::id_bytes))
        .push_bind(summary.and_then(|summary| summary.parent).map(row::id_bytes))
        .push_bind(summary.and_then(|summary| summary.history_mode.clone()))
        .push_bind(summary.and_then(|summary| summary.preview.clone()));
}

/// What is known of the session records behind a file's head.
#[derive(Debug, PartialEq)]
struct LaterGit {
    git: Option<String>,
    git_at: Option<i64>,
    scanned: u64,
}

/// Decides between what head and tail of a file say now, and what its row knows of the middle.
fn later_git(
    before: Option<&Known>,
    stamp: Stamp,
    summary: Option<&Summary>,
) -> Result<LaterGit, StateError> {
    let Some(summary) = summary else { return Ok(LaterGit { git: None, git_at: None, scanned: stamp.size }) };
    let told = LaterGit {
        git: git_text(summary.git.as_ref())?,
        git_at: summary.git_at.map(|at| at.timestamp_micros()),
        scanned: stamp.size,
    };
    if told.git_at.is_some() || stamp.size <= WHOLE {
        return Ok(told); // it stands in the tail, or there is no middle
    }
    let before = before.filter(|before| {
        before.stamp.ino == stamp.ino
            && before.stamp.size <= stamp.size
            && before.thread.as_deref() == Some(summary.id.as_uuid().as_bytes())
    });
    Ok(match before {
        Some(before) => {
            let scanned = if before.scanned + SURE_TAIL >= stamp.size { stamp.size } else { before.scanned };
            let (git, git_at) = match before.git_at {
                Some(at) => (before.git.clone(), Some(at)),
                None => (told.git, None),
            };
            LaterGit { git, git_at, scanned }
        }
        None => LaterGit { scanned: 0, ..told },
    })
}

fn git_text(git: Option<&GitInfo>) -> Result<Option<String>, StateError> {
    git.map(|git| serde_json::to_string(git).map_err(|error| nonsense(error.to_string()))).transpose()
}

/// Brings the digest of a folder along.
async fn adjust(connection: &mut SqliteConnection, folder: &str, change: Digest) -> Result<(), StateError> {
    sqlx::query(
        // What is set in one of both is what is set in any less what is set in both: SQLite has no exclusive or.
        "INSERT INTO folders (folder, files, digest) VALUES (?1, ?2, ?3)
         ON CONFLICT (folder) DO UPDATE SET files = files + excluded.files,
            digest = (digest | excluded.digest) - (digest & excluded.digest)",
    )
    .bind(folder)
    .bind(change.files)
    .bind(change.sum)
    .execute(connection)
    .await?;
    Ok(())
}

/// Sees to it that of each of these threads one file stands in each place.
async fn settle(connection: &mut SqliteConnection, threads: &BTreeSet<Vec<u8>>) -> Result<(), StateError> {
    sqlx::query(
        "UPDATE rollouts SET stands = 1 - stands
         WHERE thread IN (SELECT unhex(value) FROM json_each(?1))
            AND stands = EXISTS (
                SELECT 1 FROM rollouts AS newer
                WHERE newer.thread = rollouts.thread AND newer.archived = rollouts.archived
                    AND (newer.folder, newer.name) > (rollouts.folder, rollouts.name)
            )",
    )
    .bind(row::hex_list(threads.iter().map(Vec::as_slice)))
    .execute(connection)
    .await?;
    Ok(())
}
