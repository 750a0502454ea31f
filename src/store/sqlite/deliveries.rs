use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::{AssertSqlSafe, QueryBuilder, SqliteConnection};

use super::{
    ROWS_PER_STATEMENT, SqliteStore,
    rows::{
        ATTEMPT, AttemptRow, ClaimedRow, DELIVERY, DeliveryRow, PayloadRow, headers_text, small_count,
        stored_id, timestamp,
    },
    tally::{Tally, disable_webhook, ended_at},
};
use crate::{
    domain::{
        AccountId, Attempt, Delivery, DeliveryId, DisabledReason, Outcome, Timestamp, WebhookId, failing,
    },
    store::{
        Claim, Claimed, ClaimedDelivery, DeliveryDetail, DeliveryFilter, DeliveryPage, DeliveryStore, Lease,
        Next, RecordedAttempt, StoreError,
    },
};

/// A claim goes to so many webhooks at most: a millisecond's work, also when nothing of theirs is due yet.
const TURNS: usize = 256;

#[async_trait]
impl DeliveryStore for SqliteStore {
    async fn claim_due(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let lease = Lease(DeliveryId::generate(claim.now).into());
        // A claim that a power cut undoes is due again, which is right: it costs no wait for the disk.
        let turn = self.writer.acquire().await?;
        let mut tx = self.hasty.begin_with("BEGIN IMMEDIATE").await?;
        let Turns { due, mut until } = next_turns(&mut tx, &claim).await?;
        let mut unfinished = HashSet::new();
        let mut rooms = Vec::with_capacity(due.len());
        for webhook in due {
            match (claim.room)(&webhook) {
                0 => drop(unfinished.insert(webhook)),
                room => rooms.push((webhook, room)),
            }
        }
        if rooms.len() > claim.limit {
            rooms.truncate(claim.limit);
            until = rooms.last().map(|(webhook, _)| webhook.clone());
        }
        let (mut left, mut others) = (claim.limit, rooms.len());
        let mut rows = Vec::new();
        for (webhook, room) in rooms {
            // What one does not need is for those after it.
            let wanted = room.min(left.div_ceil(others));
            let claimed = claim_of_one(&mut tx, &webhook, wanted, &lease, &claim).await?;
            left -= claimed.len();
            others -= 1;
            if claimed.len() == wanted {
                unfinished.insert(webhook);
            }
            rows.extend(claimed);
        }
        tx.commit().await?;
        drop(turn);
        let payloads = self.payloads(&rows).await?;
        let deliveries = rows.into_iter().map(|row| {
            let payload = payloads.get(&(row.account_id, row.event_id.clone()));
            Ok(ClaimedDelivery {
                id: stored_id(&row.id)?,
                webhook_id: stored_id(&row.webhook_id)?,
                event_id: stored_id(&row.event_id)?,
                lease: lease.clone(),
                number: small_count(row.attempts).saturating_add(1),
                payload: payload
                    .cloned()
                    .ok_or(StoreError::Corrupt("delivery without an event"))?,
            })
        });
        Ok(Claimed {
            deliveries: deliveries.collect::<Result<_, StoreError>>()?,
            unfinished,
            until,
        })
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> =
            sqlx::query_scalar("select min(next_attempt_at) from deliveries where status = 'pending'")
                .fetch_one(&self.readers)
                .await?;
        Ok(timestamp(due))
    }

    /// An embedded database has one process that delivers.
    async fn recover_leases(&self, now: Timestamp, longest: Duration) -> Result<u64, StoreError> {
        // A lease is due when it lapses, so the index finds them among what is due next.
        let recovered = sqlx::query(
            "update deliveries set lease = null, next_attempt_at = $1
             where status = 'pending' and next_attempt_at > $1 and next_attempt_at <= $2 and lease is not null",
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
            append_attempts(&mut tx, attempts).await?;
            move_on(&mut tx, attempts).await?;
        }
        let mut disabled = Vec::new();
        for (webhook, tally) in Tally::of(attempts) {
            if tally.save(&mut tx, webhook).await? == Some(failing::Verdict::Disable) {
                let at = ended_at(tally.last);
                disable_webhook(&mut tx, webhook, DisabledReason::Failing, at).await?;
                disabled.push(webhook.clone());
            }
        }
        for attempt in attempts {
            if let Next::DisableWebhook(reason) = attempt.next {
                let at = ended_at(&attempt.attempt);
                disable_webhook(&mut tx, &attempt.webhook_id, reason, at).await?;
                disabled.push(attempt.webhook_id.clone());
            }
        }
        tx.commit().await?;
        Ok(disabled)
    }

    async fn list_deliveries(
        &self,
        account: &AccountId,
        filter: &DeliveryFilter,
    ) -> Result<DeliveryPage, StoreError> {
        let mut query = QueryBuilder::new(format!(
            "select {DELIVERY} from deliveries d join webhooks w on w.id = d.webhook_id where d.account_id = "
        ));
        query.push_bind(account.as_str());
        if let Some(webhook) = &filter.webhook_id {
            query.push(" and d.webhook_id = ").push_bind(webhook.as_str());
        }
        if let Some(status) = filter.status {
            query.push(" and d.status = ").push_bind(status.as_str());
        }
        if let Some(event_type) = filter.event_type {
            query.push(" and d.event_type = ").push_bind(event_type.as_str());
        }
        if let Some(event) = &filter.event_id {
            query.push(" and d.event_id = ").push_bind(event.as_str());
        }
        if let Some(before) = &filter.before {
            query.push(" and d.id < ").push_bind(before.as_str());
        }
        // One more than wanted tells whether there are more.
        query
            .push(" order by d.id desc limit ")
            .push_bind(i64::from(filter.limit) + 1);
        let rows: Vec<DeliveryRow> = query.build_query_as().fetch_all(&self.readers).await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let deliveries = rows
            .into_iter()
            .take(limit)
            .map(Delivery::try_from)
            .collect::<Result<_, _>>()?;
        Ok(DeliveryPage { deliveries, more })
    }

    async fn delivery(
        &self,
        account: &AccountId,
        id: &DeliveryId,
    ) -> Result<Option<DeliveryDetail>, StoreError> {
        // One transaction, so that the attempts are those that the delivery's state tells of.
        let mut tx = self.readers.begin().await?;
        let sql = format!(
            "select {DELIVERY} from deliveries d join webhooks w on w.id = d.webhook_id
             where d.account_id = $1 and d.id = $2"
        );
        let row: Option<DeliveryRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(delivery) = row.map(Delivery::try_from).transpose()? else {
            return Ok(None);
        };
        let payload: Vec<u8> =
            sqlx::query_scalar("select payload from events where account_id = $1 and id = $2")
                .bind(account.as_str())
                .bind(delivery.event_id.as_str())
                .fetch_one(&mut *tx)
                .await?;
        let sql =
            format!("select {ATTEMPT} from attempts where delivery_id = $1 order by number, started_at");
        let rows: Vec<AttemptRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(id.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let attempts = rows
            .into_iter()
            .map(Attempt::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Some(DeliveryDetail {
            delivery,
            payload: payload.into(),
            attempts,
        }))
    }
}

impl SqliteStore {
    /// The bodies to send, each event's once.
    async fn payloads(&self, claimed: &[ClaimedRow]) -> Result<HashMap<(String, String), Bytes>, StoreError> {
        let mut payloads = HashMap::with_capacity(claimed.len());
        for claimed in claimed.chunks(ROWS_PER_STATEMENT) {
            let mut query =
                QueryBuilder::new("select account_id, id, payload from events where (account_id, id) in (");
            query.push_values(claimed, |mut row, claimed| {
                row.push_bind(&claimed.account_id).push_bind(&claimed.event_id);
            });
            query.push(")");
            let rows: Vec<PayloadRow> = query.build_query_as().fetch_all(&self.readers).await?;
            payloads.extend(
                rows.into_iter()
                    .map(|row| ((row.account_id, row.id), row.payload.into())),
            );
        }
        Ok(payloads)
    }
}

/// Whose turn it is in a claim.
struct Turns {
    /// Those with something due.
    due: Vec<WebhookId>,
    /// The last that was looked at; `None` at the end.
    until: Option<WebhookId>,
}

async fn next_turns(connection: &mut SqliteConnection, claim: &Claim<'_>) -> Result<Turns, StoreError> {
    // From one webhook with open deliveries to the next by the index: not one row of what lies between is read.
    let rows: Vec<(String, bool)> = sqlx::query_as(
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
    .await?;
    let last = (rows.len() == TURNS).then(|| rows.last()).flatten();
    Ok(Turns {
        until: last.map(|(webhook, _)| stored_id(webhook)).transpose()?,
        due: rows
            .iter()
            .filter(|(_, due)| *due)
            .map(|(webhook, _)| stored_id(webhook))
            .collect::<Result<_, _>>()?,
    })
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
         returning id, account_id, webhook_id, event_id, attempts",
    )
    .bind(&lease.0)
    .bind(claim.now.plus(claim.lease).as_millis())
    .bind(webhook.as_str())
    .bind(claim.now.as_millis())
    .bind(bound(limit))
    .fetch_all(connection)
    .await?)
}

async fn append_attempts(
    connection: &mut SqliteConnection,
    attempts: &[RecordedAttempt],
) -> Result<(), StoreError> {
    let mut insert = QueryBuilder::new(
        "insert into attempts (id, delivery_id, number, started_at, duration_ms, url, status_code, retry_after, \
         failure, detail, request_headers, response_headers, response_body, response_truncated) ",
    );
    insert.push_values(
        attempts,
        |mut row,
         RecordedAttempt {
             delivery_id, attempt, ..
         }| {
            let (status, retry_after, failure) = match attempt.outcome {
                Outcome::Answered { status, retry_after } => (Some(i64::from(status)), retry_after, None),
                Outcome::Failed(reason) => (None, None, Some(reason.as_str())),
            };
            row.push_bind(String::from(DeliveryId::generate(attempt.started_at)))
                .push_bind(delivery_id.as_str())
                .push_bind(i64::from(attempt.number))
                .push_bind(attempt.started_at.as_millis())
                .push_bind(millis(attempt.duration))
                .push_bind(&attempt.url)
                .push_bind(status)
                .push_bind(retry_after.map(|pause| i64::try_from(pause.as_secs()).unwrap_or(i64::MAX)))
                .push_bind(failure)
                .push_bind(attempt.detail.as_deref())
                .push_bind(headers_text(&attempt.request_headers))
                .push_bind(headers_text(&attempt.response_headers))
                .push_bind(attempt.response_body.as_slice())
                .push_bind(attempt.response_truncated);
        },
    );
    insert.build().execute(connection).await?;
    Ok(())
}

/// Moves each delivery on, if the lease under which it was attempted still holds.
async fn move_on(connection: &mut SqliteConnection, attempts: &[RecordedAttempt]) -> Result<(), StoreError> {
    let mut update =
        QueryBuilder::new("with ended (id, lease, status, next_attempt_at, last_result, ended_at) as (");
    update.push_values(attempts, |mut row, recorded| {
        let (status, next_attempt_at) = match recorded.next {
            Next::Delivered => ("delivered", None),
            Next::RetryAt(at) => ("pending", Some(at.as_millis())),
            Next::Failed | Next::DisableWebhook(_) => ("failed", None),
            Next::Cancelled => ("cancelled", None),
        };
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

fn bound(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
