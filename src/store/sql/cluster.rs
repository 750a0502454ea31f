//! Cluster membership and cache invalidation of the processes that share a database.
//!
//! An SQLite database has a single process, which has no invalidations and never waits for other processes.

use std::future;

use crate::{
    domain::{ProcessId, Timestamp},
    store::{
        CacheKey, Heartbeat, Invalidation, JoinOutcome, Member, Notification, Renewal, Store, StoreError,
        database::{Bind as _, Connection, FromRow, Kind, Row, Rows, query},
    },
};

/// PostgreSQL channel of the notifications between processes.
const CHANNEL: &str = "caleida";

/// Payload: there are new invalidations.
const CHANGED_PAYLOAD: &str = "changed";

/// Payload: there are due deliveries.
const DUE_PAYLOAD: &str = "due";

/// Advisory lock that a joining process holds exclusively, and changes share until they are committed. So a change
/// either enqueues an invalidation for the new process, or is committed before that process reads anything.
const MEMBERSHIP_LOCK: i64 = 0x6361_6c65_6964_6100;

/// Every change of a webhook and every revocation of an API key enqueues an [`Invalidation`] for each other process, in
/// the same transaction. The change has propagated when each invalidation was acknowledged or its process was evicted.
impl Store {
    /// Returns whether other processes can use this database.
    pub fn is_shared(&self) -> bool {
        self.database.shared().is_some()
    }

    /// Registers this process. From then on, changes wait for its acknowledgement.
    pub async fn join(&self, member: &Member) -> Result<JoinOutcome, StoreError> {
        let mut tx = if let Some(shared) = self.database.shared() {
            let mut tx = shared.begin_control().await?;
            query("select pg_advisory_xact_lock($1)")
                .bind(MEMBERSHIP_LOCK)
                .execute(&mut tx)
                .await?;
            let others = processes_with_other_keys(&mut tx, member).await?;
            if !others.is_empty() {
                return Ok(JoinOutcome::KeyMismatch(others));
            }
            tx
        } else {
            let mut tx = self.begin().await?;
            // Left behind by a process that died.
            query("delete from processes").execute(&mut tx).await?;
            tx
        };
        query(
            "insert into processes (id, role, master_key_id, opens, heartbeats) values ($1, $2, $3, $4, 0)
             on conflict (id) do update set heartbeats = processes.heartbeats + 1",
        )
        .bind(&member.id)
        .bind(member.role)
        .bind(&member.master_key_id)
        .bind(member.decryption_key_ids.join(","))
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        // Later changes by this process enqueue invalidations for all processes but this one.
        let _ = self.process.set(member.id.clone());
        Ok(JoinOutcome::Joined)
    }

    /// Sends a heartbeat and returns the heartbeats of the other processes. Returns `None` if this process was evicted
    /// and has to join again.
    pub async fn renew(&self, id: &ProcessId) -> Result<Option<Renewal>, StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(None);
        };
        let mut control = shared.control().await?;
        // The only statement that reads the clock of the database server. All processes synchronize with it.
        let now: Option<Timestamp> = query(
            "update processes set heartbeats = heartbeats + 1 where id = $1
             returning (extract(epoch from clock_timestamp()) * 1000)::bigint",
        )
        .bind(id)
        .fetch_optional(&mut control)
        .await?;
        let Some(now) = now else { return Ok(None) };
        let others = query("select id as process, heartbeats from processes where id <> $1")
            .bind(id)
            .fetch_all(&mut control)
            .await?;
        Ok(Some(Renewal { now, others }))
    }

    /// Returns the pending invalidations of this process.
    pub async fn invalidations(&self, id: &ProcessId) -> Result<Vec<Invalidation>, StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(Vec::new());
        };
        query("select id, subject_kind, subject_id, change from invalidations where process_id = $1 order by id")
            .bind(id)
            .fetch_all(&mut shared.control().await?)
            .await
    }

    /// Deletes invalidations that this process has applied.
    pub async fn acknowledge(&self, applied: &[Invalidation]) -> Result<(), StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(());
        };
        let ids = applied.iter().map(|invalidation| [invalidation.id.into_value()]);
        Rows::new([Kind::Integer], ids)
            .execute(
                "with applied (id) as ({rows}) delete from invalidations where id in (select id from applied)",
                &mut shared.control().await?,
            )
            .await?;
        Ok(())
    }

    /// Returns whether no process has pending invalidations of this key.
    pub async fn has_propagated(&self, key: &CacheKey) -> Result<bool, StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(true);
        };
        let (kind, id, _) = key.columns();
        query("select not exists (select from invalidations where subject_kind = $1 and subject_id = $2)")
            .bind(kind)
            .bind(id)
            .fetch_one(&mut shared.control().await?)
            .await
    }

    /// Evicts a process, so that changes no longer wait for it. Returns `false` if it has sent a heartbeat since
    /// `last`.
    pub async fn evict(&self, last: &Heartbeat) -> Result<bool, StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(true);
        };
        let evicted = query("delete from processes where id = $1 and heartbeats = $2")
            .bind(&last.process)
            .bind(last.heartbeats)
            .execute(&mut shared.control().await?)
            .await?;
        Ok(evicted == 1)
    }

    pub async fn leave(&self, id: &ProcessId) -> Result<(), StoreError> {
        let leave = query("delete from processes where id = $1").bind(id);
        match self.database.shared() {
            Some(shared) => leave.execute(&mut shared.control().await?).await?,
            None => leave.execute_in(&self.database).await?,
        };
        Ok(())
    }

    /// Notifies the other processes that there are due deliveries that this process has no capacity for.
    pub async fn notify_others(&self) -> Result<(), StoreError> {
        // Not in the transaction that stores events, because PostgreSQL serializes the commits of notifying
        // transactions.
        match self.database.shared() {
            Some(shared) => notify(&mut shared.control().await?, DUE_PAYLOAD).await,
            None => Ok(()),
        }
    }

    /// Waits for a notification from another process. After an error, call it again to reconnect.
    pub async fn next_notification(&self) -> Result<Notification, StoreError> {
        let Some(shared) = self.database.shared() else {
            return future::pending().await;
        };
        Ok(match shared.notification(CHANNEL).await?.as_deref() {
            Some(DUE_PAYLOAD) => Notification::Due,
            Some(_) => Notification::Invalidations,
            None => Notification::Missed,
        })
    }
}

/// Returns the processes that encrypt with a master key that `member` does not have, or that lack the master key of
/// `member`.
async fn processes_with_other_keys(
    connection: &mut Connection,
    member: &Member,
) -> Result<Vec<Heartbeat>, StoreError> {
    let mut others = query("select id as process, heartbeats from processes where not (master_key_id in (");
    others.push_list(&member.decryption_key_ids);
    others.push(") and ").push_bind(&member.master_key_id);
    others.push(" = any(string_to_array(opens, ',')))");
    others.fetch_all(connection).await
}

/// Enqueues an invalidation for every other process. Must be called in the transaction of the change.
pub(super) async fn enqueue_invalidations(
    connection: &mut Connection,
    store: &Store,
    key: &CacheKey,
) -> Result<(), StoreError> {
    if !store.is_shared() {
        return Ok(());
    }
    query("select pg_advisory_xact_lock_shared($1)")
        .bind(MEMBERSHIP_LOCK)
        .execute(connection)
        .await?;
    let (kind, id, change) = key.columns();
    let enqueued = query(
        "insert into invalidations (process_id, subject_kind, subject_id, change)
         select id, $1, $2, $3 from processes where id <> $4",
    )
    .bind(kind)
    .bind(id)
    .bind(change)
    .bind(store.process.get().map_or(Vec::new(), |id| id.to_key().to_vec()))
    .execute(connection)
    .await?;
    if enqueued > 0 {
        notify(connection, CHANGED_PAYLOAD).await?;
    }
    Ok(())
}

async fn notify(connection: &mut Connection, payload: &str) -> Result<(), StoreError> {
    query("select pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(payload)
        .execute(connection)
        .await?;
    Ok(())
}

impl FromRow for Heartbeat {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            process: row.get("process")?,
            heartbeats: row.get("heartbeats")?,
        })
    }
}

impl FromRow for Invalidation {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let kind: String = row.get("subject_kind")?;
        let key = match &*kind {
            "webhook" => CacheKey::Webhook(row.get("subject_id")?, row.get("change")?),
            "api_key" => CacheKey::ApiKey(row.get("subject_id")?),
            _ => return Err(StoreError::Corrupt("kind of invalidation")),
        };
        Ok(Self {
            id: row.get("id")?,
            key,
        })
    }
}

impl CacheKey {
    /// Returns the columns `subject_kind`, `subject_id` and `change`.
    fn columns(&self) -> (&'static str, Vec<u8>, Option<&'static str>) {
        match self {
            Self::Webhook(id, change) => ("webhook", id.to_key().to_vec(), Some(change.as_str())),
            Self::ApiKey(id) => ("api_key", id.to_key().to_vec(), None),
        }
    }
}
