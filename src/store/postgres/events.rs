use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use sqlx::PgConnection;

use super::{
    PostgresStore,
    retention::{Old, find_old},
};
use crate::{
    domain::{AccountId, Timestamp},
    store::{
        Accepted, EventStore, HandOff, Retention, StoreError, Submission, Swept,
        acceptance::{self, KNOWN, Known, KnownRow, NewRows, Subscriber, accept},
    },
};

/// How often an acceptance starts over because one of its events was there already, or somebody else was storing it at
/// the same moment.
const TRIES: usize = 6;

/// The advisory lock of whoever deletes what is old.
const HOUSEKEEPING: i64 = 0x6361_6c65_6964_6101;

#[async_trait]
impl EventStore for PostgresStore {
    async fn accept_events(
        &self,
        submissions: &[Submission],
        now: Timestamp,
        hand_off: HandOff<'_>,
    ) -> Result<Accepted, StoreError> {
        for attempt in 0..TRIES {
            let mut tx = self.begin().await?;
            // Almost always they are new, and the insert finds out anyway: to look first would cost as much again.
            let mut known = match attempt {
                0 => Known::default(),
                _ => find_known(&mut tx, submissions).await?,
            };
            let subscribers = find_subscribers(&mut tx, submissions).await?;
            let mut rows = NewRows::new(now);
            let answers = submissions
                .iter()
                .map(|submission| {
                    let subscribers = &subscribers[&submission.account_id];
                    accept(submission, subscribers, &mut known, &mut rows)
                })
                .collect();
            // Whatever is there is known when it is read.
            if insert_events(&mut tx, &rows).await? < rows.events.len() {
                continue;
            }
            rows.hand_off(hand_off);
            insert_deliveries(&mut tx, &rows).await?;
            tx.commit().await?;
            return Ok(Accepted {
                answers,
                claimed: rows.claimed(),
            });
        }
        Err(StoreError::Unavailable(
            "the same events are being stored again and again".to_owned(),
        ))
    }

    async fn delete_old_events(&self, retention: Retention<'_>) -> Result<Swept, StoreError> {
        let account = retention.account;
        let mut tx = self.begin().await?;
        // What a crash brings back is deleted again: it costs no wait for the disk.
        sqlx::query("set local synchronous_commit = off")
            .execute(&mut *tx)
            .await?;
        // One process at a time cleans up: several would only wait for each other.
        let mine: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)")
            .bind(HOUSEKEEPING)
            .fetch_one(&mut *tx)
            .await?;
        if !mine {
            return Ok(Swept {
                deleted: 0,
                until: None,
            });
        }
        let Old { done, until } = find_old(&mut tx, retention).await?;
        for delete in [
            "delete from attempts where delivery_id in (
                 select id from deliveries where account_id = $1 and event_id = any($2))",
            "delete from deliveries where account_id = $1 and event_id = any($2)",
            "delete from events where account_id = $1 and id = any($2)",
        ] {
            sqlx::query(delete)
                .bind(account.as_str())
                .bind(&done)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(Swept {
            deleted: done.len() as u64,
            until,
        })
    }
}

async fn find_known(connection: &mut PgConnection, submissions: &[Submission]) -> Result<Known, StoreError> {
    let events = || {
        submissions
            .iter()
            .flat_map(|s| s.events.iter().map(|event| (s.account_id.as_str(), event)))
    };
    let ids = events()
        .map(|(account, event)| (account, event.id.as_str()))
        .unzip();
    let keys = events()
        .filter_map(|(account, event)| Some((account, event.idempotency_key.as_deref()?)))
        .unzip();
    let mut known = Known::default();
    for (column, (accounts, texts)) in [("id", ids), ("idempotency_key", keys)] {
        let (accounts, texts): (Vec<&str>, Vec<&str>) = (accounts, texts);
        if texts.is_empty() {
            continue;
        }
        let sql = format!(
            "select {KNOWN} from events
             where (account_id, {column}) in (select * from unnest($1::text[], $2::text[]))"
        );
        let rows: Vec<KnownRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(accounts)
            .bind(texts)
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            known.add_row(row)?;
        }
    }
    Ok(known)
}

async fn find_subscribers<'a>(
    connection: &mut PgConnection,
    submissions: &'a [Submission],
) -> Result<HashMap<&'a AccountId, Vec<Subscriber>>, StoreError> {
    let accounts: BTreeSet<_> = submissions
        .iter()
        .map(|submission| &submission.account_id)
        .collect();
    let mut subscribers = HashMap::with_capacity(accounts.len());
    for account in accounts {
        // Shared with other publishers and with the record of attempts, but not with whoever stops or deletes it.
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "select id, events, state from webhooks where account_id = $1 and deleted_at is null
             order by id for key share",
        )
        .bind(account.as_str())
        .fetch_all(&mut *connection)
        .await?;
        subscribers.insert(account, acceptance::subscribers(rows)?);
    }
    Ok(subscribers)
}

/// Answers how many were inserted: fewer, if one of them is there.
async fn insert_events(connection: &mut PgConnection, rows: &NewRows<'_>) -> Result<usize, StoreError> {
    let of = |value: fn(&acceptance::EventRow<'_>) -> i64| rows.events.iter().map(value).collect::<Vec<_>>();
    let texts = rows.events.iter();
    let inserted = sqlx::query(
        "insert into events (account_id, id, event_type, occurred_at, received_at, payload, fingerprint,
             idempotency_key, delivery_count, unsent_reason)
         select account_id, id, event_type, occurred_at, $1, payload, fingerprint, idempotency_key, delivery_count,
             unsent_reason
         from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::text[],
                 $9::bigint[], $10::text[])
             as new (account_id, id, event_type, occurred_at, payload, fingerprint, idempotency_key, delivery_count,
                 unsent_reason)
         on conflict do nothing",
    )
    .bind(rows.now.as_millis())
    .bind(texts.clone().map(|row| row.account.as_str()).collect::<Vec<_>>())
    .bind(texts.clone().map(|row| row.event.id.as_str()).collect::<Vec<_>>())
    .bind(texts.clone().map(|row| row.event.event_type.as_str()).collect::<Vec<_>>())
    .bind(of(|row| row.event.occurred_at.as_millis()))
    .bind(texts.clone().map(|row| row.event.payload.as_ref()).collect::<Vec<_>>())
    .bind(texts.clone().map(|row| row.event.fingerprint.as_slice()).collect::<Vec<_>>())
    .bind(texts.clone().map(|row| row.event.idempotency_key.as_deref()).collect::<Vec<_>>())
    .bind(of(|row| i64::from(row.delivery_count)))
    .bind(texts.map(|row| row.unsent_reason).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(usize::try_from(inserted.rows_affected()).unwrap_or(usize::MAX))
}

async fn insert_deliveries(connection: &mut PgConnection, rows: &NewRows<'_>) -> Result<(), StoreError> {
    let each = rows.deliveries.iter();
    sqlx::query(
        "insert into deliveries (id, account_id, webhook_id, event_id, event_type, status, attempts, next_attempt_at,
             lease, created_at, updated_at)
         select id, account_id, webhook_id, event_id, event_type, status, 0, next_attempt_at, lease, $1, $1
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
             as new (id, account_id, webhook_id, event_id, event_type, status, next_attempt_at, lease)",
    )
    .bind(rows.now.as_millis())
    .bind(each.clone().map(|row| row.id.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.account.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.webhook_id.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.event.id.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.event.event_type.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.status).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.due(rows).as_millis()).collect::<Vec<_>>())
    .bind(each.map(|row| row.lease(rows)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
