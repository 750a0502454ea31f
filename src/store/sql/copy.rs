use futures_util::TryStreamExt as _;
use tokio::sync::mpsc;

use crate::store::{
    Store, StoreError,
    copy::{Chunk, MAX_BYTES, MAX_ROWS, TABLES},
    database::{Connection, Kind, Transaction, Value, query},
    event_keys::SEQUENCE,
};

/// Reading and writing whole tables, for a copy.
impl Store {
    /// Returns the number of rows of each table.
    pub(in crate::store) async fn count_rows(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let mut reader = self.read().await?;
        let mut counts = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let count = query(format!("select count(*) from {table}"));
            counts.push((table, count.fetch_one(&mut reader).await?));
        }
        Ok(counts)
    }

    /// Reads all tables in one snapshot.
    pub(in crate::store) async fn read_tables(&self, to: mpsc::Sender<Chunk>) -> Result<(), StoreError> {
        let mut tx = self.snapshot().await?;
        disable_idle_timeout(&mut tx).await?;
        for name in TABLES {
            let kinds = tx.columns_of(name).await?;
            let columns: Vec<_> = kinds.iter().map(|(column, _)| column.clone()).collect();
            let select = query(format!("select {} from {name}", columns.join(", ")));
            send(&to, Chunk::Table { name, columns }).await?;
            let mut rows = select.stream(&mut tx)?;
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.try_next().await? {
                let values: Vec<_> = kinds
                    .iter()
                    .enumerate()
                    .map(|(column, (_, kind))| row.value(column, *kind))
                    .collect::<Result<_, _>>()?;
                bytes += values.iter().map(Value::len).sum::<usize>();
                batch.push(values);
                if batch.len() == MAX_ROWS || bytes >= MAX_BYTES {
                    send(&to, Chunk::Rows(std::mem::take(&mut batch))).await?;
                    bytes = 0;
                }
            }
            if !batch.is_empty() {
                send(&to, Chunk::Rows(batch)).await?;
            }
        }
        Ok(())
    }

    /// Writes all chunks in one transaction. At the end of the channel, commits if `is_complete` returns `true`.
    pub(in crate::store) async fn write_tables(
        &self,
        mut from: mpsc::Receiver<Chunk>,
        count_copied: &(dyn Fn(&'static str, u64) + Send + Sync),
        is_complete: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        disable_idle_timeout(&mut tx).await?;
        let mut table = "";
        let mut targets: Vec<(String, Kind)> = Vec::new();
        while let Some(chunk) = from.recv().await {
            match chunk {
                Chunk::Table { name, columns } => {
                    let known = tx.columns_of(name).await?;
                    let kind_of = |column: &String| known.iter().find(|(name, _)| name == column).cloned();
                    let found: Option<Vec<_>> = columns.iter().map(kind_of).collect();
                    targets = found.ok_or(StoreError::Corrupt("column"))?;
                    table = name;
                    count_copied(table, 0);
                }
                Chunk::Rows(rows) => {
                    let count = rows.len() as u64;
                    insert(&mut tx, table, &targets, rows).await?;
                    count_copied(table, count);
                }
            }
        }
        if is_complete() {
            if self.is_shared() {
                query(format!(
                    "select setval('{SEQUENCE}', (select coalesce(max(key), 0) + 1 from events))"
                ))
                .execute(&mut tx)
                .await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Disables the timeout of idle transactions, because the reader and the writer wait for each other.
async fn disable_idle_timeout(tx: &mut Transaction) -> Result<(), StoreError> {
    tx.on_postgres("set local idle_in_transaction_session_timeout = 0")
        .await
}

/// Sends a chunk to the writer. Fails if the writer has stopped, which reports its own error.
async fn send(to: &mpsc::Sender<Chunk>, chunk: Chunk) -> Result<(), StoreError> {
    to.send(chunk)
        .await
        .map_err(|_| StoreError::unavailable("the writer has stopped"))
}

async fn insert(
    connection: &mut Connection,
    table: &str,
    targets: &[(String, Kind)],
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let columns: Vec<_> = targets.iter().map(|(column, _)| column.as_str()).collect();
    // The number of rows varies, so the statements would only fill the cache.
    let mut insert = query(format!("insert into {table} ({}) values ", columns.join(", "))).uncached();
    for (index, row) in rows.into_iter().enumerate() {
        insert.push(if index > 0 { ", (" } else { "(" });
        for (index, (value, (_, kind))) in row.into_iter().zip(targets).enumerate() {
            if index > 0 {
                insert.push(", ");
            }
            insert.push_value(value.into_kind(*kind));
        }
        insert.push(")");
    }
    insert.execute(connection).await?;
    Ok(())
}
