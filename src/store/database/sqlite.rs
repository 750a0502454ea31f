//! The embedded database: one connection writes, a few read.
//!
//! SQLite has one writer at a time. So one connection writes, and a transaction waits for the one before it instead of
//! failing with “database is locked”.

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

/// Readers that may wait on the disk at the same time.
const READERS: u32 = 4;

/// Pages in the log after which they are copied into the database. Most of those that are written are written again by the
/// next commits, so that fewer copies serve more of them; in return the log takes up to 16 MB.
const CHECKPOINT_PAGES: &str = "4000";

/// Prepared statements that a connection keeps: all that the program has.
const STATEMENTS: usize = 500;

pub(in crate::store) struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let cannot_open = |error: &dyn std::fmt::Display| {
            StoreError::Open(format!("the database {url} cannot be opened: {error}"))
        };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| cannot_open(&error))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(STATEMENTS)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            // Of each statement the time would be taken for a line that nobody reads.
            .disable_statement_logging();
        create_directory_of(&options).map_err(|error| cannot_open(&error))?;
        let writer = Writer::open(options.clone())
            .await
            .map_err(|error| cannot_open(&error))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
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
        for _ in 0..READERS {
            readers.push(self.readers.acquire().await.expect("a reader"));
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

/// The file that a URL names.
pub(in crate::store) fn file_of(url: &str) -> Result<PathBuf, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Open(format!("{url} names no SQLite file: {error}")))?;
    Ok(options.get_filename().to_owned())
}

fn create_directory_of(options: &SqliteConnectOptions) -> std::io::Result<()> {
    match options.get_filename().parent() {
        Some(directory) if !directory.as_os_str().is_empty() => std::fs::create_dir_all(directory),
        _ => Ok(()),
    }
}
