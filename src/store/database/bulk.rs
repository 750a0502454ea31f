//! Statements with many rows of values, in the form that performs best on each database.

use sqlx::{Arguments as _, postgres::PgArguments};

use super::{
    Connection,
    connection::DriverConnection,
    query::{Query, query},
    row::{FromRow, Row},
    statement::statement,
    value::{Kind, Value},
};
use crate::store::StoreError;

/// Maximum number of rows per statement on SQLite. Each number of rows is a separate prepared statement: with 64
/// instead of 24, a busy process uses 10 % more memory and is not faster.
const MAX_ROWS: usize = 24;

/// A table of values, which replaces `{rows}` in a statement.
///
/// On PostgreSQL, the values are arrays for `unnest`, so that the statement has the same text for any number of rows.
/// On SQLite, they are a `values` clause, in chunks of [`MAX_ROWS`].
///
/// A statement can also have `{or_fail}` after its verb, which becomes `or fail` on SQLite. If a row fails, SQLite then
/// keeps the changes of the previous rows, and does not have to copy each page that it changes. The transaction is
/// rolled back anyway.
pub(in crate::store) struct Rows<const N: usize> {
    kinds: [Kind; N],
    rows: Vec<[Value; N]>,
}

impl<const N: usize> Rows<N> {
    pub(in crate::store) fn new(kinds: [Kind; N], rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        Self {
            kinds,
            rows: rows.into_iter().collect(),
        }
    }

    /// Returns the number of rows that the statement changed.
    pub(in crate::store) async fn execute(
        self,
        sql: &str,
        connection: &mut Connection,
    ) -> Result<u64, StoreError> {
        if self.rows.is_empty() {
            return Ok(0);
        }
        if let DriverConnection::Postgres(connection) = connection.driver() {
            let (sql, arrays) = self.arrays(sql)?;
            let done = sqlx::query_with(statement(sql.into()), arrays).execute(connection);
            return Ok(done.await?.rows_affected());
        }
        let mut changed = 0;
        for chunk in self.chunks(sql) {
            changed += chunk.execute(connection).await?;
        }
        Ok(changed)
    }

    /// Returns the result rows.
    pub(in crate::store) async fn fetch_all<T: FromRow>(
        self,
        sql: &str,
        connection: &mut Connection,
    ) -> Result<Vec<T>, StoreError> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        if let DriverConnection::Postgres(connection) = connection.driver() {
            let (sql, arrays) = self.arrays(sql)?;
            let found = sqlx::query_with(statement(sql.into()), arrays).fetch_all(connection);
            let found = found.await?.into_iter();
            return found.map(|row| T::from_row(&Row::Postgres(row))).collect();
        }
        let mut found = Vec::new();
        for chunk in self.chunks(sql) {
            found.extend(chunk.fetch_all(connection).await?);
        }
        Ok(found)
    }

    fn chunks(self, sql: &str) -> impl Iterator<Item = Query> {
        let sql = sql.replace("{or_fail}", "or fail");
        let mut rows = self.rows.into_iter();
        std::iter::from_fn(move || {
            let remaining = rows.len();
            if remaining == 0 {
                return None;
            }
            let size = remaining.min(MAX_ROWS);
            let row = format!("({})", ["?"; N].join(", "));
            let table = format!("values {}", vec![row.as_str(); size].join(", "));
            let mut query = query(sql.replace("{rows}", &table));
            for value in rows.by_ref().take(size).flatten() {
                query = query.bind_value(value);
            }
            Some(query)
        })
    }

    fn arrays(self, sql: &str) -> Result<(String, PgArguments), StoreError> {
        let length = self.rows.len();
        let mut columns: [Vec<Value>; N] = std::array::from_fn(|_| Vec::with_capacity(length));
        for row in self.rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let mut arguments = PgArguments::default();
        let mut arrays = Vec::with_capacity(N);
        for ((column, kind), position) in columns.into_iter().zip(self.kinds).zip(1..) {
            let values = column.into_iter();
            let (name, added) = match kind {
                Kind::Text => (
                    "text",
                    arguments.add(Vec::from_iter(values.map(Value::into_text))),
                ),
                Kind::Integer => (
                    "bigint",
                    arguments.add(Vec::from_iter(values.map(Value::into_integer))),
                ),
                Kind::Bytes => (
                    "bytea",
                    arguments.add(Vec::from_iter(values.map(Value::into_bytes))),
                ),
                Kind::Boolean => (
                    "boolean",
                    arguments.add(Vec::from_iter(values.map(Value::into_boolean))),
                ),
            };
            added.map_err(sqlx::Error::Encode)?;
            arrays.push(format!("${position}::{name}[]"));
        }
        let table = format!("select * from unnest({})", arrays.join(", "));
        let sql = sql.replace("{or_fail}", "").replace("{rows}", &table);
        Ok((sql, arguments))
    }
}

impl Value {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn into_integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            _ => None,
        }
    }

    fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn into_boolean(self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }
}
