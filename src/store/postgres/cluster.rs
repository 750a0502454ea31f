use async_trait::async_trait;
use sqlx::{PgConnection, postgres::PgListener};

use super::PostgresStore;
use crate::{
    domain::{ApiKeyId, ProcessId, Timestamp, WebhookId},
    store::{
        ClusterStore, Invalidated, Invalidation, Joined, LifeSign, Member, Renewal, Signal, Stale,
        StoreError,
        rows::{stored, stored_id},
    },
};

/// What processes say to each other; the payload is one of the two texts below.
const CHANNEL: &str = "caleida";
const CHANGED: &str = "changed";
const DUE: &str = "due";

/// Held exclusively while a process joins, shared by every change until it is committed: a change either finds the new
/// process and leaves word for it, or is committed before that process reads anything.
const MEMBERSHIP: i64 = 0x6361_6c65_6964_6100;

#[async_trait]
impl ClusterStore for PostgresStore {
    fn is_shared(&self) -> bool {
        true
    }

    async fn join(&self, member: &Member) -> Result<Joined, StoreError> {
        let mut tx = self.pulse.begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(MEMBERSHIP)
            .execute(&mut *tx)
            .await?;
        // A process of an earlier version opens only what it seals.
        let others: Vec<(String, i64)> = sqlx::query_as(
            "select id, renewals from processes where not (
                 master_key_id = any($2)
                 and ($1 = master_key_id or $1 = any(string_to_array(opens, ','))))",
        )
        .bind(&member.master_key_id)
        .bind(&member.opens)
        .fetch_all(&mut *tx)
        .await?;
        if !others.is_empty() {
            return Ok(Joined::OtherKey(life_signs(others)?));
        }
        sqlx::query(
            "insert into processes (id, role, version, master_key_id, opens, renewals) values ($1, $2, $3, $4, $5, 0)
             on conflict (id) do update set renewals = processes.renewals + 1",
        )
        .bind(member.id.as_str())
        .bind(member.role)
        .bind(member.version)
        .bind(&member.master_key_id)
        .bind(member.opens.join(","))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        // Before anything is changed: every statement after it tells the others.
        let _ = self.process.set(member.id.clone());
        Ok(Joined::Yes)
    }

    async fn renew(&self, id: &ProcessId) -> Result<Option<Renewal>, StoreError> {
        let mut pulse = self.pulse.acquire().await?;
        // The one statement that asks the database for the time: it is the clock that all its processes go by.
        let now: Option<i64> = sqlx::query_scalar(
            "update processes set renewals = renewals + 1 where id = $1
             returning (extract(epoch from clock_timestamp()) * 1000)::bigint",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *pulse)
        .await?;
        let Some(now) = now else { return Ok(None) };
        let others = sqlx::query_as("select id, renewals from processes where id <> $1")
            .bind(id.as_str())
            .fetch_all(&mut *pulse)
            .await?;
        Ok(Some(Renewal {
            now: Timestamp::from_millis(now),
            others: life_signs(others)?,
        }))
    }

    async fn invalidations(&self, id: &ProcessId) -> Result<Vec<Invalidation>, StoreError> {
        // Of a key there is nothing to tell but that it was revoked.
        let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
            "select id, webhook_id, change from invalidations where process_id = $1
             union all select id, key_id, null from key_invalidations where process_id = $1",
        )
        .bind(id.as_str())
        .fetch_all(&self.pulse)
        .await?;
        rows.into_iter()
            .map(|(id, subject, change)| {
                let what = match change {
                    Some(change) => Stale::Webhook(stored_id(&subject)?, stored(&change, "change")?),
                    None => Stale::ApiKey(stored_id(&subject)?),
                };
                Ok(Invalidation { id, what })
            })
            .collect()
    }

    async fn acknowledge(&self, acted_upon: &[Invalidation]) -> Result<(), StoreError> {
        let ids: Vec<_> = acted_upon.iter().map(|done| done.id.as_str()).collect();
        sqlx::query(
            "with keys as (delete from key_invalidations where id = any($1))
             delete from invalidations where id = any($1)",
        )
        .bind(ids)
        .execute(&self.pulse)
        .await?;
        Ok(())
    }

    async fn is_known_to_all(&self, webhook: &WebhookId) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar("select not exists (select from invalidations where webhook_id = $1)");
        Ok(known.bind(webhook.as_str()).fetch_one(&self.writer).await?)
    }

    async fn is_revocation_known_to_all(&self, key: &ApiKeyId) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar("select not exists (select from key_invalidations where key_id = $1)");
        Ok(known.bind(key.as_str()).fetch_one(&self.writer).await?)
    }

    async fn evict(&self, last: &LifeSign) -> Result<bool, StoreError> {
        let evicted = sqlx::query("delete from processes where id = $1 and renewals = $2")
            .bind(last.process.as_str())
            .bind(last.renewals)
            .execute(&self.pulse)
            .await?;
        Ok(evicted.rows_affected() == 1)
    }

    async fn leave(&self, id: &ProcessId) -> Result<(), StoreError> {
        sqlx::query("delete from processes where id = $1")
            .bind(id.as_str())
            .execute(&self.pulse)
            .await?;
        Ok(())
    }

    async fn call_others(&self) -> Result<(), StoreError> {
        // By itself and not in the transaction that stores events: those that notify commit one after the other.
        notify(&mut *self.pulse.acquire().await?, DUE).await
    }

    async fn next_signal(&self) -> Result<Signal, StoreError> {
        let mut ear = self.ear.lock().await;
        let Some(listener) = &mut *ear else {
            let mut listener = PgListener::connect_with(&self.pulse).await?;
            listener.listen(CHANNEL).await?;
            *ear = Some(listener);
            return Ok(Signal::Missed);
        };
        match listener.try_recv().await {
            Ok(Some(said)) if said.payload() == DUE => Ok(Signal::Due),
            Ok(Some(_)) => Ok(Signal::Changed),
            Ok(None) => Ok(Signal::Missed),
            Err(error) => {
                *ear = None;
                Err(error.into())
            }
        }
    }
}

/// Leaves word for every other process, in the transaction of the change.
pub(super) async fn tell_others(
    connection: &mut PgConnection,
    store: &PostgresStore,
    webhook: &WebhookId,
    change: Invalidated,
) -> Result<(), StoreError> {
    wait_for_joiners(connection).await?;
    let told = sqlx::query(
        "insert into invalidations (id, process_id, webhook_id, change)
         select gen_random_uuid()::text, id, $1, $2 from processes where id <> $3",
    )
    .bind(webhook.as_str())
    .bind(change.as_str())
    .bind(store.process.get().map_or("", ProcessId::as_str))
    .execute(&mut *connection)
    .await?;
    if told.rows_affected() > 0 {
        notify(connection, CHANGED).await?;
    }
    Ok(())
}

/// The same of a key that is revoked.
pub(super) async fn tell_others_of_key(
    connection: &mut PgConnection,
    store: &PostgresStore,
    key: &ApiKeyId,
) -> Result<(), StoreError> {
    wait_for_joiners(connection).await?;
    let told = sqlx::query(
        "insert into key_invalidations (id, process_id, key_id)
         select gen_random_uuid()::text, id, $1 from processes where id <> $2",
    )
    .bind(key.as_str())
    .bind(store.process.get().map_or("", ProcessId::as_str))
    .execute(&mut *connection)
    .await?;
    if told.rows_affected() > 0 {
        notify(connection, CHANGED).await?;
    }
    Ok(())
}

async fn wait_for_joiners(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("select pg_advisory_xact_lock_shared($1)")
        .bind(MEMBERSHIP)
        .execute(connection)
        .await?;
    Ok(())
}

async fn notify(connection: &mut PgConnection, what: &str) -> Result<(), StoreError> {
    sqlx::query("select pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(what)
        .execute(connection)
        .await?;
    Ok(())
}

fn life_signs(rows: Vec<(String, i64)>) -> Result<Vec<LifeSign>, StoreError> {
    let signs = rows.into_iter().map(|(process, renewals)| {
        Ok(LifeSign {
            process: stored_id(&process)?,
            renewals,
        })
    });
    signs.collect()
}
