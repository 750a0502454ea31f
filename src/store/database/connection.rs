//! Connections and transactions of either database.

use sqlx::{
    Column, Executor as _, PgConnection, Postgres, Sqlite, SqliteConnection, Statement as _, TypeInfo as _,
    pool::PoolConnection,
};

use super::{sqlite::WriteTransaction, statement::statement, value::Kind};
use crate::store::StoreError;

/// A connection to either database, inside a transaction or not.
pub(in crate::store) struct Connection(Inner);

enum Inner {
    SqliteReader(PoolConnection<Sqlite>),
    SqliteSnapshot(sqlx::Transaction<'static, Sqlite>),
    SqliteWrite(WriteTransaction),
    Postgres(PoolConnection<Postgres>),
    PostgresTransaction(sqlx::Transaction<'static, Postgres>),
}

/// Kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    Sqlite,
    Postgres,
}

/// Connection of the driver.
pub(super) enum DriverConnection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Connection {
    pub(super) fn driver(&mut self) -> DriverConnection<'_> {
        match &mut self.0 {
            Inner::SqliteReader(connection) => DriverConnection::Sqlite(connection),
            Inner::SqliteSnapshot(transaction) => DriverConnection::Sqlite(transaction),
            Inner::SqliteWrite(transaction) => DriverConnection::Sqlite(transaction.connection()),
            Inner::Postgres(connection) => DriverConnection::Postgres(connection),
            Inner::PostgresTransaction(transaction) => DriverConnection::Postgres(transaction),
        }
    }

    pub(in crate::store) fn dialect(&self) -> Dialect {
        match &self.0 {
            Inner::SqliteReader(_) | Inner::SqliteSnapshot(_) | Inner::SqliteWrite(_) => Dialect::Sqlite,
            Inner::Postgres(_) | Inner::PostgresTransaction(_) => Dialect::Postgres,
        }
    }

    /// Returns the names and types of the columns of a table.
    pub(in crate::store) async fn columns_of(
        &mut self,
        table: &str,
    ) -> Result<Vec<(String, Kind)>, StoreError> {
        let sql = statement(format!("select * from {table}").into());
        let columns: Vec<_> = match self.driver() {
            DriverConnection::Sqlite(connection) => names_and_types(connection.prepare(sql).await?.columns()),
            DriverConnection::Postgres(connection) => {
                names_and_types(connection.prepare(sql).await?.columns())
            }
        };
        let columns = columns.into_iter().map(|(name, type_name)| {
            let kind = Kind::from_type_name(&type_name).ok_or(StoreError::Corrupt("type of column"))?;
            Ok((name, kind))
        });
        columns.collect()
    }

    /// Runs a statement on PostgreSQL only.
    pub(in crate::store) async fn on_postgres(&mut self, sql: &'static str) -> Result<(), StoreError> {
        if let DriverConnection::Postgres(connection) = self.driver() {
            sqlx::query(sql).execute(connection).await?;
        }
        Ok(())
    }
}

fn names_and_types<C: Column>(columns: &[C]) -> Vec<(String, String)> {
    let columns = columns.iter();
    columns
        .map(|column| (column.name().to_owned(), column.type_info().name().to_owned()))
        .collect()
}

impl From<PoolConnection<Sqlite>> for Connection {
    fn from(connection: PoolConnection<Sqlite>) -> Self {
        Self(Inner::SqliteReader(connection))
    }
}

impl From<PoolConnection<Postgres>> for Connection {
    fn from(connection: PoolConnection<Postgres>) -> Self {
        Self(Inner::Postgres(connection))
    }
}

/// A transaction. Rolls back when dropped without a commit.
pub(in crate::store) struct Transaction(Connection);

impl Transaction {
    /// Returns when the transaction is durable, unless it was begun without a sync.
    pub(in crate::store) async fn commit(self) -> Result<(), StoreError> {
        match self.0.0 {
            Inner::SqliteWrite(transaction) => transaction.commit().await,
            Inner::PostgresTransaction(transaction) => {
                transaction.commit().await.map_err(StoreError::from_commit)
            }
            Inner::SqliteReader(_) | Inner::SqliteSnapshot(_) | Inner::Postgres(_) => Ok(()),
        }
    }
}

impl std::ops::Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl std::ops::DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl From<WriteTransaction> for Transaction {
    fn from(transaction: WriteTransaction) -> Self {
        Self(Connection(Inner::SqliteWrite(transaction)))
    }
}

impl From<sqlx::Transaction<'static, Sqlite>> for Transaction {
    fn from(snapshot: sqlx::Transaction<'static, Sqlite>) -> Self {
        Self(Connection(Inner::SqliteSnapshot(snapshot)))
    }
}

impl From<sqlx::Transaction<'static, Postgres>> for Transaction {
    fn from(transaction: sqlx::Transaction<'static, Postgres>) -> Self {
        Self(Connection(Inner::PostgresTransaction(transaction)))
    }
}
