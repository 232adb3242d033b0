//! The open database: one writer connection, a few readers, and what is remembered about its health.
//!
//! Invariant: every error of a query goes through [`StateRuntime::noted`], so that the runtime itself knows whether it is
//! damaged; an error that is reported late, of a database that was replaced since, then harms no one.

use std::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rollout::Home;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::{StateError, open::Identity, trust::Trust};

/// How many lists may be read at once; one more waits. Some searches take long, and no other list should wait for them.
const READERS: u32 = 4;

/// How long a query waits for a connection; longer than any query of ours but a text search takes.
const ACQUIRE_WITHIN: Duration = Duration::from_millis(500);

/// The SQLite index of one home, open.
///
/// It can be behind the files, and incomplete: [`Index::gated`](crate::Index::gated) gives it out when it is neither.
#[derive(Debug)]
pub struct StateRuntime {
    pub(crate) home: Home,
    pub(crate) identity: Identity,
    pub(crate) trust: Trust,
    writer: SqlitePool,
    readers: SqlitePool,
    complete: AtomicBool,
    damaged: AtomicBool,
}

impl StateRuntime {
    /// Takes over the writer connection that `open` made; readers connect when they are needed.
    pub(crate) fn new(
        home: Home,
        identity: Identity,
        writer: SqlitePool,
        reading: SqliteConnectOptions,
        trust: Trust,
    ) -> Self {
        Self {
            home,
            identity,
            trust,
            writer,
            readers: pool(READERS).connect_lazy_with(reading.pragma("query_only", "ON")),
            complete: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
        }
    }

    /// Tells whether every rollout has its row: the first pass of the backfill is through.
    pub async fn is_complete(&self) -> Result<bool, StateError> {
        if self.complete.load(Ordering::Acquire) {
            return Ok(true);
        }
        let done = self
            .noted(async {
                let mut connection = self.reader().await?;
                Ok(sqlx::query("SELECT 1 FROM passes WHERE name = 'heads'")
                    .fetch_optional(&mut *connection)
                    .await?
                    .is_some())
            })
            .await?;
        self.complete.store(done, Ordering::Release);
        Ok(done)
    }

    /// Records that the first pass of the backfill is through; it is not made again, by no process.
    pub async fn mark_complete(&self) -> Result<(), StateError> {
        self.noted(async {
            let mut transaction = self.begin().await?;
            sqlx::query("INSERT OR REPLACE INTO passes (name, done_ms) VALUES ('heads', ?1)")
                .bind(chrono::Utc::now().timestamp_millis())
                .execute(&mut *transaction)
                .await?;
            self.commit(transaction).await
        })
        .await?;
        self.complete.store(true, Ordering::Release);
        Ok(())
    }

    /// Closes every connection; queries of others that still hold the runtime fail with [`StateError::NotOpen`].
    pub async fn close(&self) {
        // Who closes the last connection of all writes the log back.
        self.trust.before_write();
        self.readers.close().await;
        self.writer.close().await;
        self.trust.after_write();
    }

    /// Tells whether a query found the database damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.writer.is_closed()
    }

    /// Takes a reader.
    pub(crate) async fn reader(&self) -> Result<PoolConnection<Sqlite>, StateError> {
        Ok(self.readers.acquire().await?)
    }

    /// Begins a transaction on the writer; nothing of it stays unless it is committed.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StateError> {
        self.trust.before_write();
        // A deferred transaction that turns into a writer fails with BUSY_SNAPSHOT, which no timeout covers.
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Makes what a transaction did stay; at times the log is written back with it.
    pub(crate) async fn commit(&self, transaction: Transaction<'static, Sqlite>) -> Result<(), StateError> {
        let committed = transaction.commit().await;
        self.trust.after_write();
        Ok(committed?)
    }

    /// Takes in that the database was damaged by somebody else.
    pub(crate) fn condemn(&self) {
        self.damaged.store(true, Ordering::Release);
    }

    /// Runs a query, and remembers if it found the database damaged.
    pub(crate) async fn noted<T>(
        &self,
        query: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        let result = query.await;
        if let Err(StateError::Corrupt(_)) = &result {
            self.damaged.store(true, Ordering::Release);
        }
        result
    }
}

/// A pool without clocks: an idle server is not woken to look after its connections.
pub(crate) fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_WITHIN)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
}
