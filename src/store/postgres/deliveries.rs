use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use sqlx::PgConnection;

use super::{
    PostgresStore,
    cluster::tell_others,
    queue,
    tally::{ended_at, settle, webhooks_of},
};
use crate::{
    domain::{DeliveryId, Timestamp, WebhookId},
    store::{
        Claim, Claimed, DeliveryStore, Invalidated, Lease, RecordedAttempt, StoreError,
        claims::{TURNS, Turns},
        rows::{ClaimedRow, PayloadRow, bound, headers_text, millis, next_columns, outcome_columns},
    },
};

#[async_trait]
impl DeliveryStore for PostgresStore {
    async fn claim_due(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let mut connection = self.writer.acquire().await?;
        let turns = Turns::new(&next_turns(&mut connection, &claim).await?, &claim)?;
        let rows = claim_of(&mut connection, &turns, &claim).await?;
        let payloads = payloads(&mut connection, &rows).await?;
        turns.end(rows, payloads)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        queue::next_due(&mut *self.readers.acquire().await?).await
    }

    async fn count_pending(&self, limit: u64) -> Result<u64, StoreError> {
        queue::count_pending(&mut *self.readers.acquire().await?, limit).await
    }

    /// Other processes may still hold theirs: a dead one's lapse.
    async fn recover_leases(&self, _now: Timestamp, _longest: Duration) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn release(&self, leases: &[(DeliveryId, Lease)], at: Timestamp) -> Result<(), StoreError> {
        let (ids, leases): (Vec<_>, Vec<_>) = leases
            .iter()
            .map(|(id, lease)| (id.as_str(), lease.0.as_str()))
            .unzip();
        sqlx::query(
            "update deliveries set lease = null, next_attempt_at = $1,
                 status = case (select state from webhooks w where w.id = deliveries.webhook_id)
                     when 'paused' then 'held' when 'disabled' then 'cancelled' else status end
             from unnest($2::text[], $3::text[]) as released (id, lease)
             where deliveries.id = released.id and deliveries.lease = released.lease and status = 'pending'",
        )
        .bind(at.as_millis())
        .bind(ids)
        .bind(leases)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<Vec<WebhookId>, StoreError> {
        let mut tx = self.begin().await?;
        // Before the deliveries, as everybody does who locks both; in order, so that nobody waits in a circle.
        let webhooks: BTreeSet<_> = attempts
            .iter()
            .map(|attempt| attempt.webhook_id.as_str())
            .collect();
        sqlx::query("select from webhooks where id = any($1) order by id for no key update")
            .bind(Vec::from_iter(webhooks))
            .execute(&mut *tx)
            .await?;
        if !append_attempts(&mut tx, attempts).await? {
            return Ok(webhooks_of(attempts));
        }
        move_on(&mut tx, attempts).await?;
        let disabled = settle(&mut tx, attempts).await?;
        for webhook in &disabled {
            tell_others(&mut tx, self, webhook, Invalidated::Edited).await?;
        }
        tx.commit().await?;
        Ok(disabled)
    }
}

/// The bodies to send, each event's once.
async fn payloads(
    connection: &mut PgConnection,
    claimed: &[ClaimedRow],
) -> Result<Vec<PayloadRow>, StoreError> {
    let (accounts, events): (Vec<_>, Vec<_>) = claimed
        .iter()
        .map(|row| (row.account_id.as_str(), row.event_id.as_str()))
        .unzip();
    Ok(sqlx::query_as(
        "select account_id, id, payload from events
         where (account_id, id) in (select * from unnest($1::text[], $2::text[]))",
    )
    .bind(accounts)
    .bind(events)
    .fetch_all(connection)
    .await?)
}

/// Whose turn it is, and whether something of theirs is due.
async fn next_turns(
    connection: &mut PgConnection,
    claim: &Claim<'_>,
) -> Result<Vec<(String, bool)>, StoreError> {
    // From one webhook with open deliveries to the next by the index: not one row of what lies between is read.
    Ok(sqlx::query_as(
        "with recursive turn (webhook_id) as (
             (select webhook_id from deliveries where status in ('pending', 'held') and webhook_id > $1
              order by webhook_id limit 1)
             union all
             select (select d.webhook_id from deliveries d
                     where d.status in ('pending', 'held') and d.webhook_id > turn.webhook_id
                     order by d.webhook_id limit 1)
             from turn where turn.webhook_id is not null)
         select webhook_id, exists (
             select 1 from deliveries d
             where d.webhook_id = turn.webhook_id and d.status in ('pending', 'held') and d.status = 'pending'
                 and d.next_attempt_at <= $3)
         from turn where webhook_id is not null limit $2",
    )
    .bind(claim.after.as_ref().map_or("", WebhookId::as_str))
    .bind(bound(TURNS))
    .bind(claim.now.as_millis())
    .fetch_all(connection)
    .await?)
}

async fn claim_of(
    connection: &mut PgConnection,
    turns: &Turns,
    claim: &Claim<'_>,
) -> Result<Vec<ClaimedRow>, StoreError> {
    if turns.wanted.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = turns.wanted.iter();
    let (webhooks, rooms): (Vec<_>, Vec<_>) = wanted.map(|(id, room)| (id.as_str(), bound(*room))).unzip();
    // The picked go to the update as an array, not as a table to join: of how many there are the planner has no idea, and
    // with a long backlog it took them for so many that it read the whole table instead.
    let mut rows: Vec<ClaimedRow> = sqlx::query_as(
        "with picked as (
             select due.id from unnest($1::text[], $2::bigint[]) as turn (webhook_id, room)
             cross join lateral (
                 select d.id from deliveries d
                 where d.webhook_id = turn.webhook_id and d.status in ('pending', 'held') and d.status = 'pending'
                     and d.next_attempt_at <= $3
                 order by d.next_attempt_at limit turn.room for update skip locked) as due)
         update deliveries set lease = $4, next_attempt_at = $5 where id = any(array(select id from picked))
         returning id, account_id, webhook_id, event_id, attempts, earlier_attempts",
    )
    .bind(webhooks)
    .bind(rooms)
    .bind(claim.now.as_millis())
    .bind(&turns.lease.0)
    .bind(claim.now.plus(claim.lease).as_millis())
    .fetch_all(connection)
    .await?;
    // An update answers in no order: webhook by webhook, the oldest first.
    rows.sort_unstable_by(|a, b| (&a.webhook_id, &a.id).cmp(&(&b.webhook_id, &b.id)));
    Ok(rows)
}

/// False if they are on record already.
async fn append_attempts(
    connection: &mut PgConnection,
    attempts: &[RecordedAttempt],
) -> Result<bool, StoreError> {
    let each = || attempts.iter().map(|recorded| &recorded.attempt);
    let ids = attempts.iter().map(|recorded| recorded.id.as_str());
    let deliveries = attempts.iter().map(|recorded| recorded.delivery_id.as_str());
    let inserted = sqlx::query(
        "insert into attempts (id, delivery_id, number, started_at, duration_ms, url, status_code, retry_after, failure,
             detail, request_headers, response_headers, response_body, response_truncated)
         select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[],
             $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bytea[], $14::bool[])
         on conflict (id) do nothing",
    )
    .bind(ids.collect::<Vec<_>>())
    .bind(deliveries.collect::<Vec<_>>())
    .bind(each().map(|attempt| i64::from(attempt.number)).collect::<Vec<_>>())
    .bind(each().map(|attempt| attempt.started_at.as_millis()).collect::<Vec<_>>())
    .bind(each().map(|attempt| millis(attempt.duration)).collect::<Vec<_>>())
    .bind(each().map(|attempt| attempt.url.as_str()).collect::<Vec<_>>())
    .bind(each().map(|attempt| outcome_columns(attempt.outcome).0).collect::<Vec<_>>())
    .bind(each().map(|attempt| outcome_columns(attempt.outcome).1).collect::<Vec<_>>())
    .bind(each().map(|attempt| outcome_columns(attempt.outcome).2).collect::<Vec<_>>())
    .bind(each().map(|attempt| attempt.detail.as_deref()).collect::<Vec<_>>())
    .bind(each().map(|attempt| headers_text(&attempt.request_headers)).collect::<Vec<_>>())
    .bind(each().map(|attempt| headers_text(&attempt.response_headers)).collect::<Vec<_>>())
    .bind(each().map(|attempt| attempt.response_body.as_slice()).collect::<Vec<_>>())
    .bind(each().map(|attempt| attempt.response_truncated).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Moves each delivery on, if the lease under which it was attempted still holds.
async fn move_on(connection: &mut PgConnection, attempts: &[RecordedAttempt]) -> Result<(), StoreError> {
    let each = attempts.iter();
    sqlx::query(
        "update deliveries set
             status = case when ended.status <> 'pending' then ended.status
                 else case (select state from webhooks w where w.id = deliveries.webhook_id)
                     when 'paused' then 'held' when 'disabled' then 'cancelled' else 'pending' end end,
             attempts = attempts + 1, lease = null, next_attempt_at = ended.next_attempt_at,
             last_result = ended.last_result, updated_at = ended.ended_at
         from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
             as ended (id, lease, status, next_attempt_at, last_result, ended_at)
         where deliveries.id = ended.id and deliveries.lease = ended.lease",
    )
    .bind(
        each.clone()
            .map(|recorded| recorded.delivery_id.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        each.clone()
            .map(|recorded| recorded.lease.0.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        each.clone()
            .map(|recorded| next_columns(recorded.next).0)
            .collect::<Vec<_>>(),
    )
    .bind(
        each.clone()
            .map(|recorded| next_columns(recorded.next).1)
            .collect::<Vec<_>>(),
    )
    .bind(
        each.clone()
            .map(|recorded| recorded.attempt.outcome.to_string())
            .collect::<Vec<_>>(),
    )
    .bind(
        each.map(|recorded| ended_at(&recorded.attempt).as_millis())
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
