//! Everything in one database into another, empty one, of the same kind or the other.
//!
//! One reads while the other writes, a few rows ahead of it. The reader sees one moment of its database, and all that
//! is written is one transaction: whatever interrupts a copy leaves the target empty.

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{StoreError, is_postgres, postgres::PostgresStore, sqlite::SqliteStore};

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

/// Rows travel together up to so many,
pub(super) const ROWS: usize = 500;

/// and up to so many bytes, the last row excepted.
pub(super) const BYTES: usize = 1024 * 1024;

/// How many batches the reader may be ahead.
const AHEAD: usize = 4;

/// A value on its way. The types are those of both databases together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Option<Vec<u8>>),
    Boolean(Option<bool>),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Bytes,
    Boolean,
}

impl Kind {
    /// By the name of a type in either database.
    pub(super) fn of(type_name: &str) -> Option<Self> {
        match type_name {
            "TEXT" => Some(Self::Text),
            "INTEGER" | "INT8" => Some(Self::Integer),
            "BLOB" | "BYTEA" => Some(Self::Bytes),
            "BOOLEAN" | "BOOL" => Some(Self::Boolean),
            _ => None,
        }
    }
}

impl Value {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.as_ref().map_or(0, String::len),
            Self::Bytes(bytes) => bytes.as_ref().map_or(0, Vec::len),
            Self::Integer(_) | Self::Boolean(_) => 8,
        }
    }

    /// As the other database writes it: SQLite has no truth values but numbers, and PostgreSQL no text with NUL.
    pub(super) fn into_kind(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::Integer(number), Kind::Boolean) => Self::Boolean(number.map(|number| number != 0)),
            (Self::Boolean(truth), Kind::Integer) => Self::Integer(truth.map(i64::from)),
            (Self::Text(Some(text)), _) if text.contains('\0') => {
                Self::Text(Some(text.replace('\0', "\u{fffd}")))
            }
            (value, _) => value,
        }
    }
}

/// What the reader hands to the writer, in this order for each table.
pub(super) enum Piece {
    Table {
        name: &'static str,
        columns: Vec<String>,
    },
    Rows(Vec<Vec<Value>>),
}

/// One end of a copy.
#[async_trait]
pub(super) trait End: Send + Sync {
    /// How many rows each table has.
    async fn count(&self) -> Result<Vec<(&'static str, u64)>, StoreError>;
    /// Reads all tables as of one moment.
    async fn read(&self, to: mpsc::Sender<Piece>) -> Result<(), StoreError>;
    /// Writes what comes until nothing more does, in one transaction, which is committed only if `complete` says so.
    async fn write(
        &self,
        from: mpsc::Receiver<Piece>,
        written: &(dyn Fn(&'static str, u64) + Send + Sync),
        complete: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), StoreError>;
}

async fn open(url: &str) -> Result<Box<dyn End>, StoreError> {
    if is_postgres(url) {
        Ok(Box::new(PostgresStore::open(url).await?))
    } else {
        Ok(Box::new(SqliteStore::open(url).await?))
    }
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
        let file = SqliteStore::file_of(from).map_err(CopyError::From)?;
        if !file.is_file() {
            return Err(CopyError::NoFile(file.display().to_string()));
        }
    }
    let source = open(from).await.map_err(CopyError::From)?;
    let target = open(to).await.map_err(CopyError::To)?;
    let there = target.count().await.map_err(CopyError::To)?;
    if let Some((table, _)) = there.iter().find(|(_, rows)| *rows > 0) {
        return Err(CopyError::NotEmpty(table));
    }
    let total = source.count().await.map_err(CopyError::From)?;
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
        let result = source.read(sender.clone()).await;
        // Before the writer sees that nothing more comes.
        read_to_the_end.store(result.is_ok(), std::sync::atomic::Ordering::Release);
        drop(sender);
        result
    };
    let complete = || read_to_the_end.load(std::sync::atomic::Ordering::Acquire);
    let (read, wrote) = tokio::join!(read, target.write(receiver, &written, &complete));
    // If the writer stopped, the reader only says that nobody listens.
    wrote.map_err(CopyError::To)?;
    read.map_err(CopyError::From)?;
    Ok(done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_the_other_database_has() {
        assert_eq!(
            Value::Integer(Some(1)).into_kind(Kind::Boolean),
            Value::Boolean(Some(true))
        );
        assert_eq!(
            Value::Integer(None).into_kind(Kind::Boolean),
            Value::Boolean(None)
        );
        assert_eq!(
            Value::Boolean(Some(false)).into_kind(Kind::Integer),
            Value::Integer(Some(0))
        );
        let text = Value::Text(Some("a\0b".to_owned())).into_kind(Kind::Text);
        assert_eq!(text, Value::Text(Some("a\u{fffd}b".to_owned())));
    }
}
