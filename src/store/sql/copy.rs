use futures_util::TryStreamExt as _;
use tokio::sync::mpsc;

use crate::store::{
    Store, StoreError,
    copy::{MAX_BYTES, MAX_ROWS, Piece, TABLES},
    database::{Connection, Kind, Transaction, Value, query},
    event_keys::SEQUENCE,
};

/// One end of a copy.
impl Store {
    /// How many rows each table has.
    pub(in crate::store) async fn count_rows(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let mut reader = self.read().await?;
        let mut counts = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let count = query(format!("select count(*) from {table}"));
            counts.push((table, count.fetch_one(&mut reader).await?));
        }
        Ok(counts)
    }

    /// Reads all tables as of one moment.
    pub(in crate::store) async fn read_tables(&self, to: mpsc::Sender<Piece>) -> Result<(), StoreError> {
        let mut tx = self.snapshot().await?;
        wait_patiently(&mut tx).await?;
        for name in TABLES {
            let kinds = tx.columns_of(name).await?;
            let columns: Vec<_> = kinds.iter().map(|(column, _)| column.clone()).collect();
            let select = query(format!("select {} from {name}", columns.join(", ")));
            hand_over(&to, Piece::Table { name, columns }).await?;
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

    /// Writes what comes until nothing more does, in one transaction, which is committed only if `complete` says so.
    pub(in crate::store) async fn write_tables(
        &self,
        mut from: mpsc::Receiver<Piece>,
        written: &(dyn Fn(&'static str, u64) + Send + Sync),
        complete: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        wait_patiently(&mut tx).await?;
        let mut table = "";
        let mut targets: Vec<(String, Kind)> = Vec::new();
        while let Some(piece) = from.recv().await {
            match piece {
                Piece::Table { name, columns } => {
                    let known = tx.columns_of(name).await?;
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

/// The two ends may wait for each other, so a pause inside the transaction is no sign of a frozen process.
async fn wait_patiently(tx: &mut Transaction) -> Result<(), StoreError> {
    tx.on_postgres("set local idle_in_transaction_session_timeout = 0")
        .await
}

/// The reader need not go on if the writer has stopped, which will say why.
async fn hand_over(to: &mpsc::Sender<Piece>, piece: Piece) -> Result<(), StoreError> {
    to.send(piece)
        .await
        .map_err(|_| StoreError::unavailable("the other end has stopped"))
}

async fn insert(
    connection: &mut Connection,
    table: &str,
    targets: &[(String, Kind)],
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let columns: Vec<_> = targets.iter().map(|(column, _)| column.as_str()).collect();
    // Each batch may have another length: to keep the statements would only fill the cache.
    let mut insert = query(format!("insert into {table} ({}) values ", columns.join(", "))).once();
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
