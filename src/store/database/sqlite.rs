//! SQLite, with one connection for writes and several for reads.
//!
//! SQLite allows one writer at a time. With a single connection for writes, a transaction waits for the previous one
//! instead of failing with “database is locked”.

mod file;
mod log_sync;
mod writer;

#[cfg(test)]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::{
    path::{self, Path},
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

use super::Purpose;
use crate::store::StoreError;
use file::ServeLock;
use writer::Writer;

pub(super) use writer::WriteTransaction;

/// Number of connections for reads.
const MAX_READERS: u32 = 4;

/// Number of pages in the write-ahead log that triggers a checkpoint. Most pages are written again by the next commits,
/// so rarer checkpoints copy fewer pages. In return, the log grows up to 16 MB.
const CHECKPOINT_PAGES: &str = "4000";

/// Number of prepared statements that a connection caches: enough for all statements of the program.
const STATEMENT_CACHE_CAPACITY: usize = 500;

/// Size to which the write-ahead log shrinks after it has grown beyond it. It is larger than the log under load, so that
/// a log is not cut and extended all the time.
const MAX_IDLE_LOG_BYTES: &str = "25000000";

/// Maximum time to wait for the reads in progress when the database is closed.
const CLOSE_READERS_TIMEOUT: Duration = Duration::from_secs(2);

pub(in crate::store) struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
    /// Lock of a server until the database is closed.
    lock: Mutex<Option<ServeLock>>,
}

impl Sqlite {
    pub(super) async fn open(url: &str, purpose: Purpose) -> Result<Self, StoreError> {
        let cannot_open = |error: &dyn std::fmt::Display| {
            StoreError::Open(format!("failed to open the database {url}: {error}"))
        };
        let options = SqliteConnectOptions::from_str(url).map_err(|error| cannot_open(&error))?;
        let path = options.get_filename();
        if purpose == Purpose::Command {
            require_database(path)?;
        }
        file::create_folder(path).map_err(|error| cannot_open(&error))?;
        let path = file::resolve(path).map_err(|error| cannot_open(&error))?;
        file::create(&path).map_err(|error| cannot_open(&error))?;
        let lock = match purpose {
            Purpose::Serve => Some(ServeLock::take(&path)?),
            Purpose::Create | Purpose::Command => None,
        };
        let options = options
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(STATEMENT_CACHE_CAPACITY)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("journal_size_limit", MAX_IDLE_LOG_BYTES)
            .pragma("temp_store_directory", temporary_folder(&path))
            // Statement logging would measure the time of each statement.
            .disable_statement_logging();
        let writer = Writer::open(options.clone())
            .await
            .map_err(|error| cannot_open(&error))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(MAX_READERS)
            .connect_with(options.read_only(true))
            .await
            .map_err(|error| cannot_open(&error))?;
        Ok(Self {
            writer,
            readers,
            lock: Mutex::new(lock),
        })
    }

    /// Closes all connections. A server completes the file, so that a copy of it alone has all data. After a command,
    /// SQLite does that, unless a server has the file open.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        // Only a connection that can write completes the file, so the writer is closed last.
        let _ = tokio::time::timeout(CLOSE_READERS_TIMEOUT, self.readers.close()).await;
        let is_server = self.serve_lock().is_some();
        let closed = self.writer.close(is_server).await;
        *self.serve_lock() = None;
        closed
    }

    fn serve_lock(&self) -> std::sync::MutexGuard<'_, Option<ServeLock>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub(super) async fn shrink(&self) -> Result<bool, StoreError> {
        self.writer.shrink().await
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

/// Fails if there is no database in this file.
fn require_database(path: &Path) -> Result<(), StoreError> {
    if file::has_database(path) {
        return Ok(());
    }
    let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Err(StoreError::Open(format!(
        "there is no database at {}: set DATABASE_URL, or run this where the server runs",
        path.display()
    )))
}

/// Returns the folder for SQLite's temporary files as an SQL literal: the folder of the database.
///
/// A statement that changes many rows and a sort write temporary files. In a container, the folder of the database may
/// be the only one that is writable. Keeping them in memory instead would take 270 MB to pause a webhook with a million
/// deliveries. The setting applies to the whole process, and SQLite guards it with a mutex.
fn temporary_folder(database: &Path) -> String {
    let folder = database.parent().unwrap_or(Path::new("/"));
    format!("'{}'", folder.display().to_string().replace('\'', "''"))
}
