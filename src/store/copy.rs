//! Copies a database into an empty one, of the same or the other kind.
//!
//! The source is read in one snapshot and the target is written in one transaction, so an interrupted copy leaves the
//! target empty. Both run concurrently, connected by a bounded channel.

use tokio::sync::mpsc;

use super::{
    Store, StoreError,
    database::{Purpose, Value},
};

/// Tables to copy. Each follows the tables that it references. All other tables are about running processes,
/// migrations, recently submitted forms or files of the program.
pub(super) const TABLES: [&str; 17] = [
    "accounts",
    "users",
    "invites",
    "sessions",
    "login_failures",
    "api_keys",
    "audit_log",
    "webhooks",
    "webhook_hours",
    "webhook_latencies",
    "webhook_history",
    "webhook_paces",
    "recoveries",
    "events",
    "fan_outs",
    "deliveries",
    "attempts",
];

/// Maximum number of rows per chunk.
pub(super) const MAX_ROWS: usize = 500;

/// Size at which a chunk is complete. The last row may exceed it.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Maximum number of chunks that the reader is ahead of the writer.
const MAX_CHUNKS_AHEAD: usize = 4;

/// Data that the reader sends to the writer.
pub(super) enum Chunk {
    /// Start of a table.
    Table {
        name: &'static str,
        columns: Vec<String>,
    },
    /// Rows of the last table.
    Rows(Vec<Vec<Value>>),
}

/// Error of a copy. Nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("--from and --to are the same database.")]
    Same,
    #[error(
        "--to: the database is not empty, its table {0} has rows. Copy into a new database, before starting Caleida on it."
    )]
    NotEmpty(&'static str),
    #[error("--from: {0}")]
    From(StoreError),
    #[error("--to: {0}")]
    To(StoreError),
}

/// Progress of a copy.
#[derive(Debug, Clone, Copy)]
pub struct CopyProgress {
    /// Table of the last copied rows.
    pub table: &'static str,
    /// Number of rows copied so far, of all tables.
    pub rows: u64,
    /// Number of rows to copy, of all tables.
    pub total: u64,
}

/// Copies all tables except those about running processes. Applies missing migrations to both databases first. Returns
/// the number of rows of each table.
pub async fn copy(
    from: &str,
    to: &str,
    progress: &(dyn Fn(CopyProgress) + Send + Sync),
) -> Result<Vec<(&'static str, u64)>, CopyError> {
    if from == to {
        return Err(CopyError::Same);
    }
    let source = Store::connect(from, Purpose::Command)
        .await
        .map_err(CopyError::From)?;
    // A server on the target would write at the same time.
    let target = match Store::connect(to, Purpose::Serve).await {
        Ok(target) => target,
        Err(error) => {
            close(&source).await;
            return Err(CopyError::To(error));
        }
    };
    let copied = copy_tables(&source, &target, progress).await;
    close(&source).await;
    close(&target).await;
    copied
}

async fn close(store: &Store) {
    if let Err(error) = store.close().await {
        tracing::warn!(%error, "failed to close the database");
    }
}

async fn copy_tables(
    source: &Store,
    target: &Store,
    progress: &(dyn Fn(CopyProgress) + Send + Sync),
) -> Result<Vec<(&'static str, u64)>, CopyError> {
    let existing = target.count_rows().await.map_err(CopyError::To)?;
    if let Some((table, _)) = existing.iter().find(|(_, rows)| *rows > 0) {
        return Err(CopyError::NotEmpty(table));
    }
    let total = source.count_rows().await.map_err(CopyError::From)?;
    let total = total.iter().map(|(_, rows)| rows).sum();

    let (sender, receiver) = mpsc::channel(MAX_CHUNKS_AHEAD);
    let is_read_completely = std::sync::atomic::AtomicBool::new(false);
    let copied = std::sync::Mutex::new((0, Vec::<(&'static str, u64)>::new()));
    let count_copied = |table: &'static str, rows: u64| {
        let mut copied = copied.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (sum, tables) = &mut *copied;
        *sum += rows;
        match tables.last_mut() {
            Some((last, count)) if *last == table => *count += rows,
            _ => tables.push((table, rows)),
        }
        progress(CopyProgress {
            table,
            rows: *sum,
            total,
        });
    };
    let read = async {
        let sender = sender;
        let result = source.read_tables(sender.clone()).await;
        // Must precede the drop of the sender, after which the writer decides whether to commit.
        is_read_completely.store(result.is_ok(), std::sync::atomic::Ordering::Release);
        drop(sender);
        result
    };
    let is_complete = || is_read_completely.load(std::sync::atomic::Ordering::Acquire);
    let (read, wrote) = tokio::join!(read, target.write_tables(receiver, &count_copied, &is_complete));
    // The error of the writer comes first: if the writer stopped, the reader only reports the closed channel.
    wrote.map_err(CopyError::To)?;
    read.map_err(CopyError::From)?;
    let (_, tables) = copied
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(tables)
}
