use serde_json::json;

use super::{
    audit,
    filtering::find_excluded,
    locks::lock_webhook,
    new_deliveries::{NewDelivery, insert_deliveries},
};
use crate::{
    domain::{
        AccountId, AuditAction, DeliveryId, DeliveryStatus, EventCursor, EventId, EventType, EventTypes,
        Origin, Principal, Recovery, RecoveryId, RecoveryScope, RecoveryState, Timestamp, WebhookId,
        filter::{CompiledFilter, Filter},
    },
    store::{
        AccountStore, Change, DestinationState, Recoverable, RecoveryPreview, RecoveryProgress,
        RecoveryRange, RecoveryStart, Store, StoreError,
        database::{Bind as _, Connection, Kind, Query, Rows, query},
    },
};

/// Number of events that one step scans.
const STEP_SIZE: i64 = 500;

/// Number of pending deliveries of a webhook at which its recovery waits. So the receiver sets the pace, and new events
/// do not wait long behind recovered ones.
const MAX_PENDING: i64 = 500;

/// Number of events that a preview scans. A preview is part of a page, and scanning 5,000 events took 60 ms.
const PREVIEW_SCAN_LIMIT: i64 = 2_000;

/// Number of events that a preview returns.
const PREVIEW_SIZE: usize = 10;

/// Columns of [`RecoveryRow`].
const RECOVERY_COLUMNS: &str = "id, account_id, webhook_id, scope, since, until, state, reached_at, reached_key, recovered, created_at, created_by";

from_row! {
    struct RecoveryRow {
        id: RecoveryId,
        account_id: AccountId,
        webhook_id: WebhookId,
        scope: RecoveryScope,
        since: Timestamp,
        until: Timestamp,
        state: RecoveryState,
        reached_at: Timestamp,
        reached_key: i64,
        recovered: u64,
        created_at: Timestamp,
        created_by: Principal,
    }
}

impl From<RecoveryRow> for Recovery {
    fn from(row: RecoveryRow) -> Self {
        Self {
            id: row.id,
            webhook_id: row.webhook_id,
            scope: row.scope,
            since: row.since,
            until: row.until,
            state: row.state,
            reached: row.reached_at,
            recovered: row.recovered,
            created_at: row.created_at,
            created_by: row.created_by,
        }
    }
}

/// Returns the start of a query for the recoveries of a webhook.
fn select_recoveries(account: &AccountId, webhook: &WebhookId) -> Query {
    let mut listing = query(format!(
        "select {RECOVERY_COLUMNS} from recoveries where webhook_id = "
    ));
    listing
        .push_bind(webhook)
        .push(" and account_id = ")
        .push_bind(account);
    listing
}

from_row! {
    /// An event, with its delivery to the webhook if it exists.
    struct Candidate {
        key: i64,
        id: EventId,
        event_type: EventType,
        received_at: Timestamp,
        delivery_id: Option<DeliveryId>,
        status: Option<DeliveryStatus>,
    }
}

impl Candidate {
    fn cursor(&self) -> EventCursor {
        EventCursor {
            received_at: self.received_at,
            key: self.key,
        }
    }

    /// Returns whether a recovery of this scope sends the event, unless the filter excludes it.
    fn matches(&self, scope: RecoveryScope, events: &EventTypes) -> bool {
        match (scope, self.status) {
            (_, Some(DeliveryStatus::Failed)) => true,
            (RecoveryScope::Failed, _) => false,
            (RecoveryScope::Missed, Some(status)) => status == DeliveryStatus::Cancelled,
            (RecoveryScope::Missed, None) => events.contains(self.event_type),
        }
    }
}

impl Store {
    pub async fn start_recovery(
        &self,
        id: &RecoveryId,
        change: &Change,
        range: RecoveryRange,
    ) -> Result<RecoveryStart, StoreError> {
        let mut tx = self.begin().await?;
        lock_webhook(&mut tx, &change.account_id, &change.webhook_id).await?;
        let (account, webhook) = (&change.account_id, &change.webhook_id);
        match webhook_state(&mut tx, account, webhook).await? {
            None => return Ok(RecoveryStart::NotFound),
            Some(webhook) if webhook.state == DestinationState::Active => {}
            Some(_) => return Ok(RecoveryStart::WebhookInactive),
        }
        let others: i64 =
            query("select count(*) from recoveries where webhook_id = $1 and state = 'running'")
                .bind(webhook)
                .fetch_one(&mut tx)
                .await?;
        if others > 0 {
            return Ok(RecoveryStart::AlreadyRunning);
        }
        query(
            "insert into recoveries (id, account_id, webhook_id, scope, since, until, state, reached_at, reached_key,
                 recovered, created_at, created_by)
             values ($1, $2, $3, $4, $5, $6, 'running', $5, $9, 0, $7, $8)",
        )
        .bind(id)
        .bind(account)
        .bind(webhook)
        .bind(range.scope)
        .bind(range.since)
        .bind(range.until)
        .bind(change.at)
        .bind(&change.by)
        .bind(i64::MIN)
        .execute(&mut tx)
        .await?;
        let details = json!({
            "recovery": id,
            "scope": range.scope.as_str(),
            "since": range.since.rfc3339(),
            "until": range.until.rfc3339(),
        });
        let audit_event = change.audit_event(AuditAction::RecoveryStarted).with(details);
        audit::write(&mut tx, &audit_event).await?;
        tx.commit().await?;
        Ok(RecoveryStart::Started)
    }

    /// Returns `false` if the recovery is not running or belongs to another webhook.
    pub async fn cancel_recovery(&self, id: &RecoveryId, change: &Change) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let cancelled = query(
            "update recoveries set state = 'cancelled'
             where id = $1 and account_id = $2 and webhook_id = $3 and state = 'running'",
        )
        .bind(id)
        .bind(&change.account_id)
        .bind(&change.webhook_id)
        .execute(&mut tx)
        .await?;
        if cancelled == 0 {
            return Ok(false);
        }
        let audit_event = change.audit_event(AuditAction::RecoveryCancelled);
        audit::write(&mut tx, &audit_event.with(json!({ "recovery": id }))).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Returns running recoveries of all accounts.
    pub async fn running_recoveries(&self) -> Result<Vec<RecoveryId>, StoreError> {
        query("select id from recoveries where state = 'running' order by id limit 100")
            .fetch_all(&mut self.read().await?)
            .await
    }

    /// Makes the next deliveries of a recovery due, unless enough deliveries of its webhook are pending.
    pub async fn advance_recovery(
        &self,
        id: &RecoveryId,
        now: Timestamp,
    ) -> Result<RecoveryProgress, StoreError> {
        self.points.reached("advance_recovery").await;
        let mut tx = self.begin().await?;
        let running = query(format!(
            "select {RECOVERY_COLUMNS} from recoveries where state = 'running' and id = $1"
        ));
        let row: Option<RecoveryRow> = running.bind(id).fetch_optional(&mut tx).await?;
        let Some(row) = row else {
            return Ok(RecoveryProgress::Ended);
        };
        let from = EventCursor {
            received_at: row.reached_at,
            key: row.reached_key,
        };
        // All transactions lock the webhook first. While it is locked, no other process can fan out events to it,
        // delete it or advance its recovery.
        let change = Change {
            account_id: row.account_id.clone(),
            webhook_id: row.webhook_id.clone(),
            by: row.created_by.clone(),
            from: Origin::Internal,
            at: now,
        };
        let recovery = Recovery::from(row);
        let (account, webhook) = (&change.account_id, &change.webhook_id);
        lock_webhook(&mut tx, account, webhook).await?;
        let current = match webhook_state(&mut tx, account, webhook).await? {
            None => {
                set_state(&mut tx, id, RecoveryState::Cancelled).await?;
                tx.commit().await?;
                return Ok(RecoveryProgress::Ended);
            }
            Some(current) if current.state == DestinationState::Active => current,
            Some(_) => return Ok(RecoveryProgress::Wait),
        };
        if count_pending(&mut tx, webhook).await? >= MAX_PENDING {
            return Ok(RecoveryProgress::Wait);
        }
        let candidates = find_candidates(&mut tx, account, webhook, from, recovery.until, STEP_SIZE).await?;
        let is_last = candidates.len() < usize::try_from(STEP_SIZE).unwrap_or(usize::MAX);
        let reached = candidates.last().map_or(from, Candidate::cursor);
        let (existing, missing): (Vec<_>, Vec<_>) = current
            .select(&mut tx, recovery.scope, candidates)
            .await?
            .into_iter()
            .partition(|candidate| candidate.delivery_id.is_some());
        let recovered =
            make_due(&mut tx, &existing, now).await? + insert_missing(&mut tx, &change, &missing).await?;
        // If another process has made this step, the transaction is rolled back.
        let updated = query(
            "update recoveries set reached_at = $4, reached_key = $5, recovered = recovered + $6
             where id = $1 and state = 'running' and reached_at = $2 and reached_key = $3",
        )
        .bind(id)
        .bind(from.received_at)
        .bind(from.key)
        .bind(reached.received_at)
        .bind(reached.key)
        .bind(recovered.cast_signed())
        .execute(&mut tx)
        .await?;
        if updated == 0 {
            return Ok(RecoveryProgress::Wait);
        }
        if is_last {
            set_state(&mut tx, id, RecoveryState::Done).await?;
        }
        tx.commit().await?;
        Ok(if is_last {
            RecoveryProgress::Ended
        } else {
            RecoveryProgress::More
        })
    }
}

impl AccountStore<'_> {
    /// Returns the number of events that a recovery would send, and the first of them. Scans a limited number of
    /// events.
    pub async fn preview_recovery(
        &self,
        webhook: &WebhookId,
        range: RecoveryRange,
    ) -> Result<RecoveryPreview, StoreError> {
        let mut reader = self.store.read().await?;
        let Some(current) = webhook_state(&mut reader, self.account, webhook).await? else {
            return Ok(RecoveryPreview::default());
        };
        let from = EventCursor {
            received_at: range.since,
            key: i64::MIN,
        };
        let candidates = find_candidates(
            &mut reader,
            self.account,
            webhook,
            from,
            range.until,
            PREVIEW_SCAN_LIMIT,
        )
        .await?;
        let more = candidates.len() == usize::try_from(PREVIEW_SCAN_LIMIT).unwrap_or(usize::MAX);
        let mut preview = RecoveryPreview {
            more,
            ..RecoveryPreview::default()
        };
        for candidate in current.select(&mut reader, range.scope, candidates).await? {
            preview.count += 1;
            if preview.first.len() < PREVIEW_SIZE {
                preview.first.push(Recoverable {
                    event_id: candidate.id,
                    event_type: candidate.event_type,
                    received_at: candidate.received_at,
                });
            }
        }
        Ok(preview)
    }

    /// Returns at most `limit` recoveries of a webhook that are older than `before`, newest first.
    pub async fn recoveries(
        &self,
        webhook: &WebhookId,
        before: Option<&RecoveryId>,
        limit: u32,
    ) -> Result<Vec<Recovery>, StoreError> {
        let mut listing = select_recoveries(self.account, webhook);
        if let Some(before) = before {
            listing.push(" and id < ").push_bind(before);
        }
        listing
            .push(" order by id desc limit ")
            .push_bind(i64::from(limit));
        let rows: Vec<RecoveryRow> = listing.fetch_all(&mut self.store.read().await?).await?;
        Ok(rows.into_iter().map(Recovery::from).collect())
    }

    /// Returns `None` if the recovery does not exist or belongs to another webhook.
    pub async fn recovery(
        &self,
        webhook: &WebhookId,
        id: &RecoveryId,
    ) -> Result<Option<Recovery>, StoreError> {
        let mut listing = select_recoveries(self.account, webhook);
        listing.push(" and id = ").push_bind(id);
        let row: Option<RecoveryRow> = listing.fetch_optional(&mut self.store.read().await?).await?;
        Ok(row.map(Recovery::from))
    }
}

async fn set_state(
    connection: &mut Connection,
    id: &RecoveryId,
    state: RecoveryState,
) -> Result<(), StoreError> {
    query("update recoveries set state = $2 where id = $1")
        .bind(id)
        .bind(state)
        .execute(connection)
        .await?;
    Ok(())
}

from_row! {
    /// What a recovery needs to know about its webhook.
    struct Current {
        state: DestinationState,
        events: EventTypes,
        filter: Option<Filter>,
    }
}

impl Current {
    /// Returns the events that a recovery of this scope sends. Existing deliveries have passed the filter of their time.
    async fn select(
        &self,
        connection: &mut Connection,
        scope: RecoveryScope,
        mut candidates: Vec<Candidate>,
    ) -> Result<Vec<Candidate>, StoreError> {
        candidates.retain(|candidate| candidate.matches(scope, &self.events));
        if let Some(filter) = &self.filter {
            let missing = candidates
                .iter()
                .filter(|candidate| candidate.delivery_id.is_none());
            let keys: Vec<_> = missing.map(|candidate| candidate.key).collect();
            let excluded = find_excluded(connection, &CompiledFilter::new(filter), &keys).await?;
            candidates.retain(|candidate| !excluded.contains_key(&candidate.key));
        }
        Ok(candidates)
    }
}

async fn webhook_state(
    connection: &mut Connection,
    account: &AccountId,
    webhook: &WebhookId,
) -> Result<Option<Current>, StoreError> {
    query(
        "select state, events, filter from webhooks where id = $1 and account_id = $2 and deleted_at is null",
    )
    .bind(webhook)
    .bind(account)
    .fetch_optional(connection)
    .await
}

/// Returns the number of pending deliveries of a webhook, at most [`MAX_PENDING`].
async fn count_pending(connection: &mut Connection, webhook: &WebhookId) -> Result<i64, StoreError> {
    query(
        "select count(*) from (
             select webhook_id from deliveries
             where webhook_id = $1 and status in ('new', 'pending') and status in ('new', 'pending', 'held')
             limit $2) pending",
    )
    .bind(webhook)
    .bind(MAX_PENDING)
    .fetch_one(connection)
    .await
}

/// Returns the next events of the account after a position, except those whose deliveries are still being stored.
async fn find_candidates(
    connection: &mut Connection,
    account: &AccountId,
    webhook: &WebhookId,
    after: EventCursor,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    query(
        "select e.key, e.id, e.event_type, e.received_at, d.id as delivery_id, d.status
         from (select key, id, event_type, received_at from events
               where account_id = $1 and (received_at, key) > ($2, $3) and received_at < $4
                   and not exists (select 1 from fan_outs f where f.account_id = $1 and f.event_key = key)
               order by received_at, key limit $6) e
         left join deliveries d on d.event_key = e.key and d.webhook_id = $5
         order by e.received_at, e.key",
    )
    .bind(account)
    .bind(after.received_at)
    .bind(after.key)
    .bind(until)
    .bind(webhook)
    .bind(limit)
    .fetch_all(connection)
    .await
}

async fn make_due(
    connection: &mut Connection,
    candidates: &[Candidate],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows = candidates.iter().filter_map(|candidate| {
        let id = candidate.delivery_id.as_ref()?;
        Some([id.into_value(), now.into_value()])
    });
    Rows::new([Kind::Bytes, Kind::Integer], rows)
        .execute(
            "with recovered (id, due) as ({rows})
             update deliveries set status = 'pending', earlier_attempts = attempts, next_attempt_at = recovered.due,
                 updated_at = recovered.due
             from recovered where deliveries.id = recovered.id and deliveries.lease is null
                 and deliveries.status in ('failed', 'cancelled')",
            connection,
        )
        .await
}

/// Inserts deliveries of events that the webhook had no delivery of.
async fn insert_missing(
    connection: &mut Connection,
    change: &Change,
    candidates: &[Candidate],
) -> Result<u64, StoreError> {
    let rows = candidates.iter().map(|candidate| NewDelivery {
        id: DeliveryId::generate(change.at),
        account_id: &change.account_id,
        webhook_id: &change.webhook_id,
        event_key: candidate.key,
        event_type: candidate.event_type,
        status: DeliveryStatus::Pending.as_str(),
        next_attempt_at: change.at,
        lease: None,
        created_at: change.at,
    });
    insert_deliveries(connection, rows).await
}
