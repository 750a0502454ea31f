use std::time::Duration;

use async_trait::async_trait;
use sqlx::{QueryBuilder, SqliteConnection};

use super::{
    ROWS_PER_STATEMENT, SqliteStore, queue,
    tally::{ended_at, settle, webhooks_of},
};
use crate::{
    domain::{DeliveryId, Timestamp, WebhookId},
    store::{
        Claim, Claimed, DeliveryStore, Lease, RecordedAttempt, StoreError,
        claims::{TURNS, Turns},
        rows::{ClaimedRow, PayloadRow, bound, headers_text, millis, next_columns, outcome_columns},
    },
};

#[async_trait]
impl DeliveryStore for SqliteStore {
    async fn claim_due(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        // A claim that a power cut undoes is due again, which is right: it costs no wait for the disk.
        let turn = self.writer.acquire().await?;
        let mut tx = self.hasty.begin_with("BEGIN IMMEDIATE").await?;
        let turns = Turns::new(&next_turns(&mut tx, &claim).await?, &claim)?;
        let mut rows = Vec::new();
        for (webhook, wanted) in &turns.wanted {
            rows.extend(claim_of_one(&mut tx, webhook, *wanted, &turns.lease, &claim).await?);
        }
        tx.commit().await?;
        drop(turn);
        let payloads = self.payloads(&rows).await?;
        turns.end(rows, payloads)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        queue::next_due(&mut *self.readers.acquire().await?).await
    }

    async fn count_pending(&self, limit: u64) -> Result<u64, StoreError> {
        queue::count_pending(&mut *self.readers.acquire().await?, limit).await
    }

    /// An embedded database has one process that delivers.
    async fn recover_leases(&self, now: Timestamp, longest: Duration) -> Result<u64, StoreError> {
        // A lease is due when it lapses.
        let recovered = sqlx::query(
            "update deliveries set lease = null, next_attempt_at = $1
             where status in ('pending', 'held') and status = 'pending'
                 and next_attempt_at > $1 and next_attempt_at <= $2 and lease is not null",
        )
        .bind(now.as_millis())
        .bind(now.plus(longest).as_millis())
        .execute(&self.writer)
        .await?;
        Ok(recovered.rows_affected())
    }

    async fn release(&self, leases: &[(DeliveryId, Lease)], at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for leases in leases.chunks(ROWS_PER_STATEMENT) {
            let mut update = QueryBuilder::new("with released (id, lease) as (");
            update.push_values(leases, |mut row, (id, lease)| {
                row.push_bind(id.as_str()).push_bind(&lease.0);
            });
            update
                .push(
                    ") update deliveries set lease = null,
                         status = case (select state from webhooks w where w.id = deliveries.webhook_id)
                             when 'paused' then 'held' when 'disabled' then 'cancelled' else status end,
                         next_attempt_at = ",
                )
                .push_bind(at.as_millis())
                .push(
                    " from released where deliveries.id = released.id and deliveries.lease = released.lease
                         and deliveries.status = 'pending'",
                );
            update.build().execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<Vec<WebhookId>, StoreError> {
        let mut tx = self.begin().await?;
        for attempts in attempts.chunks(ROWS_PER_STATEMENT) {
            if !append_attempts(&mut tx, attempts).await? {
                return Ok(webhooks_of(attempts));
            }
            move_on(&mut tx, attempts).await?;
        }
        let disabled = settle(&mut tx, attempts).await?;
        tx.commit().await?;
        Ok(disabled)
    }
}

impl SqliteStore {
    /// The bodies to send, each event's once.
    async fn payloads(&self, claimed: &[ClaimedRow]) -> Result<Vec<PayloadRow>, StoreError> {
        let mut payloads = Vec::with_capacity(claimed.len());
        for claimed in claimed.chunks(ROWS_PER_STATEMENT) {
            let mut query =
                QueryBuilder::new("select account_id, id, payload from events where (account_id, id) in (");
            query.push_values(claimed, |mut row, claimed| {
                row.push_bind(&claimed.account_id).push_bind(&claimed.event_id);
            });
            query.push(")");
            let rows: Vec<PayloadRow> = query.build_query_as().fetch_all(&self.readers).await?;
            payloads.extend(rows);
        }
        Ok(payloads)
    }
}

/// Whose turn it is, and whether something of theirs is due.
async fn next_turns(
    connection: &mut SqliteConnection,
    claim: &Claim<'_>,
) -> Result<Vec<(String, bool)>, StoreError> {
    // From one webhook with open deliveries to the next by the index: not one row of what lies between is read.
    Ok(sqlx::query_as(
        "with recursive turn (webhook_id) as (
             select min(webhook_id) from deliveries where status in ('pending', 'held') and webhook_id > $1
             union all
             select (select min(webhook_id) from deliveries
                     where status in ('pending', 'held') and webhook_id > turn.webhook_id)
             from turn where webhook_id is not null
             limit $2)
         select webhook_id, exists (
             select 1 from deliveries
             where webhook_id = turn.webhook_id and status in ('pending', 'held') and status = 'pending'
                 and next_attempt_at <= $3)
         from turn where webhook_id is not null",
    )
    .bind(claim.after.as_ref().map_or("", WebhookId::as_str))
    .bind(bound(TURNS))
    .bind(claim.now.as_millis())
    .fetch_all(connection)
    .await?)
}

async fn claim_of_one(
    connection: &mut SqliteConnection,
    webhook: &WebhookId,
    limit: usize,
    lease: &Lease,
    claim: &Claim<'_>,
) -> Result<Vec<ClaimedRow>, StoreError> {
    Ok(sqlx::query_as(
        "update deliveries set lease = $1, next_attempt_at = $2
         where rowid in (
             select rowid from deliveries
             where webhook_id = $3 and status in ('pending', 'held') and status = 'pending' and next_attempt_at <= $4
             order by next_attempt_at limit $5)
         returning id, account_id, webhook_id, event_id, attempts, earlier_attempts",
    )
    .bind(&lease.0)
    .bind(claim.now.plus(claim.lease).as_millis())
    .bind(webhook.as_str())
    .bind(claim.now.as_millis())
    .bind(bound(limit))
    .fetch_all(connection)
    .await?)
}

/// False if they are on record already.
async fn append_attempts(
    connection: &mut SqliteConnection,
    attempts: &[RecordedAttempt],
) -> Result<bool, StoreError> {
    let mut insert = QueryBuilder::new(
        "insert into attempts (id, delivery_id, number, started_at, duration_ms, url, status_code, retry_after, \
         failure, detail, request_headers, response_headers, response_body, response_truncated) ",
    );
    insert.push_values(
        attempts,
        |mut row,
         RecordedAttempt {
             id,
             delivery_id,
             attempt,
             ..
         }| {
            let (status, retry_after, failure) = outcome_columns(attempt.outcome);
            row.push_bind(id.as_str())
                .push_bind(delivery_id.as_str())
                .push_bind(i64::from(attempt.number))
                .push_bind(attempt.started_at.as_millis())
                .push_bind(millis(attempt.duration))
                .push_bind(&attempt.url)
                .push_bind(status)
                .push_bind(retry_after)
                .push_bind(failure)
                .push_bind(attempt.detail.as_deref())
                .push_bind(headers_text(&attempt.request_headers))
                .push_bind(headers_text(&attempt.response_headers))
                .push_bind(attempt.response_body.as_slice())
                .push_bind(attempt.response_truncated);
        },
    );
    insert.push(" on conflict (id) do nothing");
    let inserted = insert.build().execute(connection).await?;
    Ok(inserted.rows_affected() > 0)
}

/// Moves each delivery on, if the lease under which it was attempted still holds.
async fn move_on(connection: &mut SqliteConnection, attempts: &[RecordedAttempt]) -> Result<(), StoreError> {
    let mut update =
        QueryBuilder::new("with ended (id, lease, status, next_attempt_at, last_result, ended_at) as (");
    update.push_values(attempts, |mut row, recorded| {
        let (status, next_attempt_at) = next_columns(recorded.next);
        row.push_bind(recorded.delivery_id.as_str())
            .push_bind(&recorded.lease.0)
            .push_bind(status)
            .push_bind(next_attempt_at)
            .push_bind(recorded.attempt.outcome.to_string())
            .push_bind(ended_at(&recorded.attempt).as_millis());
    });
    update.push(
        ") update deliveries set
               status = case when ended.status <> 'pending' then ended.status
                   else case (select state from webhooks w where w.id = deliveries.webhook_id)
                       when 'paused' then 'held' when 'disabled' then 'cancelled' else 'pending' end end,
               attempts = attempts + 1, lease = null, next_attempt_at = ended.next_attempt_at,
               last_result = ended.last_result, updated_at = ended.ended_at
           from ended where deliveries.id = ended.id and deliveries.lease = ended.lease",
    );
    update.build().execute(connection).await?;
    Ok(())
}
