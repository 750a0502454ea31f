//! SQLite, with one connection for writes and several for reads.
//!
//! SQLite allows one writer at a time. With a single connection for writes, a transaction waits for the previous one
//! instead of failing with “database is locked”.

mod log_sync;
mod writer;

#[cfg(test)]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::{path::PathBuf, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

use crate::store::StoreError;
use writer::Writer;

pub(super) use writer::WriteTransaction;

/// Number of connections for reads.
const MAX_READERS: u32 = 4;

/// Number of pages in the write-ahead log that triggers a checkpoint. Most pages are written again by the next commits,
/// so rarer checkpoints copy fewer pages. In return, the log grows up to 16 MB.
const CHECKPOINT_PAGES: &str = "4000";

/// Number of prepared statements that a connection caches: enough for all statements of the program.
const STATEMENT_CACHE_CAPACITY: usize = 500;

pub(in crate::store) struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let cannot_open = |error: &dyn std::fmt::Display| {
            StoreError::Open(format!("failed to open the database {url}: {error}"))
        };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| cannot_open(&error))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(STATEMENT_CACHE_CAPACITY)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            // Statement logging would measure the time of each statement.
            .disable_statement_logging();
        create_parent_directory(&options).map_err(|error| cannot_open(&error))?;
        let writer = Writer::open(options.clone())
            .await
            .map_err(|error| cannot_open(&error))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(MAX_READERS)
            .connect_with(options.read_only(true))
            .await
            .map_err(|error| cannot_open(&error))?;
        Ok(Self { writer, readers })
    }

    pub(super) fn require_working(&self) -> Result<(), StoreError> {
        self.writer.require_working()
    }

    pub(super) async fn read(&self) -> Result<PoolConnection<sqlx::Sqlite>, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    pub(super) async fn snapshot(&self) -> Result<Transaction<'static, sqlx::Sqlite>, StoreError> {
        Ok(self.readers.begin().await?)
    }

    pub(super) async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        self.writer.begin().await
    }

    pub(super) async fn begin_unsynced(&self) -> Result<WriteTransaction, StoreError> {
        self.writer.begin_unsynced().await
    }
}

#[cfg(test)]
impl Sqlite {
    pub(super) async fn count_instructions(&self) -> Arc<AtomicU64> {
        let count = Arc::default();
        self.writer.count_instructions(&count).await;
        let mut readers = Vec::new();
        for _ in 0..MAX_READERS {
            readers.push(self.readers.acquire().await.expect("the pool has a reader"));
        }
        for reader in &mut readers {
            count_on(reader, &count).await;
        }
        count
    }
}

#[cfg(test)]
async fn count_on(connection: &mut sqlx::SqliteConnection, count: &Arc<AtomicU64>) {
    let count = Arc::clone(count);
    let mut handle = connection.lock_handle().await.expect("the connection is open");
    handle.set_progress_handler(10, move || {
        count.fetch_add(1, Ordering::Relaxed);
        true
    });
}

/// Returns the path of the database file of an SQLite URL.
pub(in crate::store) fn database_path(url: &str) -> Result<PathBuf, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Open(format!("invalid SQLite URL {url}: {error}")))?;
    Ok(options.get_filename().to_owned())
}

fn create_parent_directory(options: &SqliteConnectOptions) -> std::io::Result<()> {
    match options.get_filename().parent() {
        Some(directory) if !directory.as_os_str().is_empty() => std::fs::create_dir_all(directory),
        _ => Ok(()),
    }
}
