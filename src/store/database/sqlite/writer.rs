//! The connection for writes, which runs one transaction at a time.

use std::{path::Path, sync::Arc};

use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use super::log_sync::LogSync;
use crate::store::{StoreError, migrations::SQLITE as MIGRATIONS};

pub(super) struct Writer {
    connection: Arc<Mutex<SqliteConnection>>,
    log: LogSync,
}

impl Writer {
    /// Opens the connection and applies the missing migrations.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        // A commit only appends to the log: `LogSync` syncs it.
        let options = options.synchronous(SqliteSynchronous::Normal);
        let mut connection = options.connect().await?;
        MIGRATIONS.run(&mut connection).await?;
        // The path with resolved symbolic links, as used by SQLite.
        let file: String = sqlx::query_scalar("select file from pragma_database_list where name = 'main'")
            .fetch_one(&mut connection)
            .await?;
        let log = format!("{file}-wal");
        let log = LogSync::open(Path::new(&log))
            .map_err(|error| StoreError::Open(format!("failed to open {log}: {error}")))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            log,
        })
    }

    /// Fails if writes can no longer be confirmed.
    pub(super) fn require_working(&self) -> Result<(), StoreError> {
        self.log.require_working()
    }

    /// Begins a transaction, after the previous one has ended.
    pub(super) async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        self.require_working()?;
        let mut transaction = WriteTransaction {
            connection: Some(Arc::clone(&self.connection).lock_owned().await),
            log: Some(self.log.clone()),
        };
        // A deferred transaction that reads first fails to write if another process has written in the meantime.
        run(transaction.connection(), "begin immediate").await?;
        Ok(transaction)
    }

    /// Begins a transaction whose commit does not wait for the disk. A power failure may undo it.
    pub(super) async fn begin_unsynced(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.begin().await?;
        transaction.log = None;
        Ok(transaction)
    }
}

#[cfg(test)]
impl Writer {
    pub(super) async fn count_instructions(&self, count: &Arc<std::sync::atomic::AtomicU64>) {
        super::count_on(&mut *self.connection.lock().await, count).await;
    }
}

/// A transaction. Rolls back when dropped without a commit.
pub(in crate::store::database) struct WriteTransaction {
    /// `None` after the end of the transaction.
    connection: Option<OwnedMutexGuard<SqliteConnection>>,
    /// `None` if the commit does not wait for the disk.
    log: Option<LogSync>,
}

impl WriteTransaction {
    pub(in crate::store::database) fn connection(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("the transaction has not ended")
    }

    /// Returns when the transaction is on the disk. Other transactions can begin before that.
    pub(in crate::store::database) async fn commit(mut self) -> Result<(), StoreError> {
        run(self.connection(), "commit").await?;
        self.connection = None;
        match self.log.take() {
            Some(log) => log.sync().await,
            None => Ok(()),
        }
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        if let (Some(mut connection), Ok(runtime)) = (self.connection.take(), Handle::try_current()) {
            // Fails if SQLite has already rolled back, for example because the disk is full.
            runtime.spawn(async move { run(&mut connection, "rollback").await });
        }
    }
}

/// Runs a statement without values.
async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::{super::log_sync, *};

    #[tokio::test]
    async fn commit_fails_if_its_sync_fails() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("test.db"))
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        let mut writer = Writer::open(options).await.unwrap();
        writer.begin().await.unwrap().commit().await.unwrap();

        writer.log = log_sync::tests::broken();
        let unsynced = writer.begin_unsynced().await.unwrap();
        unsynced.commit().await.unwrap();
        let failed = writer.begin().await.unwrap().commit().await.unwrap_err();
        assert!(matches!(failed, StoreError::CommitUnknown(_)), "{failed}");
        let refused = writer.begin().await.map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    }
}
