//! One commit for all writes that wait at the same moment.
//!
//! A write is a unit in a transaction that it shares with others: the first begins it, and each one after has a savepoint.
//! Each unit succeeds or fails alone, and returns when the transaction is on the disk. A unit that has finished queues up again behind those that came
//! meanwhile, and commits unless one of them already did: a lone write is committed at once, and while one commit waits
//! for the disk, the next group forms.
//!
//! ```text
//! A  begin, … ┐                   ┌ commit: A and B are on the disk
//! B    waits  └ savepoint, … ┐    │
//!                A waits again └──┘
//! ```

use std::sync::{Arc, OnceLock};

use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use crate::store::{StoreError, migrations::SQLITE as MIGRATIONS};

pub(super) struct GroupCommit(Arc<Mutex<Writer>>);

struct Writer {
    connection: SqliteConnection,
    /// Commits without waiting for the disk. Used while nothing is open on the other one: there is one writer at a time.
    unsynced: SqliteConnection,
    /// The transaction that is open.
    group: Option<Arc<Group>>,
    /// The number of its units that wait for its commit.
    finished: usize,
}

/// What became of a transaction, once that is known.
#[derive(Default)]
struct Group(OnceLock<Result<(), Arc<sqlx::Error>>>);

impl GroupCommit {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let mut connection = options.connect().await?;
        MIGRATIONS.run(&mut connection).await?;
        let unsynced = options.synchronous(SqliteSynchronous::Normal).connect().await?;
        Ok(Self(Arc::new(Mutex::new(Writer {
            connection,
            unsynced,
            group: None,
            finished: 0,
        }))))
    }

    /// Waits for its turn to write.
    pub(super) async fn begin(&self) -> Result<Unit, StoreError> {
        let mut unit = self.turn().await;
        unit.join().await?;
        Ok(unit)
    }

    /// The same for what a power cut may undo: its commit does not wait for the disk, unless it joins others that do.
    pub(super) async fn begin_unsynced(&self) -> Result<Unit, StoreError> {
        let mut unit = self.turn().await;
        if unit.writer().group.is_some() {
            unit.join().await?;
        } else {
            run(unit.connection(), "begin immediate").await?;
        }
        Ok(unit)
    }

    async fn turn(&self) -> Unit {
        Unit {
            lock: Arc::clone(&self.0),
            writer: Some(Arc::clone(&self.0).lock_owned().await),
            group: None,
        }
    }
}

/// One write. Dropped before it is committed, it is rolled back.
pub(in crate::store::database) struct Unit {
    lock: Arc<Mutex<Writer>>,
    /// `None` once it has ended.
    writer: Option<OwnedMutexGuard<Writer>>,
    /// `None` if it commits alone, without waiting for the disk.
    group: Option<Arc<Group>>,
}

impl Unit {
    pub(in crate::store::database) fn connection(&mut self) -> &mut SqliteConnection {
        let is_synced = self.group.is_some();
        let writer = self.writer();
        if is_synced {
            &mut writer.connection
        } else {
            &mut writer.unsynced
        }
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().expect("the unit has not ended")
    }

    async fn join(&mut self) -> Result<(), StoreError> {
        let writer = self.writer();
        let begin = match writer.group {
            Some(_) => "savepoint unit",
            // A deferred transaction that read first could not write any more once another process had.
            None => "begin immediate",
        };
        let group = Arc::clone(writer.group.get_or_insert_default());
        self.group = Some(group);
        Ok(run(self.connection(), begin).await?)
    }

    /// Returns when it is durable. What has begun ends, also if the caller does not wait for it: others depend on it.
    pub(in crate::store::database) async fn commit(self) -> Result<(), StoreError> {
        tokio::spawn(self.end()).await.map_err(StoreError::bug)?
    }

    async fn end(mut self) -> Result<(), StoreError> {
        let Some(group) = self.group.clone() else {
            run(self.connection(), "commit").await?;
            self.writer = None;
            return Ok(());
        };
        // Its savepoint is left to the commit, which releases all of them.
        self.writer().finished += 1;
        self.writer = None;
        let mut writer = Arc::clone(&self.lock).lock_owned().await;
        if group.0.get().is_none() {
            writer.commit(&group).await;
        }
        match group.0.get() {
            Some(Err(error)) => Err(StoreError::unavailable(Arc::clone(error))),
            _ => Ok(()),
        }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if let (Some(mut writer), Ok(runtime)) = (self.writer.take(), Handle::try_current()) {
            let is_synced = self.group.is_some();
            runtime.spawn(async move { writer.roll_back(is_synced).await });
        }
    }
}

impl Writer {
    async fn commit(&mut self, group: &Group) {
        let committed = run(&mut self.connection, "commit").await;
        if committed.is_err() {
            let _ = run(&mut self.connection, "rollback").await;
        }
        self.end(group, committed);
    }

    /// Undoes what the unit has done whose turn it is.
    async fn roll_back(&mut self, is_synced: bool) {
        let Some(group) = self.group.clone().filter(|_| is_synced) else {
            // Fails if SQLite has rolled it back by itself.
            let _ = run(&mut self.unsynced, "rollback").await;
            return;
        };
        let mut undone = Ok(());
        if self.finished > 0 {
            undone = run(&mut self.connection, "rollback to unit; release unit").await;
        }
        if undone.is_err() || self.finished == 0 {
            // No unit is left in the transaction, or SQLite has ended it by itself, as it does when the disk is full.
            let _ = run(&mut self.connection, "rollback").await;
            self.end(&group, undone);
        }
    }

    fn end(&mut self, group: &Group, result: Result<(), sqlx::Error>) {
        self.group = None;
        self.finished = 0;
        let _ = group.0.set(result.map_err(Arc::new));
    }
}

/// Runs statements without values.
async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop)
}
