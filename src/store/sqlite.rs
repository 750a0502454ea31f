//! The embedded database: one connection writes, a few read.
//!
//! What differs from a database server: SQLite has one writer at a time, so ours is one connection, and a write waits
//! for its turn in the pool's queue instead of failing with “database is locked”. Transactions that write begin with
//! `BEGIN IMMEDIATE`: a deferred one that read first could not become a writer any more once another had committed.

#![expect(
    clippy::duplicate_mod,
    reason = "the statements of sql/ are compiled for each database, see ARCHITECTURE.md"
)]

mod cluster;
mod deliveries;
mod events;
// The same statements for both databases, compiled for each.
#[path = "sql/api_keys.rs"]
mod api_keys;
#[path = "sql/audit.rs"]
mod audit;
#[path = "sql/copy.rs"]
mod copy;
#[path = "sql/delivery_log.rs"]
mod delivery_log;
#[path = "sql/event_log.rs"]
mod event_log;
#[path = "sql/invites.rs"]
mod invites;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/open.rs"]
mod open;
#[path = "sql/people.rs"]
mod people;
#[path = "sql/queue.rs"]
mod queue;
#[path = "sql/recovery.rs"]
mod recovery;
#[path = "sql/retention.rs"]
mod retention;
#[path = "sql/sessions.rs"]
mod sessions;
#[path = "sql/tally.rs"]
mod tally;
#[path = "sql/webhook_filter.rs"]
mod webhook_filter;
#[path = "sql/webhooks.rs"]
mod webhooks;

use std::{path::PathBuf, str::FromStr, time::Duration};

use sqlx::{
    Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Change, Invalidated, StoreError, migrations::SQLITE as MIGRATIONS};
use crate::domain::{AccountId, ApiKeyId};

/// What the shared statements are compiled for here.
use self::SqliteStore as Adapter;
use sqlx::{Sqlite as Database, SqliteConnection as Connection};

/// Readers that may wait on the disk at the same time.
const READERS: u32 = 4;

/// So many rows go into one statement: far below SQLite's limit of bound values, and long past the point where more
/// rows still make it cheaper per row.
const ROWS_PER_STATEMENT: usize = 200;

pub(super) struct SqliteStore {
    writer: SqlitePool,
    /// Writes what a power cut may undo. To use while the writer's connection is held: there is one writer at a time.
    hasty: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let cannot_open = |error: &dyn std::fmt::Display| {
            StoreError::Open(format!("the database {url} cannot be opened: {error}"))
        };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| cannot_open(&error))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was answered with 202 must survive a power cut: sync the log at every commit.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        create_directory_of(&options).map_err(|error| cannot_open(&error))?;

        let one_for_ever = || {
            SqlitePoolOptions::new()
                .max_connections(1)
                // Opening it again would throw away its page cache and prepared statements.
                .idle_timeout(None)
                .max_lifetime(None)
                .after_release(|connection, _| Box::pin(is_reusable(connection)))
        };
        let writer = one_for_ever()
            .connect_with(options.clone())
            .await
            .map_err(|error| cannot_open(&error))?;
        MIGRATIONS.run(&writer).await?;
        let hasty = one_for_ever().connect_lazy_with(options.clone().synchronous(SqliteSynchronous::Normal));
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await
            .map_err(|error| cannot_open(&error))?;
        Ok(Self {
            writer,
            hasty,
            readers,
        })
    }

    /// A transaction that may write.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// The ends of a copy.
impl SqliteStore {
    pub(super) fn file_of(url: &str) -> Result<PathBuf, StoreError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| StoreError::Open(format!("{url} names no SQLite file: {error}")))?;
        Ok(options.get_filename().to_owned())
    }

    /// Everything as of one moment.
    async fn begin_snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.readers.begin().await?)
    }

    async fn begin_copy(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.begin().await
    }
}

/// When the disk is full, SQLite itself ends the transaction. To sqlx it is still open, its `ROLLBACK` fails, and no
/// other transaction could ever begin: such a connection is replaced by a new one.
async fn is_reusable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // Waits for the rollback that the drop of the transaction has asked for.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

fn create_directory_of(options: &SqliteConnectOptions) -> std::io::Result<()> {
    match options.get_filename().parent() {
        Some(directory) if !directory.as_os_str().is_empty() => std::fs::create_dir_all(directory),
        _ => Ok(()),
    }
}

/// There is one writer.
async fn lock_account(_connection: &mut Connection, _account: &AccountId) -> Result<(), StoreError> {
    Ok(())
}

/// Nobody else writes: there is nothing to lock.
async fn lock_webhook(_connection: &mut Connection, _change: &Change) -> Result<(), StoreError> {
    Ok(())
}

/// There is nobody else.
async fn tell_others(
    _connection: &mut Connection,
    _store: &SqliteStore,
    _change: &Change,
    _what: Invalidated,
) -> Result<(), StoreError> {
    Ok(())
}

/// Nor here; only the commands do not know what a server remembers.
async fn tell_others_of_key(
    _connection: &mut Connection,
    _store: &SqliteStore,
    _key: &ApiKeyId,
) -> Result<(), StoreError> {
    Ok(())
}

/// A disk that is read-only, or full, shows only when something is written.
async fn require_writable(_store: &SqliteStore) -> Result<(), StoreError> {
    Ok(())
}
