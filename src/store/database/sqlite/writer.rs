//! The connection for writes, which runs one transaction at a time.

use std::{path::Path, sync::Arc};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteSynchronous},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard},
};

use super::{file::OpenFile, log_sync::LogSync};
use crate::store::{StoreError, migrations::SQLITE as MIGRATIONS};

/// Number of pages that one step moves to the end of the file and cuts off, which takes a few milliseconds.
const SHRINK_PAGES: i64 = 100;

/// Free pages that stay in the file for the next rows: at least this many, and one for each eight pages in use.
const MIN_FREE_PAGES: i64 = 256;

pub(super) struct Writer {
    /// `None` after the database was closed.
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    log: LogSync,
    /// The database and its log.
    files: [OpenFile; 2],
}

/// The connection, while its user has it alone.
type Guard = OwnedMappedMutexGuard<Option<SqliteConnection>, SqliteConnection>;

impl Writer {
    /// Opens the connection and applies the missing migrations.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options
            // Affects only a new file, see `Self::shrink`.
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            // A commit only appends to the log: `LogSync` syncs it.
            .synchronous(SqliteSynchronous::Normal);
        let mut connection = options.connect().await?;
        MIGRATIONS.run(&mut connection).await?;
        // The path with resolved symbolic links, as used by SQLite.
        let file: String = sqlx::query_scalar("select file from pragma_database_list where name = 'main'")
            .fetch_one(&mut connection)
            .await?;
        let log = format!("{file}-wal");
        let cannot_open = |error| StoreError::Open(format!("failed to open {log}: {error}"));
        let files = [file.into(), (&log).into()].map(OpenFile::at);
        let [file, log_file] = files;
        Ok(Self {
            connection: Arc::new(Mutex::new(Some(connection))),
            files: [file.map_err(cannot_open)?, log_file.map_err(cannot_open)?],
            log: LogSync::open(Path::new(&log)).map_err(cannot_open)?,
        })
    }

    /// Fails if writes can no longer be confirmed, or if they would be lost.
    pub(super) fn require_working(&self) -> Result<(), StoreError> {
        for file in &self.files {
            file.require_in_place()?;
        }
        self.log.require_working()
    }

    /// Begins a transaction, after the previous one has ended.
    pub(super) async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        self.require_working()?;
        let mut transaction = WriteTransaction {
            connection: Some(self.lock().await?),
            log: Some(self.log.clone()),
        };
        // A deferred transaction that reads first fails to write if another process has written in the meantime.
        run(transaction.connection(), "begin immediate").await?;
        Ok(transaction)
    }

    /// Waits for the connection.
    async fn lock(&self) -> Result<Guard, StoreError> {
        let connection = Arc::clone(&self.connection).lock_owned().await;
        OwnedMutexGuard::try_map(connection, Option::as_mut)
            .map_err(|_| StoreError::unavailable("the database is closed"))
    }

    /// Begins a transaction whose commit does not wait for the disk. A power failure may undo it.
    pub(super) async fn begin_unsynced(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.begin().await?;
        transaction.log = None;
        Ok(transaction)
    }

    /// Returns some free pages to the file system. Returns `false` if few enough are left, or if the file was created
    /// without `auto_vacuum`.
    pub(super) async fn shrink(&self) -> Result<bool, StoreError> {
        let mut transaction = self.begin_unsynced().await?;
        let connection = transaction.connection();
        let (is_incremental, pages, free): (bool, i64, i64) = sqlx::query_as(
            "select auto_vacuum = 2, page_count, freelist_count
             from pragma_auto_vacuum, pragma_page_count, pragma_freelist_count",
        )
        .fetch_one(&mut *connection)
        .await?;
        let excess = free - MIN_FREE_PAGES.max((pages - free) / 8);
        if !is_incremental || excess <= 0 {
            return Ok(false);
        }
        let step = excess.min(SHRINK_PAGES);
        let vacuum = AssertSqlSafe(format!("pragma incremental_vacuum({step})"));
        sqlx::raw_sql(vacuum).execute(&mut *connection).await?;
        transaction.commit().await?;
        if step == excess {
            // The file itself is only cut by a checkpoint, and without writes there would be none.
            run(&mut *self.lock().await?, "pragma wal_checkpoint(passive)").await?;
        }
        Ok(step < excess)
    }

    /// Closes the connection. If `complete`, first copies the whole log into the database file and empties it, even if
    /// another process has the file open.
    pub(super) async fn close(&self, complete: bool) -> Result<(), StoreError> {
        let Some(mut connection) = self.connection.lock().await.take() else {
            return Ok(());
        };
        if let Err(error) = self.require_working() {
            // Closing would copy the log into the database, although the disk may have lost parts of the log. The next
            // start reads the log up to the first lost part.
            std::mem::forget(connection);
            return Err(error);
        }
        let checkpoint: Result<(bool, i64, i64), _> = if complete {
            sqlx::query_as("pragma wal_checkpoint(truncate)")
                .fetch_one(&mut connection)
                .await
        } else {
            Ok((false, 0, 0))
        };
        connection.close().await?;
        let (is_busy, _, _) = checkpoint?;
        if is_busy {
            return Err(StoreError::unavailable(
                "another process uses the database, so its newest data is still in the file ending in -wal",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
impl Writer {
    pub(super) async fn count_instructions(&self, count: &Arc<std::sync::atomic::AtomicU64>) {
        super::count_on(&mut self.lock().await.unwrap(), count).await;
    }
}

/// A transaction. Rolls back when dropped without a commit.
pub(in crate::store::database) struct WriteTransaction {
    /// `None` after the end of the transaction.
    connection: Option<Guard>,
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

    async fn writer_in(folder: &Path) -> Writer {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("test.db"))
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
        Writer::open(options).await.unwrap()
    }

    #[tokio::test]
    async fn commit_fails_if_its_sync_fails() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer_in(folder.path()).await;
        writer.begin().await.unwrap().commit().await.unwrap();

        writer.log = log_sync::tests::broken();
        let unsynced = writer.begin_unsynced().await.unwrap();
        unsynced.commit().await.unwrap();
        let failed = writer.begin().await.unwrap().commit().await.unwrap_err();
        assert!(matches!(failed, StoreError::CommitUnknown(_)), "{failed}");
        let refused = writer.begin().await.map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    }
    #[tokio::test]
    async fn log_is_not_applied_after_a_failed_sync() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer_in(folder.path()).await;
        let log = folder.path().join("test.db-wal");
        let before = std::fs::metadata(&log).unwrap().len();
        assert!(before > 0);
        writer.log = log_sync::tests::broken();
        writer.log.sync().await.unwrap_err();
        let failed = writer.close(true).await.unwrap_err();
        assert!(matches!(failed, StoreError::Unavailable(_)), "{failed}");
        assert_eq!(std::fs::metadata(&log).unwrap().len(), before);
    }

    #[tokio::test]
    async fn closed_file_is_complete_without_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer_in(folder.path()).await;
        // Another process with the file open, which keeps the last close from completing it.
        let other = SqliteConnectOptions::new().filename(folder.path().join("test.db"));
        let mut other = other.connect().await.unwrap();
        run(&mut other, "select count(*) from webhooks").await.unwrap();
        writer.close(true).await.unwrap();
        let copy = folder.path().join("copy.db");
        std::fs::copy(folder.path().join("test.db"), &copy).unwrap();
        let mut copy = SqliteConnectOptions::new()
            .filename(copy)
            .connect()
            .await
            .unwrap();
        run(&mut copy, "select count(*) from webhooks").await.unwrap();
        let refused = writer.begin().await.map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
        // Closing again does nothing.
        writer.close(true).await.unwrap();
    }
}
