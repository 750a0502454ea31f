//! The processes that share one database, and the invalidations that one leaves for the others.
//!
//! An embedded database has one process: it is never told of anything, and never waits for anybody.

use std::future;

use crate::{
    domain::{ProcessId, Timestamp},
    store::{
        Heartbeat, Invalidation, Joined, Member, Renewal, Signal, Stale, Store, StoreError,
        database::{Bind as _, Connection, FromRow, Kind, Row, Rows, query},
    },
};

/// The channel on which processes notify each other; the payload is one of the two texts below.
const CHANNEL: &str = "caleida";
const CHANGED: &str = "changed";
const DUE: &str = "due";

/// Held exclusively while a process joins, shared by every change until it is committed: a change either finds the new
/// process and leaves an invalidation for it, or is committed before that process reads anything.
const MEMBERSHIP: i64 = 0x6361_6c65_6964_6100;

/// Every change of a webhook, and every revocation of a key, leaves an [`Invalidation`] for each other process, in the
/// same transaction. The change has propagated when none of them is left: each was acted upon, or its process was evicted.
impl Store {
    /// Whether other processes may use this database.
    pub fn is_shared(&self) -> bool {
        self.database.shared().is_some()
    }

    /// From here on, changes wait for this process.
    pub async fn join(&self, member: &Member) -> Result<Joined, StoreError> {
        let mut tx = if let Some(shared) = self.database.shared() {
            let mut tx = shared.begin_control().await?;
            query("select pg_advisory_xact_lock($1)")
                .bind(MEMBERSHIP)
                .execute(&mut tx)
                .await?;
            let others = strangers(&mut tx, member).await?;
            if !others.is_empty() {
                return Ok(Joined::OtherKey(others));
            }
            tx
        } else {
            let mut tx = self.begin().await?;
            // What one before it has left behind, because it died.
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
        .bind(member.opens.join(","))
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        // Before anything is changed: every statement after it leaves invalidations for the others.
        let _ = self.process.set(member.id.clone());
        Ok(Joined::Yes)
    }

    /// Sends a heartbeat, and returns those of the others. `None`: this process was evicted, and has to join again.
    pub async fn renew(&self, id: &ProcessId) -> Result<Option<Renewal>, StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(None);
        };
        let mut control = shared.control().await?;
        // The one statement that asks the database for the time: it is the clock that all its processes go by.
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

    /// What this process has yet to act upon.
    pub async fn invalidations(&self, id: &ProcessId) -> Result<Vec<Invalidation>, StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(Vec::new());
        };
        query("select id, subject_kind, subject_id, change from invalidations where process_id = $1 order by id")
            .bind(id)
            .fetch_all(&mut shared.control().await?)
            .await
    }

    /// Says that it has.
    pub async fn acknowledge(&self, acted_upon: &[Invalidation]) -> Result<(), StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(());
        };
        let done = acted_upon.iter().map(|done| [done.id.into_value()]);
        Rows::new([Kind::Integer], done)
            .execute(
                "with done (id) as ({rows}) delete from invalidations where id in (select id from done)",
                &mut shared.control().await?,
            )
            .await?;
        Ok(())
    }

    /// Whether every process has acted upon the last change of this.
    pub async fn has_propagated(&self, what: &Stale) -> Result<bool, StoreError> {
        let Some(shared) = self.database.shared() else {
            return Ok(true);
        };
        let (kind, id, _) = what.columns();
        query("select not exists (select from invalidations where subject_kind = $1 and subject_id = $2)")
            .bind(kind)
            .bind(id)
            .fetch_one(&mut shared.control().await?)
            .await
    }

    /// Waits no longer for a process, unless it has sent a heartbeat since that one. False if it has.
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

    /// Notifies the others that there is more to send than this process can.
    pub async fn notify_others(&self) -> Result<(), StoreError> {
        // By itself and not in the transaction that stores events: those that notify commit one after the other.
        match self.database.shared() {
            Some(shared) => notify(&mut shared.control().await?, DUE).await,
            None => Ok(()),
        }
    }

    /// Waits for a notification of the others. An error: none can be received at this moment, try again.
    pub async fn next_signal(&self) -> Result<Signal, StoreError> {
        let Some(shared) = self.database.shared() else {
            return future::pending().await;
        };
        Ok(match shared.notification(CHANNEL).await?.as_deref() {
            Some(DUE) => Signal::Due,
            Some(_) => Signal::Changed,
            None => Signal::Missed,
        })
    }
}

/// The processes that seal what this one could not open, or the other way round.
async fn strangers(connection: &mut Connection, member: &Member) -> Result<Vec<Heartbeat>, StoreError> {
    let mut others = query("select id as process, heartbeats from processes where not (master_key_id in (");
    others.push_list(&member.opens);
    others.push(") and ").push_bind(&member.master_key_id);
    others.push(" = any(string_to_array(opens, ',')))");
    others.fetch_all(connection).await
}

/// Leaves an invalidation for every other process, in the transaction of the change.
pub(super) async fn enqueue_invalidations(
    connection: &mut Connection,
    store: &Store,
    what: &Stale,
) -> Result<(), StoreError> {
    if !store.is_shared() {
        return Ok(());
    }
    query("select pg_advisory_xact_lock_shared($1)")
        .bind(MEMBERSHIP)
        .execute(connection)
        .await?;
    let (kind, id, change) = what.columns();
    let left = query(
        "insert into invalidations (process_id, subject_kind, subject_id, change)
         select id, $1, $2, $3 from processes where id <> $4",
    )
    .bind(kind)
    .bind(id)
    .bind(change)
    .bind(store.process.get().map_or(Vec::new(), |id| id.to_key().to_vec()))
    .execute(connection)
    .await?;
    if left > 0 {
        notify(connection, CHANGED).await?;
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
        let what = match &*kind {
            "webhook" => Stale::Webhook(row.get("subject_id")?, row.get("change")?),
            "api_key" => Stale::ApiKey(row.get("subject_id")?),
            _ => return Err(StoreError::Corrupt("kind of invalidation")),
        };
        Ok(Self {
            id: row.get("id")?,
            what,
        })
    }
}

impl Stale {
    /// The columns `subject_kind`, `subject_id` and `change`.
    fn columns(&self) -> (&'static str, Vec<u8>, Option<&'static str>) {
        match self {
            Self::Webhook(id, change) => ("webhook", id.to_key().to_vec(), Some(change.as_str())),
            Self::ApiKey(id) => ("api_key", id.to_key().to_vec(), None),
        }
    }
}
