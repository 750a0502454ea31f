use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, QueryBuilder, Row as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _,
};
use tokio::sync::mpsc;

use super::{Adapter, Connection, Database};
use crate::store::{
    StoreError,
    copy::{BYTES, End, Kind, Piece, ROWS, TABLES, Value},
};

type DatabaseRow = <Database as sqlx::Database>::Row;

#[async_trait]
impl End for Adapter {
    async fn count(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let mut counts = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")))
                .fetch_one(&self.readers)
                .await?;
            counts.push((table, u64::try_from(rows).unwrap_or(0)));
        }
        Ok(counts)
    }

    async fn read(&self, to: mpsc::Sender<Piece>) -> Result<(), StoreError> {
        let mut tx = self.begin_snapshot().await?;
        for name in TABLES {
            let kinds = kinds(&mut tx, name).await?;
            let columns: Vec<_> = kinds.iter().map(|(column, _)| column.clone()).collect();
            let sql = format!("select {} from {name}", columns.join(", "));
            hand_over(&to, Piece::Table { name, columns }).await?;
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *tx);
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.try_next().await? {
                let values = values(&row, &kinds)?;
                bytes += values.iter().map(Value::len).sum::<usize>();
                batch.push(values);
                if batch.len() == ROWS || bytes >= BYTES {
                    hand_over(&to, Piece::Rows(std::mem::take(&mut batch))).await?;
                    bytes = 0;
                }
            }
            if !batch.is_empty() {
                hand_over(&to, Piece::Rows(batch)).await?;
            }
        }
        Ok(())
    }

    async fn write(
        &self,
        mut from: mpsc::Receiver<Piece>,
        written: &(dyn Fn(&'static str, u64) + Send + Sync),
        complete: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_copy().await?;
        let mut table = "";
        let mut targets: Vec<(String, Kind)> = Vec::new();
        while let Some(piece) = from.recv().await {
            match piece {
                Piece::Table { name, columns } => {
                    let known = kinds(&mut tx, name).await?;
                    let kind_of = |column: &String| known.iter().find(|(name, _)| name == column).cloned();
                    let found: Option<Vec<_>> = columns.iter().map(kind_of).collect();
                    targets = found.ok_or(StoreError::Corrupt("column"))?;
                    table = name;
                    written(table, 0);
                }
                Piece::Rows(rows) => {
                    let count = rows.len() as u64;
                    insert(&mut tx, table, &targets, rows).await?;
                    written(table, count);
                }
            }
        }
        if complete() {
            tx.commit().await?;
        }
        Ok(())
    }
}

/// The reader need not go on if the writer has stopped, which will say why.
async fn hand_over(to: &mpsc::Sender<Piece>, piece: Piece) -> Result<(), StoreError> {
    to.send(piece)
        .await
        .map_err(|_| StoreError::Unavailable("the other end has stopped".to_owned()))
}

/// The columns of a table, and what they hold, as the database itself tells it.
async fn kinds(connection: &mut Connection, table: &str) -> Result<Vec<(String, Kind)>, StoreError> {
    let sql = AssertSqlSafe(format!("select * from {table}")).into_sql_str();
    let statement = connection.prepare(sql).await?;
    let columns = statement.columns().iter().map(|column| {
        let kind = Kind::of(column.type_info().name()).ok_or(StoreError::Corrupt("type of column"))?;
        Ok((column.name().to_owned(), kind))
    });
    columns.collect()
}

fn values(row: &DatabaseRow, kinds: &[(String, Kind)]) -> Result<Vec<Value>, StoreError> {
    let values = kinds.iter().enumerate().map(|(index, (_, kind))| {
        Ok(match kind {
            Kind::Text => Value::Text(row.try_get(index)?),
            Kind::Integer => Value::Integer(row.try_get(index)?),
            Kind::Bytes => Value::Bytes(row.try_get(index)?),
            Kind::Boolean => Value::Boolean(row.try_get(index)?),
        })
    });
    values.collect()
}

async fn insert(
    connection: &mut Connection,
    table: &str,
    targets: &[(String, Kind)],
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let columns: Vec<_> = targets.iter().map(|(column, _)| column.as_str()).collect();
    let mut insert = QueryBuilder::<Database>::new(format!("insert into {table} ({}) ", columns.join(", ")));
    insert.push_values(rows, |mut row, values| {
        for (value, (_, kind)) in values.into_iter().zip(targets) {
            match value.into_kind(*kind) {
                Value::Text(text) => row.push_bind(text),
                Value::Integer(number) => row.push_bind(number),
                Value::Bytes(bytes) => row.push_bind(bytes),
                Value::Boolean(truth) => row.push_bind(truth),
            };
        }
    });
    // Each batch may have another length: to keep the statements would only fill the cache.
    insert.build().persistent(false).execute(connection).await?;
    Ok(())
}
