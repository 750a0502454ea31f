//! A small interface to both databases: statements with bound values of four types, and rows.
//!
//! [`sql`](super::sql) has a single version of each statement. This module contains the differences: how transactions
//! begin and commit, and how many rows go into one statement.

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
pub(super) use sqlite::Sqlite;
pub(super) use value::{Bind, Kind, Value};

/// Why a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To serve it: creates it if it does not exist. Only one process can serve an SQLite file.
    Serve,
    /// To create it or to apply migrations.
    Create,
    /// To run a command that makes sense only if there is a database.
    Command,
}

pub(super) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    pub(super) async fn open(url: &str, purpose: Purpose) -> Result<Self, StoreError> {
        Ok(if super::is_postgres(url) {
            Self::Postgres(Postgres::open(url, purpose).await?)
        } else {
            Self::Sqlite(Sqlite::open(url, purpose).await?)
        })
    }

    /// Closes all connections. Waits for operations in progress; later ones fail.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Postgres(postgres) => {
                postgres.close().await;
                Ok(())
            }
        }
    }

    /// Returns some unused disk space to the file system. Returns whether there is more.
    pub(super) async fn shrink(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.shrink().await,
            // Autovacuum does this.
            Self::Postgres(_) => Ok(false),
        }
    }

    /// Fails if writes cannot succeed before a restart.
    pub(super) fn require_working(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.require_working(),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Returns a connection for reads.
    pub(super) async fn read(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.read().await?.into()),
            Self::Postgres(postgres) => postgres.acquire().await,
        }
    }

    /// Begins a read-only transaction whose statements all see the same state.
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

    /// Begins a transaction for writes.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.begin().await?.into()),
            Self::Postgres(postgres) => postgres.begin().await,
        }
    }

    /// Begins a transaction whose commit does not wait for the disk. A power failure may undo it.
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

    /// Executes a statement in its own transaction.
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

    /// Returns the database if other processes can share it.
    pub(super) fn shared(&self) -> Option<&Postgres> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(postgres) => Some(postgres),
        }
    }
}

#[cfg(test)]
impl Database {
    /// Counts the instructions that SQLite executes from now on, in units of ten instructions of its virtual machine.
    pub(super) async fn count_instructions(&self) -> std::sync::Arc<std::sync::atomic::AtomicU64> {
        let Self::Sqlite(sqlite) = self else {
            panic!("PostgreSQL does not count instructions");
        };
        sqlite.count_instructions().await
    }
}
