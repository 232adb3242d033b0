//! Opening the database, whatever state it is in.
//!
//! Invariants: a database is made, migrated and set aside only under `state.lock`, by one process at a time; one that is
//! healthy and of our schema opens without it. What a later version made is not touched. Nothing that is set aside is
//! lost before a newer one is: the latest damaged database stays next to ours for whoever wants to look at it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rollout::Home;
use sqlx::{
    ConnectOptions, Row, SqliteConnection, SqlitePool,
    migrate::{Migrate, MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tokio::time::{Instant, sleep};

use crate::{StateError, StateRuntime, runtime::pool, trust::Trust};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a statement waits for another process's transaction; ours take a few milliseconds.
const BUSY_WITHIN: Duration = Duration::from_millis(80);

/// How long one process may take to make or migrate the database before the others give up on it for now.
const LOCK_WITHIN: Duration = Duration::from_secs(2);

/// How often the lock is tried; the kernel offers no wait with a deadline.
const LOCK_EVERY: Duration = Duration::from_millis(5);

/// A write-ahead log that grew beyond this in a backfill is cut back to it.
const KEPT_LOG_BYTES: &str = "4194304";

/// How many pages of the log are written back at once, with two waits for the disk: a backfill writes the same pages
/// of its indexes again and again.
const CHECKPOINT_PAGES: &str = "4000";

/// How many rows a connection fetches ahead of who takes them: a page of a list, without a stop.
const ROWS_AHEAD: usize = 256;

/// Returns where the database of a home lies.
pub(crate) fn database(home: &Home) -> PathBuf {
    home.skein().join("state.sqlite")
}

/// Which files a database consists of: when one of them is another, what is open is no longer what others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity([Option<(u64, u64)>; 3]);

impl Identity {
    /// Looks which files stand at the path now.
    pub(crate) fn of(database: &Path) -> Self {
        let inode = |path: PathBuf| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        Self(files(database).map(inode))
    }

    pub(crate) fn main(self) -> Option<(u64, u64)> {
        self.0[0]
    }
}

/// The database, its log, and the memory that its users share.
fn files(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| suffixed(database, suffix))
}

/// Returns where the log of a database lies.
pub(crate) fn log(database: &Path) -> PathBuf {
    suffixed(database, "-wal")
}

pub(crate) fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens the database; makes it where there is none, and anew where it is damaged.
///
/// `damaged` is a database that a query found damaged: it is set aside if it is still the one that stands there.
pub(crate) async fn open(home: &Home, damaged: Option<Identity>) -> Result<StateRuntime, StateError> {
    let path = database(home);
    let is_condemned = |now: Identity| damaged.is_some_and(|damaged| damaged.main() == now.main());
    if !is_condemned(Identity::of(&path)) {
        match open_ready(home, &path).await {
            Ok(Some(runtime)) => return Ok(runtime),
            // It has to be made, migrated or set aside: not without the lock.
            Ok(None) | Err(StateError::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    make_folder(&home.skein())?;
    let _lock = lock(&home.skein().join("state.lock")).await?;
    if is_condemned(Identity::of(&path)) {
        set_aside(&path)?;
    }
    match make_ready(home, &path).await {
        Err(StateError::Corrupt(cause)) => {
            let aside = set_aside(&path)?;
            tracing::warn!(%cause, aside = %aside.display(), "the index was damaged and is built again from the rollouts");
            make_ready(home, &path).await
        }
        result => result,
    }
}

/// Sets the database aside, whatever is wrong with it; one that a later version made, or that another process holds, stays.
pub(crate) async fn put_aside(home: &Home) -> Result<Option<PathBuf>, StateError> {
    let path = database(home);
    make_folder(&home.skein())?;
    let _lock = lock(&home.skein().join("state.lock")).await?;
    if !path.try_exists().map_err(StateError::io("look for", &path))? {
        return Ok(None);
    }
    match open_ready(home, &path).await {
        Ok(Some(runtime)) => runtime.close().await,
        Ok(None) | Err(StateError::Corrupt(_)) => {}
        Err(error) => return Err(error),
    }
    set_aside(&path).map(Some)
}

/// Opens a database that is ready for use, or `None` for one that is not there or has to be migrated.
async fn open_ready(home: &Home, path: &Path) -> Result<Option<StateRuntime>, StateError> {
    if !fs::metadata(path).is_ok_and(|meta| meta.len() > 0) {
        return Ok(None);
    }
    let before = Identity::of(path);
    let writer = connect(path).await?;
    let is_ready = async {
        let mut connection = writer.acquire().await?;
        if schema(&mut connection).await? == Schema::Older {
            return Ok(false);
        }
        // Not before it is known to be ours. It is in this mode already, and then nothing is written.
        sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await?;
        try_out(&mut connection).await.map(|()| true)
    };
    match is_ready.await {
        Ok(true) => {}
        not_ready => {
            writer.close().await;
            return not_ready.map(|_| None);
        }
    }
    // The log and its shared memory exist now that the database was read.
    let identity = Identity::of(path);
    if identity.main() != before.main() {
        writer.close().await;
        return Ok(None); // it was replaced while we opened it
    }
    let runtime = StateRuntime::new(home.clone(), identity, writer, options(path), Trust::new(path));
    match runtime.is_complete().await {
        Ok(true) => {}
        // A server that was killed while it filled the database may have left no note; no list reads it yet.
        Ok(false) => runtime.trust.accept(),
        Err(error) => {
            runtime.close().await;
            return Err(error);
        }
    }
    Ok(Some(runtime))
}

/// Makes or migrates the database, and opens it. The lock is held.
async fn make_ready(home: &Home, path: &Path) -> Result<StateRuntime, StateError> {
    if !fs::metadata(path).is_ok_and(|meta| meta.len() > 0) {
        // A log that was left behind belongs to a database that is gone; who still has that open keeps its files.
        let [_, log, shared] = files(path);
        remove(&log)?;
        remove(&shared)?;
        // SQLite would make it readable for others, and gives the log the same mode.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(StateError::io("make", path))?;
    }
    let writer = connect(path).await?;
    let migrated = async {
        let mut connection = writer.acquire().await?;
        let is_older = schema(&mut connection).await? == Schema::Older;
        if is_older {
            sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await?;
            migrate(&mut connection).await.map_err(migration_error)?;
        }
        Ok::<_, StateError>(is_older)
    };
    let migrated = migrated.await;
    writer.close().await;
    if migrated? {
        Trust::new(path).accept();
    }
    open_ready(home, path).await?.ok_or(StateError::NotOpen)
}

pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // A commit that a power failure takes is derived again; nothing is damaged by it.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_WITHIN)
        .pragma("cell_size_check", "ON")
        .pragma("journal_size_limit", KEPT_LOG_BYTES)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("temp_store", "MEMORY")
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging()
}

pub(crate) async fn connect(path: &Path) -> Result<SqlitePool, StateError> {
    pool(/*connections*/ 1).connect_with(options(path)).await.map_err(|error| match error {
        // The pool tries again until its deadline, and then tells only of that.
        sqlx::Error::PoolTimedOut => StateError::Locked(error.into()),
        error => error.into(),
    })
}

#[derive(PartialEq)]
pub(crate) enum Schema {
    Ours,
    Older,
}

/// Compares the migrations that the database has seen with those that we know.
pub(crate) async fn schema(connection: &mut SqliteConnection) -> Result<Schema, StateError> {
    let table = sqlx::query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'");
    if table.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(Schema::Older);
    }
    let applied = sqlx::query("SELECT version, checksum FROM _sqlx_migrations ORDER BY version");
    let applied = applied.fetch_all(&mut *connection).await.map_err(misshapen)?;
    for row in &applied {
        let (version, checksum): (i64, &[u8]) = (row.try_get(0)?, row.try_get(1)?);
        match MIGRATIONS.iter().find(|known| known.version == version) {
            None => return Err(StateError::Newer(format!("schema {version}"))),
            Some(known) if *known.checksum != *checksum => {
                return Err(StateError::Newer(format!("another schema {version}")));
            }
            Some(_) => {}
        }
    }
    Ok(if applied.len() == MIGRATIONS.iter().count() { Schema::Ours } else { Schema::Older })
}

/// Reads a row of every table: their schema is as the migrations say, and their first pages can be read.
pub(crate) async fn try_out(connection: &mut SqliteConnection) -> Result<(), StateError> {
    for query in
        ["SELECT * FROM rollouts LIMIT 1", "SELECT * FROM folders LIMIT 1", "SELECT * FROM passes LIMIT 1"]
    {
        sqlx::query(query).fetch_optional(&mut *connection).await.map_err(misshapen)?;
    }
    Ok(())
}

/// A statement that is right for our schema and fails as wrong tells that the schema is not what it claims to be.
fn misshapen(error: sqlx::Error) -> StateError {
    match StateError::from(error) {
        StateError::Sql(sqlx::Error::Database(cause)) if cause.code().as_deref() == Some("1") => {
            StateError::Corrupt(cause.into())
        }
        error => error,
    }
}

/// Applies the migrations that the database lacks, in order.
///
/// Not by [`Migrator::run`], whose future the compiler does not let move between threads.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let table = &MIGRATIONS.table_name;
    connection.ensure_migrations_table(table).await?;
    let applied = connection.list_applied_migrations(table).await?;
    for migration in MIGRATIONS.iter() {
        if !applied.iter().any(|applied| applied.version == migration.version) {
            connection.apply(table, migration).await?;
        }
    }
    Ok(())
}

fn migration_error(error: MigrateError) -> StateError {
    match error {
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => misshapen(cause),
        error => StateError::Corrupt(error.into()),
    }
}

/// Renames the files of a damaged database; an earlier one that lies there goes.
fn set_aside(path: &Path) -> Result<PathBuf, StateError> {
    let earlier = suffixed(path, ".corrupt-");
    if let (Some(folder), Some(prefix)) = (path.parent(), earlier.file_name()) {
        for entry in fs::read_dir(folder).map_err(StateError::io("read", folder))?.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
                remove(&entry.path())?;
            }
        }
    }
    let aside = suffixed(&earlier, &chrono::Utc::now().format("%Y%m%dT%H%M%S%3fZ").to_string());
    // The database first: with its log gone an older state of it would open.
    for (from, to) in files(path).iter().zip(files(&aside)) {
        match fs::rename(from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StateError::io("set aside", from)(error));
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn remove(path: &Path) -> Result<(), StateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StateError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes our folder, for nobody else to look into.
pub(crate) fn make_folder(folder: &Path) -> Result<(), StateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StateError::io("make", folder))
}

/// Takes a lock that the kernel releases when this process ends, however it ends.
async fn lock(path: &Path) -> Result<File, StateError> {
    let deadline = Instant::now() + LOCK_WITHIN;
    loop {
        if let Some(held) = try_lock(path)? {
            return Ok(held);
        }
        if Instant::now() > deadline {
            return Err(StateError::Locked("another process is making it".into()));
        }
        sleep(LOCK_EVERY).await;
    }
}

/// Takes a lock, or returns `None` where another process has it.
pub(crate) fn try_lock(path: &Path) -> Result<Option<File>, StateError> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(StateError::io("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StateError::io("lock", path)(error)),
    }
}
