//! The two databases behind one narrow interface: a statement with values of four types goes in, rows come out.
//!
//! Statements are written and compiled once, in [`sql`](super::sql). What differs is here: how a transaction begins and
//! commits, how many rows go into one statement, and how long a lock is held.

#[macro_use]
mod row;

mod bulk;
mod connection;
mod postgres;
mod query;
mod sqlite;
mod statement;
mod value;

use super::StoreError;

pub(super) use bulk::Rows;
pub(super) use connection::{Connection, Dialect, Transaction};
pub(super) use postgres::Postgres;
pub(super) use query::{Query, query};
pub(super) use row::{Field, FromRow, Row};
pub(super) use sqlite::{Sqlite, file_of};
pub(super) use value::{Bind, Kind, Value};

pub(super) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(if super::is_postgres(url) {
            Self::Postgres(Postgres::open(url).await?)
        } else {
            Self::Sqlite(Sqlite::open(url).await?)
        })
    }

    /// Fails if writes cannot succeed before a restart.
    pub(super) fn require_working(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.require_working(),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// A connection for statements that only read.
    pub(super) async fn read(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.read().await?.into()),
            Self::Postgres(postgres) => postgres.acquire().await,
        }
    }

    /// Reads whose statements see the same moment.
    pub(super) async fn snapshot(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.snapshot().await?.into()),
            Self::Postgres(postgres) => {
                postgres
                    .begin_with("begin isolation level repeatable read read only")
                    .await
            }
        }
    }

    /// A transaction that may write.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.begin().await?.into()),
            Self::Postgres(postgres) => postgres.begin().await,
        }
    }

    /// A transaction whose commit does not wait for the disk: a power cut may undo it.
    pub(super) async fn begin_unsynced(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.begin_unsynced().await?.into()),
            Self::Postgres(postgres) => {
                let mut transaction = postgres.begin().await?;
                transaction
                    .on_postgres("set local synchronous_commit = off")
                    .await?;
                Ok(transaction)
            }
        }
    }

    /// Executes one statement by itself.
    pub(super) async fn execute(&self, query: Query) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(_) => {
                let mut transaction = self.begin().await?;
                let changed = query.execute(&mut transaction).await?;
                transaction.commit().await?;
                Ok(changed)
            }
            Self::Postgres(postgres) => query.execute(&mut postgres.acquire().await?).await,
        }
    }

    /// What several processes need of a database that they share.
    pub(super) fn shared(&self) -> Option<&Postgres> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(postgres) => Some(postgres),
        }
    }
}

#[cfg(test)]
impl Database {
    /// Counts what SQLite executes from now on, in steps of ten instructions of its virtual machine.
    pub(super) async fn count_instructions(&self) -> std::sync::Arc<std::sync::atomic::AtomicU64> {
        let Self::Sqlite(sqlite) = self else {
            panic!("PostgreSQL does not count them");
        };
        sqlite.count_instructions().await
    }
}
