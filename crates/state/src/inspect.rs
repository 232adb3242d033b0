//! Looking at the database of a home without touching it.
//!
//! Invariant: a database is never opened where it lies. Opening one that is in WAL mode, for reading even, may make its
//! log and the memory that its users share, and leaves marks there; so its files are copied to another folder, and the
//! copy is opened, log and all. The copy is whole if meanwhile the database did not change (nobody wrote pages of the
//! log back) and the log was not begun anew; commits that the log grew by are taken as far as they came.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rollout::{Home, Stamp};
use sqlx::Row;
use tempfile::TempDir;
use tokio::time::{Duration, sleep};

use crate::{
    StateError, StateRuntime, ThreadRow,
    digest::Digest,
    error::nonsense,
    open::{self, Identity, Schema},
    row::{self, THREAD_COLUMNS},
    trust::Trust,
};

/// How often a copy is begun anew because the files changed under it, and how long to wait before.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// How many faults SQLite looks for.
const FAULTS: &str = "PRAGMA integrity_check(20)";

/// A copy of the database of a home, open; it goes with the value.
#[derive(Debug)]
pub struct IndexCopy {
    runtime: StateRuntime,
    changed_ns: i64,
    _folder: TempDir,
}

/// What the index says of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedFile {
    /// Its thread; `None` where the file is known to hold none.
    pub row: Option<ThreadRow>,
    /// Whether all of the file was searched for session records.
    pub searched: bool,
}

/// What the index says of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedFolder {
    /// The state of each file that has a row, by its name.
    pub files: HashMap<String, Stamp>,
    /// Whether the number that stands for all of them fits them.
    pub digest_fits: bool,
}

impl IndexCopy {
    /// Copies the database of a home into a folder below `scratch`, and opens the copy.
    ///
    /// `None` where there is none yet, or nothing in it. One of another version, or one that is damaged so much that it
    /// does not open, is told as an error.
    pub async fn take(home: &Home, scratch: &Path) -> Result<Option<Self>, StateError> {
        let database = open::database(home);
        for _ in 0..ATTEMPTS {
            let folder =
                tempfile::tempdir_in(scratch).map_err(StateError::io("make a folder in", scratch))?;
            let Some(before) = Files::of(&database)? else { return Ok(None) };
            let copy = folder.path().join("state.sqlite");
            copy_files(&database, &copy)?;
            if Files::of(&database)?.is_some_and(|after| after.main == before.main && after.log == before.log)
            {
                return Self::open(home, folder, &copy, before.changed_ns).await;
            }
            sleep(PAUSE).await;
        }
        Err(StateError::Locked("it changes all the time".into()))
    }

    async fn open(
        home: &Home,
        folder: TempDir,
        copy: &Path,
        changed_ns: i64,
    ) -> Result<Option<Self>, StateError> {
        let pool = open::connect(copy).await?;
        let ready = async {
            let mut connection = pool.acquire().await?;
            if open::schema(&mut connection).await? == Schema::Older {
                return Ok(false);
            }
            open::try_out(&mut connection).await.map(|()| true)
        };
        match ready.await {
            Ok(true) => {
                let runtime = StateRuntime::new(
                    home.clone(),
                    Identity::of(copy),
                    pool,
                    open::options(copy),
                    Trust::new(copy),
                );
                Ok(Some(Self { runtime, changed_ns, _folder: folder }))
            }
            not_ready => {
                pool.close().await;
                not_ready.map(|_| None)
            }
        }
    }

    /// Returns when the database changed last before it was copied, in nanoseconds since 1970.
    pub fn changed_ns(&self) -> i64 {
        self.changed_ns
    }

    /// Tells whether every rollout had its row once: the first pass of the backfill is through.
    pub async fn is_complete(&self) -> Result<bool, StateError> {
        self.runtime.is_complete().await
    }

    /// Returns what is wrong with the database in itself, in words; nothing where it is sound.
    pub async fn faults(&self) -> Result<Vec<String>, StateError> {
        let mut connection = self.runtime.reader().await?;
        let told: Vec<String> = sqlx::query_scalar(FAULTS).fetch_all(&mut *connection).await?;
        let mut faults: Vec<_> = told.into_iter().filter(|line| line != "ok").collect();
        // The newest file of a thread in its place stands for it.
        let misplaced: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM rollouts WHERE thread IS NOT NULL AND stands = EXISTS (
                SELECT 1 FROM rollouts AS newer
                WHERE newer.thread = rollouts.thread AND newer.archived = rollouts.archived
                    AND (newer.folder, newer.name) > (rollouts.folder, rollouts.name))",
        )
        .fetch_one(&mut *connection)
        .await?;
        if misplaced > 0 {
            faults.push(format!("{misplaced} rows wrongly stand, or do not stand, for their threads"));
        }
        Ok(faults)
    }

    /// Returns how many files have rows.
    pub async fn count(&self) -> Result<u64, StateError> {
        let mut connection = self.runtime.reader().await?;
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM rollouts").fetch_one(&mut *connection).await?;
        Ok(count.unsigned_abs())
    }

    /// Returns the folders that have rows.
    pub async fn folders(&self) -> Result<Vec<PathBuf>, StateError> {
        let mut connection = self.runtime.reader().await?;
        let folders: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT folder FROM rollouts").fetch_all(&mut *connection).await?;
        Ok(folders.into_iter().map(|folder| self.runtime.home.root().join(folder)).collect())
    }

    /// Returns what is known of a folder.
    pub async fn folder(&self, folder: &Path) -> Result<IndexedFolder, StateError> {
        let files = self.runtime.known_files(folder).await?;
        let mut digest = Digest::default();
        files.iter().for_each(|(name, stamp)| digest.add(name, *stamp));
        let name = row::folder_text(&self.runtime.home, folder).unwrap_or_default();
        let mut connection = self.runtime.reader().await?;
        let noted = sqlx::query("SELECT files, digest FROM folders WHERE folder = ?1")
            .bind(name)
            .fetch_optional(&mut *connection)
            .await?;
        let noted = match noted {
            Some(row) => Digest { files: row.try_get(0)?, sum: row.try_get(1)? },
            None => Digest::default(),
        };
        Ok(IndexedFolder { files, digest_fits: noted == digest })
    }

    /// Returns what is known of files of a folder, by their names.
    pub async fn files(
        &self,
        folder: &Path,
        names: &[&str],
    ) -> Result<HashMap<String, IndexedFile>, StateError> {
        let Some(folder) = row::folder_text(&self.runtime.home, folder) else { return Ok(HashMap::new()) };
        let mut connection = self.runtime.reader().await?;
        let columns = THREAD_COLUMNS;
        let sql = format!(
            "SELECT {columns}, scanned >= size FROM rollouts
             WHERE folder = ?2 AND name IN (SELECT value FROM json_each(?1))"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(serde_json::json!(names).to_string())
            .bind(folder)
            .fetch_all(&mut *connection)
            .await?;
        rows.iter()
            .map(|found| {
                let has_thread = found.try_get::<Option<&[u8]>, _>("thread")?.is_some();
                let row = has_thread.then(|| row::thread_row(&self.runtime.home, found)).transpose()?;
                let searched = found.try_get(columns.split(',').count())?;
                Ok((found.try_get("name")?, IndexedFile { row, searched }))
            })
            .collect()
    }

    /// Closes the copy and removes it.
    pub async fn close(self) {
        self.runtime.close().await;
    }
}

/// Returns which process holds the database of a home for itself alone, so that nobody else can read it.
///
/// No lock is taken to find out. Where the system cannot tell, nobody does.
pub fn holder(home: &Home) -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};
        // https://www.sqlite.org/fileformat.html: the bytes that a reader locks.
        const SHARED_FIRST: u64 = 0x4000_0000 + 2;
        const SHARED_SIZE: u64 = 510;
        let database = File::open(open::database(home)).ok()?;
        let reader = Flock {
            start: SHARED_FIRST,
            length: SHARED_SIZE,
            pid: None,
            typ: FlockType::ReadLock,
            offset_type: FlockOffsetType::Set,
        };
        // A process that this one cannot see has no number here.
        fcntl_getlk(&database, &reader)
            .ok()?
            .map(|held| held.pid.map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = home;
        None
    }
}

/// What a copy must not see change.
struct Files {
    main: (u64, u64, i64, i64, i64, i64),
    /// The head of the log, which is another whenever it is begun anew.
    log: Option<(u64, [u8; 32])>,
    changed_ns: i64,
}

impl Files {
    /// Looks at the files as they are; `None` where there is no database, or an empty one.
    fn of(database: &Path) -> Result<Option<Self>, StateError> {
        let main = match fs::metadata(database) {
            Ok(main) if main.is_dir() => {
                return Err(StateError::io("read", database)(io::ErrorKind::IsADirectory.into()));
            }
            Ok(main) if main.len() == 0 => return Ok(None),
            Ok(main) => main,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::io("look at", database)(error)),
        };
        let path = open::log(database);
        let (log, log_changed) = match File::open(&path) {
            Ok(mut file) => {
                let failed = || StateError::io("read", &path);
                let meta = file.metadata().map_err(failed())?;
                let mut head = [0; 32];
                let read = file.read(&mut head).map_err(failed())?;
                // An empty one is as good as none.
                ((read == head.len()).then_some((meta.ino(), head)), Stamp::of(&meta).mtime_ns)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, i64::MIN),
            Err(error) => return Err(StateError::io("open", &path)(error)),
        };
        Ok(Some(Self {
            main: (main.ino(), main.len(), main.mtime(), main.mtime_nsec(), main.ctime(), main.ctime_nsec()),
            log,
            changed_ns: Stamp::of(&main).mtime_ns.max(log_changed),
        }))
    }
}

/// Copies the database, then its log: what is written back from the log meanwhile changes the database, and is seen.
fn copy_files(database: &Path, copy: &Path) -> Result<(), StateError> {
    for (from, to) in [(database.to_owned(), copy.to_owned()), (open::log(database), open::log(copy))] {
        let copied = File::open(&from).and_then(|mut from| io::copy(&mut from, &mut File::create(&to)?));
        match copied {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StateError::io("copy", from)(error)),
            Ok(_) => {}
        }
    }
    match copy.exists() {
        true => Ok(()),
        false => Err(nonsense("it vanished")),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::{
        reconcile,
        testing::{TestHome, name},
    };

    async fn copied(home: &TestHome, scratch: &Path) -> IndexCopy {
        IndexCopy::take(&home.home, scratch).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_copy_holds_what_is_in_the_log_too_and_nothing_of_the_home_changes() {
        let (home, scratch) = (TestHome::with_threads(0..3), tempfile::tempdir().unwrap());
        assert!(IndexCopy::take(&home.home, scratch.path()).await.unwrap().is_none());
        assert!(!home.home.skein().exists());
        let runtime = home.open().await;
        reconcile::sweep(&runtime, |_| {}).await.unwrap();
        let listed = || -> Vec<_> {
            let files = fs::read_dir(home.home.skein()).unwrap();
            files
                .map(|file| {
                    (
                        file.as_ref().unwrap().file_name(),
                        file.unwrap().metadata().unwrap().modified().unwrap(),
                    )
                })
                .collect()
        };
        let before = listed();
        let copy = copied(&home, scratch.path()).await;
        assert_eq!((copy.count().await.unwrap(), copy.is_complete().await.unwrap()), (3, false));
        assert_eq!(copy.faults().await.unwrap(), Vec::<String>::new());
        let folder = home.path(1).parent().unwrap().to_owned();
        assert!(copy.folders().await.unwrap().contains(&folder));
        let IndexedFolder { files, digest_fits } = copy.folder(&folder).await.unwrap();
        assert!(digest_fits && files.contains_key(&name(1).to_string()));
        let found = copy.files(&folder, &[&name(1).to_string(), "nothing"]).await.unwrap();
        let row = found[&name(1).to_string()].row.clone().unwrap();
        assert_eq!((found.len(), row.summary.preview.as_deref()), (1, Some("message 1")));
        copy.close().await;
        assert_eq!(listed(), before);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        runtime.close().await;
    }

    #[tokio::test]
    async fn a_row_that_stands_wrongly_and_a_digest_that_fits_no_more_are_told() {
        let (home, scratch) = (TestHome::with_threads(0..2), tempfile::tempdir().unwrap());
        let runtime = home.open().await;
        reconcile::sweep(&runtime, |_| {}).await.unwrap();
        let mut transaction = runtime.begin().await.unwrap();
        for sql in ["UPDATE rollouts SET stands = 0 WHERE id = 1", "UPDATE folders SET digest = digest + 1"] {
            sqlx::query(sql).execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let copy = copied(&home, scratch.path()).await;
        assert_eq!(copy.faults().await.unwrap().len(), 1);
        assert!(!copy.folder(home.path(0).parent().unwrap()).await.unwrap().digest_fits);
        runtime.close().await;
    }

    #[tokio::test]
    async fn what_is_no_database_is_damaged_and_a_folder_in_its_place_cannot_be_read() {
        let (home, scratch) = (TestHome::new(), tempfile::tempdir().unwrap());
        crate::testing::write(&home.database(), &"no database ".repeat(1000));
        let error = IndexCopy::take(&home.home, scratch.path()).await.unwrap_err();
        assert!(matches!(error, StateError::Corrupt(_)), "{error:?}");
        fs::remove_file(home.database()).unwrap();
        fs::create_dir(home.database()).unwrap();
        let error = IndexCopy::take(&home.home, scratch.path()).await.unwrap_err();
        assert!(matches!(error, StateError::Io { .. }), "{error:?}");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
