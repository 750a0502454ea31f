use serde_json::json;

use super::{audit, locks::lock_webhook};
use crate::{
    domain::{
        AccountId, AuditAction, DeliveryId, DeliveryStatus, EventId, EventType, EventTypes, Origin, Place,
        Principal, Recovery, RecoveryId, RecoveryScope, RecoveryState, Timestamp, WebhookId,
    },
    store::{
        AccountStore, Advanced, Change, DestinationState, Recoverable, RecoveryPreview, RecoveryRange,
        Started, Store, StoreError,
        database::{Bind as _, Connection, Kind, Query, Rows, query},
    },
};

/// Events that one step looks at.
const STEP: i64 = 500;

/// A recovery waits while so many deliveries of its webhook are due: they leave as fast as the receiver takes them, so
/// that it sets the pace, and what happens meanwhile has not long to wait.
const DUE_AT_ONCE: i64 = 500;

/// How many events a preview looks at. It is a part of a page: 5,000 took 60 ms.
const LOOKED_AT: i64 = 2_000;

/// How many of them it shows.
const SHOWN: usize = 10;

/// The columns of [`RecoveryRow`].
const RECOVERY: &str = "id, account_id, webhook_id, scope, since, until, state, reached_at, reached_key, recovered, created_at, created_by";

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

/// The recoveries of a webhook, as far as the statement goes.
fn of_webhook(account: &AccountId, webhook: &WebhookId) -> Query {
    let mut listing = query(format!("select {RECOVERY} from recoveries where webhook_id = "));
    listing
        .push_bind(webhook)
        .push(" and account_id = ")
        .push_bind(account);
    listing
}

from_row! {
    /// An event, with its delivery to the webhook if there is one.
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
    fn place(&self) -> Place {
        Place {
            received_at: self.received_at,
            key: self.key,
        }
    }

    /// Whether a recovery of that scope sends it.
    fn is_wanted(&self, scope: RecoveryScope, events: &EventTypes) -> bool {
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
        wanted: RecoveryRange,
    ) -> Result<Started, StoreError> {
        let mut tx = self.begin().await?;
        lock_webhook(&mut tx, &change.account_id, &change.webhook_id).await?;
        let (account, webhook) = (&change.account_id, &change.webhook_id);
        match webhook_of(&mut tx, account, webhook).await? {
            None => return Ok(Started::NotFound),
            Some((DestinationState::Active, _)) => {}
            Some(_) => return Ok(Started::Stopped),
        }
        let others: i64 =
            query("select count(*) from recoveries where webhook_id = $1 and state = 'running'")
                .bind(webhook)
                .fetch_one(&mut tx)
                .await?;
        if others > 0 {
            return Ok(Started::AnotherRuns);
        }
        query(
            "insert into recoveries (id, account_id, webhook_id, scope, since, until, state, reached_at, reached_key,
                 recovered, created_at, created_by)
             values ($1, $2, $3, $4, $5, $6, 'running', $5, $9, 0, $7, $8)",
        )
        .bind(id)
        .bind(account)
        .bind(webhook)
        .bind(wanted.scope)
        .bind(wanted.since)
        .bind(wanted.until)
        .bind(change.at)
        .bind(&change.by)
        .bind(i64::MIN)
        .execute(&mut tx)
        .await?;
        let details = json!({
            "recovery": id,
            "scope": wanted.scope.as_str(),
            "since": wanted.since.rfc3339(),
            "until": wanted.until.rfc3339(),
        });
        let audit_event = change.audit_event(AuditAction::RecoveryStarted).with(details);
        audit::write(&mut tx, &audit_event).await?;
        tx.commit().await?;
        Ok(Started::Running)
    }

    /// False if it does not run, or is none of this webhook.
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

    /// Those that run, of all accounts.
    pub async fn running_recoveries(&self) -> Result<Vec<RecoveryId>, StoreError> {
        query("select id from recoveries where state = 'running' order by id limit 100")
            .fetch_all(&mut self.read().await?)
            .await
    }

    /// Makes the next few deliveries of it due, unless enough of its webhook are.
    pub async fn advance_recovery(&self, id: &RecoveryId, now: Timestamp) -> Result<Advanced, StoreError> {
        let mut tx = self.begin().await?;
        let running = query(format!(
            "select {RECOVERY} from recoveries where state = 'running' and id = $1"
        ));
        let row: Option<RecoveryRow> = running.bind(id).fetch_optional(&mut tx).await?;
        let Some(row) = row else {
            return Ok(Advanced::Ended);
        };
        let from = Place {
            received_at: row.reached_at,
            key: row.reached_key,
        };
        // In the order in which everybody locks: the webhook first. Nothing of it is fanned out, deleted or recovered by
        // another process meanwhile.
        let change = Change {
            account_id: row.account_id.clone(),
            webhook_id: row.webhook_id.clone(),
            by: row.created_by.clone(),
            from: Origin::Inside,
            at: now,
        };
        let recovery = Recovery::from(row);
        let (account, webhook) = (&change.account_id, &change.webhook_id);
        lock_webhook(&mut tx, account, webhook).await?;
        let events = match webhook_of(&mut tx, account, webhook).await? {
            None => {
                end(&mut tx, id, RecoveryState::Cancelled).await?;
                tx.commit().await?;
                return Ok(Advanced::Ended);
            }
            Some((DestinationState::Active, events)) => events,
            Some(_) => return Ok(Advanced::Wait),
        };
        if due(&mut tx, webhook).await? >= DUE_AT_ONCE {
            return Ok(Advanced::Wait);
        }
        let candidates = next(&mut tx, account, webhook, from, recovery.until, STEP).await?;
        let last = candidates.len() < usize::try_from(STEP).unwrap_or(usize::MAX);
        let reached = candidates.last().map_or(from, Candidate::place);
        let (again, new): (Vec<_>, Vec<_>) = candidates
            .into_iter()
            .filter(|candidate| candidate.is_wanted(recovery.scope, &events))
            .partition(|candidate| candidate.delivery_id.is_some());
        let recovered = make_due(&mut tx, &again, now).await? + create(&mut tx, &change, &new).await?;
        // Another process may have been faster: then this step is none.
        let moved = query(
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
        if moved == 0 {
            return Ok(Advanced::Wait);
        }
        if last {
            end(&mut tx, id, RecoveryState::Done).await?;
        }
        tx.commit().await?;
        Ok(if last { Advanced::Ended } else { Advanced::More })
    }
}

impl AccountStore<'_> {
    /// What a recovery would find first, and how much of it there is as far as it was counted.
    pub async fn preview_recovery(
        &self,
        webhook: &WebhookId,
        wanted: RecoveryRange,
    ) -> Result<RecoveryPreview, StoreError> {
        let mut reader = self.store.read().await?;
        let Some((_, events)) = webhook_of(&mut reader, self.account, webhook).await? else {
            return Ok(RecoveryPreview::default());
        };
        let from = Place {
            received_at: wanted.since,
            key: i64::MIN,
        };
        let candidates = next(&mut reader, self.account, webhook, from, wanted.until, LOOKED_AT).await?;
        let more = candidates.len() == usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
        let mut preview = RecoveryPreview {
            more,
            ..RecoveryPreview::default()
        };
        for candidate in candidates {
            if !candidate.is_wanted(wanted.scope, &events) {
                continue;
            }
            preview.count += 1;
            if preview.first.len() < SHOWN {
                preview.first.push(Recoverable {
                    event_id: candidate.id,
                    event_type: candidate.event_type,
                    received_at: candidate.received_at,
                });
            }
        }
        Ok(preview)
    }

    /// Of a webhook, newest first: at most `limit`, and only those older than `before`.
    pub async fn recoveries(
        &self,
        webhook: &WebhookId,
        before: Option<&RecoveryId>,
        limit: u32,
    ) -> Result<Vec<Recovery>, StoreError> {
        let mut listing = of_webhook(self.account, webhook);
        if let Some(before) = before {
            listing.push(" and id < ").push_bind(before);
        }
        listing
            .push(" order by id desc limit ")
            .push_bind(i64::from(limit));
        let rows: Vec<RecoveryRow> = listing.fetch_all(&mut self.store.read().await?).await?;
        Ok(rows.into_iter().map(Recovery::from).collect())
    }

    /// `None`: there is none of that id, or it is none of this webhook.
    pub async fn recovery(
        &self,
        webhook: &WebhookId,
        id: &RecoveryId,
    ) -> Result<Option<Recovery>, StoreError> {
        let mut listing = of_webhook(self.account, webhook);
        listing.push(" and id = ").push_bind(id);
        let row: Option<RecoveryRow> = listing.fetch_optional(&mut self.store.read().await?).await?;
        Ok(row.map(Recovery::from))
    }
}

async fn end(connection: &mut Connection, id: &RecoveryId, state: RecoveryState) -> Result<(), StoreError> {
    query("update recoveries set state = $2 where id = $1")
        .bind(id)
        .bind(state)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether it may be sent to, and what it wants.
async fn webhook_of(
    connection: &mut Connection,
    account: &AccountId,
    webhook: &WebhookId,
) -> Result<Option<(DestinationState, EventTypes)>, StoreError> {
    query("select state, events from webhooks where id = $1 and account_id = $2 and deleted_at is null")
        .bind(webhook)
        .bind(account)
        .fetch_optional(connection)
        .await
}

/// How many are due or under way, no further than it matters.
async fn due(connection: &mut Connection, webhook: &WebhookId) -> Result<i64, StoreError> {
    query(
        "select count(*) from (
             select webhook_id from deliveries
             where webhook_id = $1 and status in ('new', 'pending') and status in ('new', 'pending', 'held')
             limit $2) due",
    )
    .bind(webhook)
    .bind(DUE_AT_ONCE)
    .fetch_one(connection)
    .await
}

/// The next events of the account after a place, whatever they are.
async fn next(
    connection: &mut Connection,
    account: &AccountId,
    webhook: &WebhookId,
    after: Place,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    query(
        "select e.key, e.id, e.event_type, e.received_at, d.id as delivery_id, d.status
         from (select key, id, event_type, received_at from events
               where account_id = $1 and (received_at, key) > ($2, $3) and received_at < $4
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
    again: &[Candidate],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows = again.iter().filter_map(|candidate| {
        let id = candidate.delivery_id.as_ref()?;
        Some([id.into_value(), now.into_value()])
    });
    Rows::new([Kind::Bytes, Kind::Integer], rows)
        .execute(
            "with again (id, due) as ({rows})
             update deliveries set status = 'pending', earlier_attempts = attempts, next_attempt_at = again.due,
                 updated_at = again.due
             from again where deliveries.id = again.id and deliveries.lease is null
                 and deliveries.status in ('failed', 'cancelled')",
            connection,
        )
        .await
}

/// Deliveries of events that the webhook never got.
async fn create(connection: &mut Connection, change: &Change, new: &[Candidate]) -> Result<u64, StoreError> {
    use Kind::{Bytes, Integer, Text};
    let rows = new.iter().map(|candidate| {
        [
            (&DeliveryId::generate(change.at)).into_value(),
            (&change.account_id).into_value(),
            (&change.webhook_id).into_value(),
            candidate.key.into_value(),
            candidate.event_type.into_value(),
            DeliveryStatus::Pending.into_value(),
            0_i64.into_value(),
            change.at.into_value(),
            change.at.into_value(),
        ]
    });
    Rows::new(
        [
            Bytes, Bytes, Bytes, Integer, Text, Text, Integer, Integer, Integer,
        ],
        rows,
    )
    .execute(
        "insert into deliveries (id, account_id, webhook_id, event_key, event_type, status, attempts,
             next_attempt_at, updated_at)
         {rows}",
        connection,
    )
    .await
}
