//! The delivery queue: claiming due deliveries under a lease, releasing them, and recording attempts.

use std::collections::BTreeSet;

use super::{
    cluster::enqueue_invalidations,
    open_deliveries::OPEN_WEBHOOKS,
    paces::{lock_paces, set_pace},
    webhook_health::{ended_at, record_outcomes},
};
use crate::{
    domain::{AttemptDetail, DeliveryId, Timestamp, WebhookId},
    store::{
        CacheKey, Claim, Claimed, InvalidationReason, Lease, RecordedAttempt, Store, StoreError,
        claims::{ClaimCandidate, ClaimPlan, ClaimedRow, MAX_CANDIDATES},
        database::{Bind as _, Connection, Dialect, Kind, Rows, query},
        rows::{headers_text, millis, next_columns, outcome_columns},
    },
};

// Many statements have two conditions on the status: the requested status, and the condition of the partial index of
// open deliveries. SQLite uses the first one to search the index. In the other order it would scan the whole queue.

/// Calls per second above which claims wait until there are several calls to make.
const FAST: u32 = 50;

/// Delay of such claims in milliseconds.
const CLAIM_DELAY: u32 = 20;

impl Store {
    /// Claims due deliveries under a lease. Claims the longest due deliveries of each webhook, of one with
    /// a rate limit only as many as may be sent now.
    pub async fn claim_due(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        self.points.reached("claim_due").await;
        // If a power failure undoes the claim, the deliveries are due again.
        let mut tx = self.begin_unsynced().await?;
        let candidates = next_candidates(&mut tx, &claim).await?;
        for candidate in candidates.iter().filter(|candidate| candidate.has_abandoned) {
            requeue_abandoned(&mut tx, &candidate.webhook_id, claim.now).await?;
        }
        let limited: Vec<_> = candidates
            .iter()
            .filter(|candidate| candidate.needs_pace())
            .collect();
        let paces = lock_paces(&mut tx, &limited).await?;
        let plan = ClaimPlan::new(candidates, paces, &claim);
        let rows = claim_deliveries(&mut tx, &plan, &claim).await?;
        for (webhook, free_at) in plan.new_paces(&rows, claim.now) {
            set_pace(&mut tx, webhook, free_at).await?;
        }
        tx.commit().await?;
        // Read after the commit, so that other writes do not wait for it.
        let events: BTreeSet<_> = rows.iter().map(|row| row.event_key).collect();
        let payloads = Rows::new([Kind::Integer], events.into_iter().map(|key| [key.into_value()]))
            .fetch_all(
                "with wanted (key) as ({rows})
                 select key, id, payload from events where key in (select key from wanted)",
                &mut self.read().await?,
            )
            .await?;
        self.points.reached("claim_due: committed").await;
        plan.into_claimed(rows, payloads)
    }

    /// Returns when the next pending delivery is due, or `None` if there are no pending deliveries.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        // Reads only the first delivery of each webhook in the index, so a long queue costs no more than a short one.
        query(format!(
            "{OPEN_WEBHOOKS}
             select min(case when paced_until > due then paced_until else due end) from (
                 select (select min(d.next_attempt_at) from deliveries d
                         where d.webhook_id = open_webhooks.webhook_id and d.status = 'new'
                             and d.status in ('new', 'pending', 'held')) as due, null as paced_until
                 from open_webhooks where open_webhooks.webhook_id is not null
                 union all
                 select (select min(d.next_attempt_at) from deliveries d
                         where d.webhook_id = w.id and d.status = 'pending'
                             and d.status in ('new', 'pending', 'held')),
                     (select p.free_at / 1000 + case when w.rate_limit > {FAST} then {CLAIM_DELAY} else 1 end
                      from webhook_paces p where p.webhook_id = w.id and w.rate_limit is not null)
                 from open_webhooks join webhooks w on w.id = open_webhooks.webhook_id
                 where w.state = 'active' and w.deleted_at is null) first_due"
        ))
        .fetch_one(&mut self.read().await?)
        .await
    }

    /// Returns the number of pending deliveries of all accounts, at most `limit`.
    pub async fn count_pending(&self, limit: u64) -> Result<u64, StoreError> {
        // Does not read held deliveries, of which there may be millions.
        query(format!(
            "{OPEN_WEBHOOKS}
             select count(*) from (
                 select 1 from open_webhooks cross join deliveries d
                 where d.webhook_id = open_webhooks.webhook_id and d.status in ('new', 'pending')
                     and d.status in ('new', 'pending', 'held')
                 limit $1) counted"
        ))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_one(&mut self.read().await?)
        .await
    }

    /// Makes deliveries due that were leased by a previous process. Must be called at startup. Does nothing if the
    /// database is shared: a lease may belong to another running process, and expires otherwise. Returns the number of
    /// deliveries.
    pub async fn recover_leases(&self, now: Timestamp) -> Result<u64, StoreError> {
        if self.is_shared() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let new = query(format!(
            "update deliveries set status = 'pending', lease = null, next_attempt_at = $1
             where id in (
                 {OPEN_WEBHOOKS}
                 select d.id from open_webhooks cross join deliveries d
                 where d.webhook_id = open_webhooks.webhook_id and d.status = 'new'
                     and d.status in ('new', 'pending', 'held'))"
        ));
        let mut recovered = new.bind(now).execute(&mut tx).await?;
        // A leased delivery has the expiry of its lease as `next_attempt_at`.
        let others = query(format!(
            "update deliveries set lease = null, next_attempt_at = $1
             where id in (
                 {OPEN_WEBHOOKS}
                 select d.id from open_webhooks cross join deliveries d
                 where d.webhook_id = open_webhooks.webhook_id and d.status = 'pending'
                     and d.status in ('new', 'pending', 'held') and d.next_attempt_at > $1 and d.lease is not null)"
        ));
        recovered += others.bind(now).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(recovered)
    }

    /// Releases leases. The deliveries become due at `at`, held if the webhook is paused, or cancelled if it is
    /// disabled.
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

    /// Records attempts, and updates their deliveries and webhooks. Returns the webhooks that were, or may have been,
    /// disabled.
    ///
    /// An attempt is recorded even if its lease was lost, but then does not update the delivery, which a newer claim
    /// owns.
    ///
    /// The call is idempotent, so that it can be retried if the connection is lost during the commit.
    pub async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<Vec<WebhookId>, StoreError> {
        self.points.reached("record_attempts").await;
        let webhooks: BTreeSet<_> = attempts.iter().map(|attempt| &attempt.webhook_id).collect();
        let mut tx = self.begin().await?;
        if tx.dialect() == Dialect::Postgres {
            // All transactions lock webhooks before deliveries, and in the order of their ids, to avoid deadlocks.
            Rows::new([Kind::Bytes], webhooks.iter().map(|id| [id.into_value()]))
                .execute(
                    "with wanted (id) as ({rows})
                     select from webhooks where id in (select id from wanted) order by id for no key update",
                    &mut tx,
                )
                .await?;
        }
        if insert_attempts(&mut tx, attempts).await? == 0 {
            // Already recorded. Which webhooks were disabled at that time is not known, so return all of them.
            return Ok(webhooks.into_iter().cloned().collect());
        }
        self.points.reached("record_attempts: attempts inserted").await;
        update_deliveries(&mut tx, attempts).await?;
        self.points.reached("record_attempts: deliveries updated").await;
        let disabled = record_outcomes(&mut tx, attempts).await?;
        for webhook in &disabled {
            let key = CacheKey::Webhook(webhook.clone(), InvalidationReason::Edited);
            enqueue_invalidations(&mut tx, self, &key).await?;
        }
        tx.commit().await?;
        self.points.reached("record_attempts: committed").await;
        Ok(disabled)
    }
}

/// Returns the next webhooks with open deliveries.
async fn next_candidates(
    connection: &mut Connection,
    claim: &Claim<'_>,
) -> Result<Vec<ClaimCandidate>, StoreError> {
    // A loose index scan, see `OPEN_WEBHOOKS`.
    let after = claim.after.as_ref().map_or(Vec::new(), |id| id.to_key().to_vec());
    query(
        "with recursive candidate (webhook_id) as (
             select (select webhook_id from deliveries
                     where status in ('new', 'pending', 'held') and webhook_id > $1
                     order by webhook_id limit 1)
             union all
             select (select d.webhook_id from deliveries d
                     where d.status in ('new', 'pending', 'held') and d.webhook_id > candidate.webhook_id
                     order by d.webhook_id limit 1)
             from candidate where candidate.webhook_id is not null)
         select webhook_id,
             exists (select 1 from webhooks w
                     where w.id = candidate.webhook_id and w.state = 'active' and w.deleted_at is null)
                 and exists (select 1 from deliveries d
                     where d.webhook_id = candidate.webhook_id and d.status = 'pending'
                         and d.status in ('new', 'pending', 'held') and d.next_attempt_at <= $3) as has_due,
             exists (select 1 from deliveries d
                     where d.webhook_id = candidate.webhook_id and d.status = 'new'
                         and d.status in ('new', 'pending', 'held') and d.next_attempt_at <= $3) as has_abandoned,
             (select w.rate_limit from webhooks w where w.id = candidate.webhook_id) as rate_limit
         from candidate where webhook_id is not null limit $2",
    )
    .bind(after)
    .bind(MAX_CANDIDATES)
    .bind(claim.now)
    .fetch_all(connection)
    .await
}

/// Makes deliveries due whose first attempt was not recorded before its lease expired, for example because the process
/// died.
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

async fn claim_deliveries(
    connection: &mut Connection,
    plan: &ClaimPlan,
    claim: &Claim<'_>,
) -> Result<Vec<ClaimedRow>, StoreError> {
    let lease_expiry = claim.now.plus(claim.lease);
    let mut rows = match connection.dialect() {
        Dialect::Sqlite => {
            // One statement per webhook: an index lookup without a network round trip.
            let mut rows = Vec::new();
            for (webhook, limit) in &plan.limits {
                let claimed = query(
                    "update deliveries set lease = $1, next_attempt_at = $2
                     where id in (
                         select id from deliveries
                         where webhook_id = $3 and status = 'pending' and status in ('new', 'pending', 'held')
                             and next_attempt_at <= $4
                         order by next_attempt_at limit $5)
                     returning id, webhook_id, event_key, attempts, earlier_attempts",
                )
                .bind(&plan.lease)
                .bind(lease_expiry)
                .bind(webhook)
                .bind(claim.now)
                .bind(*limit);
                rows.extend(claimed.fetch_all::<ClaimedRow>(connection).await?);
            }
            rows
        }
        Dialect::Postgres => {
            let limits = plan.limits.iter().map(|(webhook, limit)| {
                [
                    webhook.into_value(),
                    limit.into_value(),
                    claim.now.into_value(),
                    (&plan.lease).into_value(),
                    lease_expiry.into_value(),
                ]
            });
            use Kind::{Bytes, Integer};
            // The update takes the ids as an array instead of a join. The planner cannot estimate their number, and for
            // a join it chose to scan the whole table when the backlog was long.
            Rows::new([Bytes, Integer, Integer, Bytes, Integer], limits)
                .fetch_all(
                    "with candidate (webhook_id, capacity, now, lease, lease_expiry) as ({rows}),
                     picked as (
                         select due.id from candidate cross join lateral (
                             select d.id from deliveries d
                             where d.webhook_id = candidate.webhook_id and d.status = 'pending'
                                 and d.status in ('new', 'pending', 'held') and d.next_attempt_at <= candidate.now
                             order by d.next_attempt_at limit candidate.capacity for update skip locked) as due)
                     update deliveries set lease = (select lease from candidate limit 1),
                         next_attempt_at = (select lease_expiry from candidate limit 1)
                     where id = any(array(select id from picked))
                     returning id, webhook_id, event_key, attempts, earlier_attempts",
                    connection,
                )
                .await?
        }
    };
    // An update returns its rows in any order.
    rows.sort_unstable_by(|a, b| (&a.webhook_id, &a.id).cmp(&(&b.webhook_id, &b.id)));
    Ok(rows)
}

/// Returns the number of attempts that were not recorded before.
async fn insert_attempts(
    connection: &mut Connection,
    attempts: &[RecordedAttempt],
) -> Result<u64, StoreError> {
    use Kind::{Boolean, Bytes, Integer, Text};
    let rows = attempts.iter().map(|recorded| {
        let attempt = &recorded.attempt;
        let (status_code, retry_after, failure) = outcome_columns(attempt.outcome);
        let (tls_problem, detail) = match &attempt.detail {
            Some(AttemptDetail::Tls(problem)) => (Some(*problem), None),
            Some(AttemptDetail::Text(text)) => (None, Some(text.as_str())),
            None => (None, None),
        };
        [
            (&recorded.delivery_id).into_value(),
            (&recorded.id).into_value(),
            attempt.number.into_value(),
            attempt.started_at.into_value(),
            millis(attempt.duration).into_value(),
            (&attempt.url).into_value(),
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

/// Updates each delivery that still has the lease of its attempt.
async fn update_deliveries(
    connection: &mut Connection,
    attempts: &[RecordedAttempt],
) -> Result<u64, StoreError> {
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

    /// Returns the number of instructions that SQLite executes for each operation on a queue of this length.
    async fn costs(length: i64) -> Vec<(&'static str, u64)> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = crate::store::open(&url).await.unwrap();
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
            capacity: &|_| 10,
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
