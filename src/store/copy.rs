//! Everything in one database into another, empty one, of the same kind or the other.
//!
//! One reads while the other writes, a few rows ahead of it. The reader sees one moment of its database, and all that
//! is written is one transaction: whatever interrupts a copy leaves the target empty.

use tokio::sync::mpsc;

use super::{
    Store, StoreError,
    database::{Value, file_of},
    is_postgres,
};

/// What is copied, each table after those that it refers to. The rest tells of processes that are alive, and of the
/// migrations of its own database.
pub(super) const TABLES: [&str; 15] = [
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
    "recoveries",
    "events",
    "deliveries",
    "attempts",
];

/// The most rows that travel together.
pub(super) const MAX_ROWS: usize = 500;

/// The most bytes that travel together, the last row excepted.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// How many batches the reader may be ahead.
const AHEAD: usize = 4;

/// What the reader hands to the writer, in this order for each table.
pub(super) enum Piece {
    Table {
        name: &'static str,
        columns: Vec<String>,
    },
    Rows(Vec<Vec<Value>>),
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("--from and --to are the same database.")]
    Same,
    #[error("--from: there is no file {0}.")]
    NoFile(String),
    #[error(
        "--to: the database is not empty, its table {0} has rows. Copy into a new one, before Caleida is started on it."
    )]
    NotEmpty(&'static str),
    #[error("--from: {0}")]
    From(StoreError),
    #[error("--to: {0}")]
    To(StoreError),
}

/// How far a copy is: rows of this table, and of all.
#[derive(Debug, Clone, Copy)]
pub struct CopyProgress {
    pub table: &'static str,
    pub rows: u64,
    pub total: u64,
}

/// Copies everything but what tells of living processes. Both get the migrations that they lack. Answers the rows of
/// each table.
pub async fn copy(
    from: &str,
    to: &str,
    progress: &(dyn Fn(CopyProgress) + Send + Sync),
) -> Result<Vec<(&'static str, u64)>, CopyError> {
    if from == to {
        return Err(CopyError::Same);
    }
    if !is_postgres(from) {
        // To open it would make it.
        let file = file_of(from).map_err(CopyError::From)?;
        if !file.is_file() {
            return Err(CopyError::NoFile(file.display().to_string()));
        }
    }
    let source = Store::connect(from).await.map_err(CopyError::From)?;
    let target = Store::connect(to).await.map_err(CopyError::To)?;
    let there = target.count_rows().await.map_err(CopyError::To)?;
    if let Some((table, _)) = there.iter().find(|(_, rows)| *rows > 0) {
        return Err(CopyError::NotEmpty(table));
    }
    let total = source.count_rows().await.map_err(CopyError::From)?;
    let total = total.iter().map(|(_, rows)| rows).sum();

    let (sender, receiver) = mpsc::channel(AHEAD);
    let read_to_the_end = std::sync::atomic::AtomicBool::new(false);
    let done = std::sync::Mutex::new((0, Vec::<(&'static str, u64)>::new()));
    let written = |table: &'static str, rows: u64| {
        let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        done.0 += rows;
        match done.1.last_mut() {
            Some((last, count)) if *last == table => *count += rows,
            _ => done.1.push((table, rows)),
        }
        progress(CopyProgress {
            table,
            rows: done.0,
            total,
        });
    };
    let read = async {
        let sender = sender;
        let result = source.read_tables(sender.clone()).await;
        // Before the writer sees that nothing more comes.
        read_to_the_end.store(result.is_ok(), std::sync::atomic::Ordering::Release);
        drop(sender);
        result
    };
    let complete = || read_to_the_end.load(std::sync::atomic::Ordering::Acquire);
    let (read, wrote) = tokio::join!(read, target.write_tables(receiver, &written, &complete));
    // If the writer stopped, the reader only says that nobody listens.
    wrote.map_err(CopyError::To)?;
    read.map_err(CopyError::From)?;
    Ok(done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .1)
}
