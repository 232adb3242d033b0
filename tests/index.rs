//! The states in which a server may find its index, none of which may change an answer.

mod mounts;
mod pages;
mod session;
mod states;

use std::fmt::Debug;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use testkit::{Daemon, Home};

/// What happened to the index, while no server ran or under one that does.
#[derive(Clone, Copy, Debug)]
pub enum Index {
    /// It was never there.
    Absent,
    /// An earlier server left it in order.
    Left,
    /// It was deleted, after a server had left it.
    Deleted,
    /// It, and the folder that it lay in, was deleted. What clients set about threads lies there too.
    FolderDeleted,
    /// It is a file of no bytes.
    Empty,
    /// Something else was written over it.
    Corrupt,
    /// It was cut short.
    Torn,
    /// Its log was cut short in the middle of a page, after a server was killed.
    TornLog,
    /// A later version of the program has been at it.
    Newer,
    /// Another process holds its lock, and will not let go.
    Locked,
    /// Another process writes to it, and does not come to an end.
    Held,
    /// Neither it nor its folder may be written. (Of no effect on a test that runs as root.)
    ReadOnly,
    /// It cannot be opened at all: a folder lies in its place.
    Unopenable,
}

/// Every state.
pub const ALL: [Index; 12] = [
    Index::Absent,
    Index::Left,
    Index::Deleted,
    Index::Empty,
    Index::Corrupt,
    Index::Torn,
    Index::TornLog,
    Index::Newer,
    Index::Locked,
    Index::Held,
    Index::ReadOnly,
    Index::Unopenable,
];

/// Keeps the index in its state; dropped when the test is through with it.
pub struct Kept<'a> {
    home: &'a Home,
    _lock: Option<SqliteConnection>,
}

impl Index {
    /// Brings the index of a home into this state, by a server before if there has to be one.
    pub async fn prepare(self, home: &Home) -> Kept<'_> {
        match self {
            Self::Absent | Self::Unopenable => {}
            _ => {
                let mut d = Daemon::start(home).await;
                complete(home).await;
                match self {
                    // Its log is left behind.
                    Self::TornLog => d.kill().await,
                    _ => assert_eq!(d.stop().await, Some(0)),
                }
            }
        }
        self.strike(home).await
    }

    /// Brings what lies there into this state, whether a server has it open or not.
    pub async fn strike(self, home: &Home) -> Kept<'_> {
        let path = home.index();
        let mut lock = None;
        match self {
            Self::Absent | Self::Left => {}
            Self::Unopenable => {
                home.delete_index();
                fs::create_dir_all(&path).unwrap();
            }
            Self::Deleted => home.delete_index(),
            Self::FolderDeleted => fs::remove_dir_all(path.parent().unwrap()).unwrap(),
            Self::Empty => fs::write(&path, "").unwrap(),
            Self::Corrupt => fs::write(&path, "no database ".repeat(10_000)).unwrap(),
            Self::Torn => cut(&path, 5000),
            Self::TornLog => {
                let log = path.with_extension("sqlite-wal");
                cut(&log, fs::metadata(&log).unwrap().len() / 2 + 7);
            }
            Self::Newer => {
                let mut later = open(home).await;
                let migration = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                                 VALUES (99999999, 'of the future', 1, x'00', 0)";
                sqlx::query(migration).execute(&mut later).await.unwrap();
                sqlx::query("DROP TABLE rollouts").execute(&mut later).await.unwrap();
                later.close().await.unwrap();
            }
            Self::Locked => {
                let mut other = open(home).await;
                sqlx::query("PRAGMA locking_mode = EXCLUSIVE").execute(&mut other).await.unwrap();
                sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
                lock = Some(other);
            }
            Self::Held => {
                let mut other = open(home).await;
                sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
                lock = Some(other);
            }
            Self::ReadOnly => set_modes(home, 0o444, 0o555),
        }
        Kept { home, _lock: lock }
    }
}

fn cut(path: &Path, len: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if self.home.index().is_file() {
            set_modes(self.home, 0o600, 0o700);
        }
    }
}

/// Waits until a running server has its index complete. No message tells of it, since no client waits for it.
pub async fn complete(home: &Home) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_complete(home).await {
        assert!(Instant::now() < deadline, "the index does not become complete");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Tells whether the index has a row of every rollout.
pub async fn is_complete(home: &Home) -> bool {
    let options = SqliteConnectOptions::new().filename(home.index()).read_only(true);
    let Ok(mut index) = SqliteConnection::connect_with(&options).await else { return false };
    let found = sqlx::query("SELECT 1 FROM passes WHERE name = 'heads'").fetch_optional(&mut index).await;
    found.is_ok_and(|found| found.is_some())
}

/// Waits until a running server has found its index damaged and built it anew, which it says once.
pub async fn healed(d: &Daemon, home: &Home, state: &impl Debug) {
    let said =
        |log: &str| log.lines().filter(|line| line.contains(" WARN ") && line.contains("damaged")).count();
    let deadline = Instant::now() + Duration::from_secs(30);
    while said(&d.log()) == 0 || home.files(".sqlite.corrupt-").is_empty() {
        assert!(Instant::now() < deadline, "{state:?}: nobody noticed:\n{}", d.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    complete(home).await;
    assert_eq!(said(&d.log()), 1, "{state:?}: {}", d.log());
}

async fn open(home: &Home) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", home.index().display())).await.unwrap()
}

fn set_modes(home: &Home, file: u32, folder: u32) {
    for path in home.files(".sqlite") {
        fs::set_permissions(path, Permissions::from_mode(file)).unwrap();
    }
    fs::set_permissions(home.index().parent().unwrap(), Permissions::from_mode(folder)).unwrap();
}
