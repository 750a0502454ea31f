//! Statements with bound values, for both databases.

use std::borrow::Cow;

use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use sqlx::{Arguments as _, SqlStr, postgres::PgArguments, sqlite::SqliteArguments};

use super::{
    Connection, Database, Dialect,
    connection::DriverConnection,
    row::{FromRow, Row},
    statement::statement,
    value::{Bind, Kind, Value},
};
use crate::store::StoreError;

/// A statement. Bound values are referred to as `$1`, `$2` and so on, in the order in which they are bound.
#[must_use]
pub(in crate::store) struct Query {
    sql: Cow<'static, str>,
    values: Vec<Value>,
    is_cached: bool,
}

pub(in crate::store) fn query(sql: impl Into<Cow<'static, str>>) -> Query {
    Query {
        sql: sql.into(),
        values: Vec::new(),
        is_cached: true,
    }
}

impl Query {
    /// Binds the next value.
    pub(in crate::store) fn bind(mut self, value: impl Bind) -> Self {
        self.values.push(value.into_value());
        self
    }

    /// Appends a row locking clause on PostgreSQL. SQLite has a single writer and no such clause.
    pub(in crate::store) fn locking(mut self, clause: &str, connection: &Connection) -> Self {
        if connection.dialect() == Dialect::Postgres {
            self.push(" ").push(clause);
        }
        self
    }

    /// Executes the statement in its own transaction. Returns the number of changed rows.
    pub(in crate::store) async fn execute_in(self, database: &Database) -> Result<u64, StoreError> {
        database.execute(self).await
    }

    pub(super) fn bind_value(mut self, value: Value) -> Self {
        self.values.push(value);
        self
    }

    /// Appends SQL.
    pub(in crate::store) fn push(&mut self, sql: impl AsRef<str>) -> &mut Self {
        self.sql.to_mut().push_str(sql.as_ref());
        self
    }

    /// Appends the placeholder of a value and binds the value.
    pub(in crate::store) fn push_bind(&mut self, value: impl Bind) -> &mut Self {
        self.push_value(value.into_value())
    }

    pub(in crate::store) fn push_value(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let name = format!("${}", self.values.len());
        self.push(name)
    }

    /// Appends and binds values, separated by commas.
    pub(in crate::store) fn push_list<V: Bind>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.push_bind(value);
        }
        self
    }

    /// Excludes the statement from the cache of prepared statements. A statement with varying text would evict the
    /// others.
    pub(in crate::store) fn uncached(mut self) -> Self {
        self.is_cached = false;
        self
    }

    /// Returns the number of changed rows.
    pub(in crate::store) async fn execute(self, connection: &mut Connection) -> Result<u64, StoreError> {
        let is_cached = self.is_cached;
        Ok(match connection.driver() {
            DriverConnection::Sqlite(connection) => {
                let (sql, values) = self.for_sqlite()?;
                let query = sqlx::query_with(sql, values).persistent(is_cached);
                query.execute(connection).await?.rows_affected()
            }
            DriverConnection::Postgres(connection) => {
                let (sql, values) = self.for_postgres()?;
                let query = sqlx::query_with(sql, values).persistent(is_cached);
                query.execute(connection).await?.rows_affected()
            }
        })
    }

    pub(in crate::store) async fn fetch_all<T: FromRow>(
        self,
        connection: &mut Connection,
    ) -> Result<Vec<T>, StoreError> {
        let is_cached = self.is_cached;
        match connection.driver() {
            DriverConnection::Sqlite(connection) => {
                let (sql, values) = self.for_sqlite()?;
                let query = sqlx::query_with(sql, values).persistent(is_cached);
                let rows = query.fetch_all(connection).await?;
                rows.into_iter()
                    .map(|row| T::from_row(&Row::Sqlite(row)))
                    .collect()
            }
            DriverConnection::Postgres(connection) => {
                let (sql, values) = self.for_postgres()?;
                let query = sqlx::query_with(sql, values).persistent(is_cached);
                let rows = query.fetch_all(connection).await?;
                rows.into_iter()
                    .map(|row| T::from_row(&Row::Postgres(row)))
                    .collect()
            }
        }
    }

    pub(in crate::store) async fn fetch_optional<T: FromRow>(
        self,
        connection: &mut Connection,
    ) -> Result<Option<T>, StoreError> {
        // The statement returns at most one row.
        Ok(self.fetch_all(connection).await?.into_iter().next())
    }

    pub(in crate::store) async fn fetch_one<T: FromRow>(
        self,
        connection: &mut Connection,
    ) -> Result<T, StoreError> {
        let row = self.fetch_optional(connection).await?;
        row.ok_or_else(|| StoreError::bug(sqlx::Error::RowNotFound))
    }

    /// Streams the rows, for results that do not fit into memory.
    pub(in crate::store) fn stream(
        self,
        connection: &mut Connection,
    ) -> Result<BoxStream<'_, Result<Row, StoreError>>, StoreError> {
        Ok(match connection.driver() {
            DriverConnection::Sqlite(connection) => {
                let (sql, values) = self.for_sqlite()?;
                let rows = sqlx::query_with(sql, values).fetch(connection);
                rows.map_ok(Row::Sqlite).err_into().boxed()
            }
            DriverConnection::Postgres(connection) => {
                let (sql, values) = self.for_postgres()?;
                let rows = sqlx::query_with(sql, values).fetch(connection);
                rows.map_ok(Row::Postgres).err_into().boxed()
            }
        })
    }

    fn for_sqlite(self) -> Result<(SqlStr, SqliteArguments), StoreError> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            match value {
                Value::Text(text) => arguments.add(text),
                Value::Integer(number) => arguments.add(number),
                Value::Bytes(bytes) => arguments.add(bytes),
                Value::Boolean(boolean) => arguments.add(boolean),
                Value::Null(_) => arguments.add(None::<i64>),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok((statement(self.sql), arguments))
    }

    fn for_postgres(self) -> Result<(SqlStr, PgArguments), StoreError> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            match value {
                Value::Text(text) => arguments.add(text),
                Value::Integer(number) => arguments.add(number),
                Value::Bytes(bytes) => arguments.add(bytes),
                Value::Boolean(boolean) => arguments.add(boolean),
                Value::Null(Kind::Text) => arguments.add(None::<String>),
                Value::Null(Kind::Integer) => arguments.add(None::<i64>),
                Value::Null(Kind::Bytes) => arguments.add(None::<Vec<u8>>),
                Value::Null(Kind::Boolean) => arguments.add(None::<bool>),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok((statement(self.sql), arguments))
    }
}
