//! Deliveries going out: claimed under a lease, given back, moved on by the outcomes of their attempts.

use std::collections::BTreeSet;

use super::{
    cluster::enqueue_invalidations,
    tally::{ended_at, settle},
};
use crate::{
    domain::{AttemptDetail, DeliveryId, Timestamp, WebhookId},
    store::{
        Claim, Claimed, Invalidated, Lease, RecordedAttempt, Stale, Store, StoreError,
        claims::{ClaimedRow, MAX_TURNS, Turn, Turns},
        database::{Bind as _, Connection, Dialect, Kind, Rows, query},
        rows::{headers_text, millis, next_columns, outcome_columns},
    },
};

// Of two terms on the status, SQLite looks up the first one in the index. So the status that is wanted comes first, and
// the term that makes the index usable after it: the other way round it would read the whole queue.

/// The webhooks with open deliveries, from one to the next by the index: no row of what lies between is read, and no index
/// of its own has to be kept up with every delivery.
const WAITING: &str = "with recursive waiting (webhook_id) as (
         select (select webhook_id from deliveries where status in ('new', 'pending', 'held')
                 order by webhook_id limit 1)
         union all
         select (select d.webhook_id from deliveries d
                 where d.status in ('new', 'pending', 'held') and d.webhook_id > waiting.webhook_id
                 order by d.webhook_id limit 1)
         from waiting where waiting.webhook_id is not null)";

impl Store {
    /// Takes what is due, under a lease: webhook by webhook, of each what is due longest.
    pub async fn claim_due(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        self.points.reached("claim_due").await;
        // A claim that a power cut undoes is due again, which is right.
        let mut tx = self.begin_unsynced().await?;
        let next = next_turns(&mut tx, &claim).await?;
        for turn in next.iter().filter(|turn| turn.is_abandoned) {
            requeue_abandoned(&mut tx, &turn.webhook_id, claim.now).await?;
        }
        let turns = Turns::new(next, &claim);
        let rows = claim_of(&mut tx, &turns, &claim).await?;
        tx.commit().await?;
        // Only now, so that no write waits for what is only read.
        let events: BTreeSet<_> = rows.iter().map(|row| row.event_key).collect();
        let payloads = Rows::new([Kind::Integer], events.into_iter().map(|key| [key.into_value()]))
            .fetch_all(
                "with wanted (key) as ({rows})
                 select key, id, payload from events where key in (select key from wanted)",
                &mut self.read().await?,
            )
            .await?;
        self.points.reached("claim_due: committed").await;
        turns.end(rows, payloads)
    }

    /// When the next pending delivery is due, if there is one.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        // The first of each webhook, by the index: a long queue costs no more than a short one.
        query(format!(
            "{WAITING}
             select min(due) from (
                 select (select min(d.next_attempt_at) from deliveries d
                         where d.webhook_id = waiting.webhook_id and d.status = 'new'
                             and d.status in ('new', 'pending', 'held')) as due
                 from waiting where waiting.webhook_id is not null
                 union all
                 select (select min(d.next_attempt_at) from deliveries d
                         where d.webhook_id = waiting.webhook_id and d.status = 'pending'
                             and d.status in ('new', 'pending', 'held'))
                 from waiting where waiting.webhook_id is not null) first_of_each"
        ))
        .fetch_one(&mut self.read().await?)
        .await
    }

    /// How many deliveries are pending, in all accounts; counted no further than `limit`.
    pub async fn count_pending(&self, limit: u64) -> Result<u64, StoreError> {
        // A million deliveries that are held lie between the others in the index, and are not read.
        query(format!(
            "{WAITING}
             select count(*) from (
                 select 1 from waiting cross join deliveries d
                 where d.webhook_id = waiting.webhook_id and d.status in ('new', 'pending')
                     and d.status in ('new', 'pending', 'held')
                 limit $1) counted"
        ))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_one(&mut self.read().await?)
        .await
    }

    /// At the start of a process: takes back the leases that one before it has left, if this database cannot have
    /// other processes that still hold them. Otherwise they lapse. Returns how many.
    pub async fn recover_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        if self.is_shared() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let new = query(format!(
            "update deliveries set status = 'pending', lease = null, next_attempt_at = $1
             where id in (
                 {WAITING}
                 select d.id from waiting cross join deliveries d
                 where d.webhook_id = waiting.webhook_id and d.status = 'new'
                     and d.status in ('new', 'pending', 'held'))"
        ));
        let mut recovered = new.bind(now).execute(&mut tx).await?;
        // A lease is due when it lapses.
        let others = query(format!(
            "update deliveries set lease = null, next_attempt_at = $1
             where id in (
                 {WAITING}
                 select d.id from waiting cross join deliveries d
                 where d.webhook_id = waiting.webhook_id and d.status = 'pending'
                     and d.status in ('new', 'pending', 'held') and d.next_attempt_at > $1 and d.lease is not null)"
        ));
        recovered += others.bind(now).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(recovered)
    }

    /// Gives leases back: due at `at`, or held if the webhook is paused.
    pub async fn release(&self, leases: &[(DeliveryId, Lease)], at: Timestamp) -> Result<(), StoreError> {
        let released = leases
            .iter()
            .map(|(id, lease)| [id.into_value(), lease.into_value(), at.into_value()]);
        let mut tx = self.begin().await?;
        Rows::new([Kind::Bytes, Kind::Bytes, Kind::Integer], released)
            .execute(
                "with released (id, lease, due) as ({rows})
                 update {or_fail} deliveries set lease = null, next_attempt_at = released.due,
                     status = case (select state from webhooks w where w.id = deliveries.webhook_id)
                         when 'paused' then 'held' when 'disabled' then 'cancelled' else 'pending' end
                 from released where deliveries.id = released.id and deliveries.lease = released.lease
                     and deliveries.status in ('new', 'pending')",
                &mut tx,
            )
            .await?;
        tx.commit().await
    }

    /// Appends attempts and moves their deliveries on, in one transaction.
    ///
    /// An attempt whose lease has lapsed is still put on record, but moves nothing: a newer claim decides. A webhook that
    /// has failed for too long is disabled. Returns which webhooks were, or may have been.
    ///
    /// The same attempts again change nothing: after a lost connection nobody knows whether they were committed.
    pub async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<Vec<WebhookId>, StoreError> {
        self.points.reached("record_attempts").await;
        let webhooks: BTreeSet<_> = attempts.iter().map(|attempt| &attempt.webhook_id).collect();
        let mut tx = self.begin().await?;
        if tx.dialect() == Dialect::Postgres {
            // Before the deliveries, as everybody does who locks both; in order, so that nobody waits in a circle.
            Rows::new([Kind::Bytes], webhooks.iter().map(|id| [id.into_value()]))
                .execute(
                    "with wanted (id) as ({rows})
                     select from webhooks where id in (select id from wanted) order by id for no key update",
                    &mut tx,
                )
                .await?;
        }
        if append_attempts(&mut tx, attempts).await? == 0 {
            // They are on record already. Which webhooks were disabled then is no longer known: it may be any of these.
            return Ok(webhooks.into_iter().cloned().collect());
        }
        self.points.reached("record_attempts: attempts inserted").await;
        move_on(&mut tx, attempts).await?;
        self.points.reached("record_attempts: deliveries updated").await;
        let disabled = settle(&mut tx, attempts).await?;
        for webhook in &disabled {
            let stale = Stale::Webhook(webhook.clone(), Invalidated::Edited);
            enqueue_invalidations(&mut tx, self, &stale).await?;
        }
        tx.commit().await?;
        self.points.reached("record_attempts: committed").await;
        Ok(disabled)
    }
}

/// Whose turn it is, and whether something of theirs is due.
async fn next_turns(connection: &mut Connection, claim: &Claim<'_>) -> Result<Vec<Turn>, StoreError> {
    // From one webhook with open deliveries to the next by the index: not one row of what lies between is read.
    let after = claim.after.as_ref().map_or(Vec::new(), |id| id.to_key().to_vec());
    query(
        "with recursive turn (webhook_id) as (
             select (select webhook_id from deliveries
                     where status in ('new', 'pending', 'held') and webhook_id > $1
                     order by webhook_id limit 1)
             union all
             select (select d.webhook_id from deliveries d
                     where d.status in ('new', 'pending', 'held') and d.webhook_id > turn.webhook_id
                     order by d.webhook_id limit 1)
             from turn where turn.webhook_id is not null)
         select webhook_id,
             exists (select 1 from deliveries d
                     where d.webhook_id = turn.webhook_id and d.status = 'pending'
                         and d.status in ('new', 'pending', 'held') and d.next_attempt_at <= $3) as is_due,
             exists (select 1 from deliveries d
                     where d.webhook_id = turn.webhook_id and d.status = 'new'
                         and d.status in ('new', 'pending', 'held') and d.next_attempt_at <= $3) as is_abandoned
         from turn where webhook_id is not null limit $2",
    )
    .bind(after)
    .bind(MAX_TURNS)
    .bind(claim.now)
    .fetch_all(connection)
    .await
}

/// Makes due whose first attempt never ended, because its process died.
async fn requeue_abandoned(
    connection: &mut Connection,
    webhook: &WebhookId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    query(
        "update deliveries set status = 'pending', lease = null
         where webhook_id = $1 and status = 'new' and status in ('new', 'pending', 'held') and next_attempt_at <= $2",
    )
    .bind(webhook)
    .bind(now)
    .execute(connection)
    .await
}

async fn claim_of(
    connection: &mut Connection,
    turns: &Turns,
    claim: &Claim<'_>,
) -> Result<Vec<ClaimedRow>, StoreError> {
    let lapses = claim.now.plus(claim.lease);
    let mut rows = match connection.dialect() {
        Dialect::Sqlite => {
            // One look-up by the index each, and no server to wait for in between.
            let mut rows = Vec::new();
            for (webhook, room) in &turns.wanted {
                let claimed = query(
                    "update deliveries set lease = $1, next_attempt_at = $2
                     where id in (
                         select id from deliveries
                         where webhook_id = $3 and status = 'pending' and status in ('new', 'pending', 'held')
                             and next_attempt_at <= $4
                         order by next_attempt_at limit $5)
                     returning id, webhook_id, event_key, attempts, earlier_attempts",
                )
                .bind(&turns.lease)
                .bind(lapses)
                .bind(webhook)
                .bind(claim.now)
                .bind(*room);
                rows.extend(claimed.fetch_all::<ClaimedRow>(connection).await?);
            }
            rows
        }
        Dialect::Postgres => {
            let wanted = turns.wanted.iter().map(|(webhook, room)| {
                [
                    webhook.into_value(),
                    room.into_value(),
                    claim.now.into_value(),
                    (&turns.lease).into_value(),
                    lapses.into_value(),
                ]
            });
            use Kind::{Bytes, Integer};
            // The picked go to the update as an array, not as a table to join: of how many there are the planner has no
            // idea, and with a long backlog it took them for so many that it read the whole table instead.
            Rows::new([Bytes, Integer, Integer, Bytes, Integer], wanted)
                .fetch_all(
                    "with turn (webhook_id, room, now, lease, lapses) as ({rows}),
                     picked as (
                         select due.id from turn cross join lateral (
                             select d.id from deliveries d
                             where d.webhook_id = turn.webhook_id and d.status = 'pending'
                                 and d.status in ('new', 'pending', 'held') and d.next_attempt_at <= turn.now
                             order by d.next_attempt_at limit turn.room for update skip locked) as due)
                     update deliveries set lease = (select lease from turn limit 1),
                         next_attempt_at = (select lapses from turn limit 1)
                     where id = any(array(select id from picked))
                     returning id, webhook_id, event_key, attempts, earlier_attempts",
                    connection,
                )
                .await?
        }
    };
    // An update returns its rows in any order: webhook by webhook, the oldest first.
    rows.sort_unstable_by(|a, b| (&a.webhook_id, &a.id).cmp(&(&b.webhook_id, &b.id)));
    Ok(rows)
}

/// Returns how many were not on record yet.
async fn append_attempts(
    connection: &mut Connection,
    attempts: &[RecordedAttempt],
) -> Result<u64, StoreError> {
    use Kind::{Boolean, Bytes, Integer, Text};
    let rows = attempts.iter().map(|recorded| {
        let attempt = &recorded.attempt;
        let (status_code, retry_after, failure) = outcome_columns(attempt.outcome);
        let (tls_problem, detail) = match &attempt.detail {
            Some(AttemptDetail::Tls(trouble)) => (Some(*trouble), None),
            Some(AttemptDetail::Text(text)) => (None, Some(text.as_str())),
            None => (None, None),
        };
        [
            (&recorded.delivery_id).into_value(),
            (&recorded.id).into_value(),
            attempt.number.into_value(),
            attempt.started_at.into_value(),
            millis(attempt.duration).into_value(),
            attempt.url.as_str().into_value(),
            status_code.into_value(),
            retry_after.into_value(),
            failure.into_value(),
            tls_problem.into_value(),
            detail.into_value(),
            headers_text(&attempt.request_headers).into_value(),
            headers_text(&attempt.response_headers).into_value(),
            attempt.response_body.as_slice().into_value(),
            attempt.response_truncated.into_value(),
        ]
    });
    let kinds = [
        Bytes, Bytes, Integer, Integer, Integer, Text, Integer, Integer, Text, Text, Text, Text, Text, Bytes,
        Boolean,
    ];
    let insert = "insert {or_fail} into attempts (delivery_id, id, number, started_at, duration_ms, url, status_code, retry_after,
             failure, tls_problem, detail, request_headers, response_headers, response_body, response_truncated)
         {rows} on conflict do nothing";
    Rows::new(kinds, rows).execute(insert, connection).await
}

/// Moves each delivery on, if the lease under which it was attempted still holds.
async fn move_on(connection: &mut Connection, attempts: &[RecordedAttempt]) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer, Text};
    let rows = attempts.iter().map(|recorded| {
        let (status, next_attempt_at) = next_columns(recorded.next);
        let (status_code, _, failure) = outcome_columns(recorded.attempt.outcome);
        [
            (&recorded.delivery_id).into_value(),
            (&recorded.lease).into_value(),
            status.into_value(),
            next_attempt_at.into_value(),
            status_code.into_value(),
            failure.into_value(),
            ended_at(&recorded.attempt).into_value(),
        ]
    });
    let kinds = [Bytes, Bytes, Text, Integer, Integer, Text, Integer];
    let update = "with ended (id, lease, status, next_attempt_at, status_code, failure, ended_at) as ({rows})
         update {or_fail} deliveries set
             status = case when ended.status <> 'pending' then ended.status
                 else case (select state from webhooks w where w.id = deliveries.webhook_id)
                     when 'paused' then 'held' when 'disabled' then 'cancelled' else 'pending' end end,
             attempts = attempts + 1, lease = null, next_attempt_at = ended.next_attempt_at,
             last_status_code = ended.status_code, last_failure = ended.failure, updated_at = ended.ended_at
         from ended where deliveries.id = ended.id and deliveries.lease = ended.lease";
    Rows::new(kinds, rows).execute(update, connection).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::{
        domain::{AccountId, EventType},
        store::{Claim, DEFAULT_ACCOUNT},
    };

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    async fn insert_pending(store: &Store, account: &AccountId, webhook: &WebhookId, number: i64) {
        let mut tx = store.begin().await.unwrap();
        query(
            "insert into webhooks (id, account_id, name, url, events, state, version, created_at, updated_at, updated_by)
             values ($1, $2, 'test', 'https://example.com/', 'chat', 'active', 1, 1, 1, 'system')",
        )
        .bind(webhook)
        .bind(account)
        .execute(&mut tx)
        .await
        .unwrap();
        for key in 0..number {
            query(
                "insert into events (key, account_id, id, event_type, occurred_at, received_at, payload, fingerprint,
                     delivery_count)
                 values ($1, $2, 'event-' || $1, 'chat', 1, 1, x'7b7d', zeroblob(32), 1)",
            )
            .bind(key)
            .bind(account)
            .execute(&mut tx)
            .await
            .unwrap();
            query(
                "insert into deliveries (id, account_id, webhook_id, event_key, event_type, status, attempts,
                     next_attempt_at, updated_at)
                 values ($1, $2, $3, $4, $5, 'pending', 0, $6, 1)",
            )
            .bind(&DeliveryId::generate(NOW))
            .bind(account)
            .bind(webhook)
            .bind(key)
            .bind(EventType::Chat)
            .bind(NOW.as_millis() - number + key)
            .execute(&mut tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Instructions that SQLite executes for each operation on a queue of this length.
    async fn costs(length: i64) -> Vec<(&'static str, u64)> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        let account = store.ensure_account(DEFAULT_ACCOUNT, NOW).await.unwrap();
        let webhook = WebhookId::generate(NOW);
        insert_pending(&store, &account, &webhook, length).await;
        let instructions = store.database.count_instructions().await;
        let mut costs = Vec::new();
        let mut measure = |operation| costs.push((operation, instructions.swap(0, Ordering::Relaxed)));

        let due = store.next_due().await.unwrap();
        assert_eq!(due, Some(Timestamp::from_millis(NOW.as_millis() - length)));
        measure("next_due");
        store.count_pending(10).await.unwrap();
        measure("count_pending");
        store.recover_leases(NOW).await.unwrap();
        measure("recover_leases");
        let claim = Claim {
            now: NOW,
            lease: std::time::Duration::from_secs(1),
            limit: 10,
            room: &|_| 10,
            after: None,
        };
        let claimed = store.claim_due(claim).await.unwrap();
        assert_eq!(claimed.deliveries.len(), 10);
        measure("claim_due");
        costs
    }

    #[tokio::test]
    async fn long_queue_costs_no_more_than_a_short_one() {
        let (short, long) = (costs(20).await, costs(2_000).await);
        for ((operation, short), (_, long)) in short.into_iter().zip(long) {
            assert!(short > 0, "{operation} was not measured");
            assert!(long < 2 * short, "{operation}: {short} instructions, then {long}");
        }
    }
}
