use async_trait::async_trait;
use serde_json::json;
use sqlx::{QueryBuilder, Row as _};

use super::{Adapter, Connection, Database, audit, lock_webhook};
use crate::{
    domain::{
        AccountId, DeliveryId, EventTypes, Origin, Recovery, RecoveryId, RecoveryScope, RecoveryState,
        Timestamp, WebhookId,
    },
    store::{
        Advanced, Change, DestinationState, Recoverable, RecoveryPreview, RecoveryRange, RecoveryStore,
        Started, StoreError,
        rows::{count, destination_state, event_types, stored, stored_id},
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
const RECOVERY: &str = "id, account_id, webhook_id, scope, since, until, state, reached_at, reached_id, recovered, created_at, created_by";

from_row! {
    struct RecoveryRow {
        id: String,
        account_id: String,
        webhook_id: String,
        scope: String,
        since: i64,
        until: i64,
        state: String,
        reached_at: i64,
        reached_id: String,
        recovered: i64,
        created_at: i64,
        created_by: String,
    }
}

impl TryFrom<RecoveryRow> for Recovery {
    type Error = StoreError;

    fn try_from(row: RecoveryRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: stored_id(&row.id)?,
            webhook_id: stored_id(&row.webhook_id)?,
            scope: stored(&row.scope, "recovery scope")?,
            since: Timestamp::from_millis(row.since),
            until: Timestamp::from_millis(row.until),
            state: stored(&row.state, "recovery state")?,
            reached: Timestamp::from_millis(row.reached_at),
            recovered: count(row.recovered),
            created_at: Timestamp::from_millis(row.created_at),
            created_by: row.created_by,
        })
    }
}

/// The recoveries of a webhook, as far as the statement goes.
fn of_webhook(account: &AccountId, webhook: &WebhookId) -> QueryBuilder<Database> {
    let mut query = QueryBuilder::new(format!("select {RECOVERY} from recoveries where "));
    query.push("webhook_id = ").push_bind(webhook.as_str().to_owned());
    query
        .push(" and account_id = ")
        .push_bind(account.as_str().to_owned());
    query
}

/// An event, with its delivery to the webhook if there is one.
struct Candidate {
    event_id: String,
    event_type: String,
    received_at: i64,
    delivery: Option<(String, String)>,
}

impl Candidate {
    /// Whether a recovery of that scope sends it.
    fn is_wanted(&self, scope: RecoveryScope, events: &EventTypes) -> bool {
        match (scope, &self.delivery) {
            (_, Some((_, status))) if status == "failed" => true,
            (RecoveryScope::Failed, _) => false,
            (RecoveryScope::Missed, Some((_, status))) => status == "cancelled",
            (RecoveryScope::Missed, None) => {
                let event_type = self.event_type.parse();
                event_type.is_ok_and(|event_type| events.contains(event_type))
            }
        }
    }
}

#[async_trait]
impl RecoveryStore for Adapter {
    async fn preview_recovery(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        wanted: RecoveryRange,
    ) -> Result<RecoveryPreview, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let Some((_, events)) = webhook_of(&mut reader, account.as_str(), webhook.as_str()).await? else {
            return Ok(RecoveryPreview::default());
        };
        let from = (wanted.since.as_millis(), String::new());
        let (account, webhook) = (account.as_str(), webhook.as_str());
        let candidates = next(&mut reader, account, webhook, &from, wanted.until, LOOKED_AT).await?;
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
                    event_id: stored_id(&candidate.event_id)?,
                    event_type: stored(&candidate.event_type, "event type")?,
                    received_at: Timestamp::from_millis(candidate.received_at),
                });
            }
        }
        Ok(preview)
    }

    async fn start_recovery(
        &self,
        id: &RecoveryId,
        change: &Change,
        wanted: RecoveryRange,
    ) -> Result<Started, StoreError> {
        let mut tx = self.begin().await?;
        lock_webhook(&mut tx, change).await?;
        let (account, webhook) = (change.account_id.as_str(), change.webhook_id.as_str());
        match webhook_of(&mut tx, account, webhook).await? {
            None => return Ok(Started::NotFound),
            Some((DestinationState::Active, _)) => {}
            Some(_) => return Ok(Started::Stopped),
        }
        let others: i64 =
            sqlx::query_scalar("select count(*) from recoveries where webhook_id = $1 and state = 'running'")
                .bind(webhook)
                .fetch_one(&mut *tx)
                .await?;
        if others > 0 {
            return Ok(Started::AnotherRuns);
        }
        sqlx::query(
            "insert into recoveries (id, account_id, webhook_id, scope, since, until, state, reached_at, reached_id,
                 recovered, created_at, created_by, updated_at)
             values ($1, $2, $3, $4, $5, $6, 'running', $5, '', 0, $7, $8, $7)",
        )
        .bind(id.as_str())
        .bind(account)
        .bind(webhook)
        .bind(wanted.scope.as_str())
        .bind(wanted.since.as_millis())
        .bind(wanted.until.as_millis())
        .bind(change.at.as_millis())
        .bind(&change.by)
        .execute(&mut *tx)
        .await?;
        let details = json!({
            "recovery": id,
            "scope": wanted.scope.as_str(),
            "since": wanted.since.rfc3339(),
            "until": wanted.until.rfc3339(),
        });
        let deed = change.deed("webhook.recovery_started").with(details);
        audit::write(&mut tx, &deed).await?;
        tx.commit().await?;
        Ok(Started::Running)
    }

    async fn recoveries(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        before: Option<&RecoveryId>,
        limit: u32,
    ) -> Result<Vec<Recovery>, StoreError> {
        let mut query = of_webhook(account, webhook);
        if let Some(before) = before {
            query.push(" and id < ").push_bind(before.as_str());
        }
        query.push(" order by id desc limit ").push_bind(i64::from(limit));
        let rows: Vec<RecoveryRow> = query.build_query_as().fetch_all(&self.readers).await?;
        rows.into_iter().map(Recovery::try_from).collect()
    }

    async fn recovery(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        id: &RecoveryId,
    ) -> Result<Option<Recovery>, StoreError> {
        let mut query = of_webhook(account, webhook);
        query.push(" and id = ").push_bind(id.as_str());
        let row: Option<RecoveryRow> = query.build_query_as().fetch_optional(&self.readers).await?;
        row.map(Recovery::try_from).transpose()
    }

    async fn cancel_recovery(&self, id: &RecoveryId, change: &Change) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let cancelled = sqlx::query(
            "update recoveries set state = 'cancelled', updated_at = $4
             where id = $1 and account_id = $2 and webhook_id = $3 and state = 'running'",
        )
        .bind(id.as_str())
        .bind(change.account_id.as_str())
        .bind(change.webhook_id.as_str())
        .bind(change.at.as_millis())
        .execute(&mut *tx)
        .await?;
        if cancelled.rows_affected() == 0 {
            return Ok(false);
        }
        let deed = change.deed("webhook.recovery_cancelled");
        audit::write(&mut tx, &deed.with(json!({ "recovery": id }))).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn running_recoveries(&self) -> Result<Vec<RecoveryId>, StoreError> {
        let ids: Vec<String> =
            sqlx::query_scalar("select id from recoveries where state = 'running' order by id limit 100")
                .fetch_all(&self.readers)
                .await?;
        ids.iter().map(|id| stored_id(id)).collect()
    }

    async fn advance_recovery(&self, id: &RecoveryId, now: Timestamp) -> Result<Advanced, StoreError> {
        let mut tx = self.begin().await?;
        let mut query = QueryBuilder::<Database>::new(format!(
            "select {RECOVERY} from recoveries where state = 'running' and id = "
        ));
        query.push_bind(id.as_str());
        let row: Option<RecoveryRow> = query.build_query_as().fetch_optional(&mut *tx).await?;
        let Some(row) = row else {
            return Ok(Advanced::Ended);
        };
        let from = (row.reached_at, row.reached_id.clone());
        let account = row.account_id.clone();
        let recovery = Recovery::try_from(row)?;
        let webhook = recovery.webhook_id.as_str();
        // In the order in which everybody locks: the webhook first. Nothing of it is fanned out, deleted or recovered by
        // another process meanwhile.
        let change = Change {
            account_id: stored_id(&account)?,
            webhook_id: recovery.webhook_id.clone(),
            by: recovery.created_by.clone(),
            from: Origin::Inside,
            at: now,
        };
        lock_webhook(&mut tx, &change).await?;
        let events = match webhook_of(&mut tx, &account, webhook).await? {
            None => {
                end(&mut tx, id, RecoveryState::Cancelled, now).await?;
                tx.commit().await?;
                return Ok(Advanced::Ended);
            }
            Some((DestinationState::Active, events)) => events,
            Some(_) => return Ok(Advanced::Wait),
        };
        if due(&mut tx, webhook).await? >= DUE_AT_ONCE {
            return Ok(Advanced::Wait);
        }
        let candidates = next(&mut tx, &account, webhook, &from, recovery.until, STEP).await?;
        let last = candidates.len() < usize::try_from(STEP).unwrap_or(usize::MAX);
        let reached = candidates
            .last()
            .map(|candidate| (candidate.received_at, candidate.event_id.clone()));
        let (again, new): (Vec<_>, Vec<_>) = candidates
            .into_iter()
            .filter(|candidate| candidate.is_wanted(recovery.scope, &events))
            .partition(|candidate| candidate.delivery.is_some());
        let recovered = make_due(&mut tx, &again, now).await? + create(&mut tx, &change, &new).await?;
        // Another process may have been faster: then this step is none.
        let moved = sqlx::query(
            "update recoveries set reached_at = $4, reached_id = $5, recovered = recovered + $6, updated_at = $7
             where id = $1 and state = 'running' and reached_at = $2 and reached_id = $3",
        )
        .bind(id.as_str())
        .bind(from.0)
        .bind(&from.1)
        .bind(reached.as_ref().map_or(from.0, |(at, _)| *at))
        .bind(reached.as_ref().map_or(from.1.as_str(), |(_, id)| id.as_str()))
        .bind(recovered)
        .bind(now.as_millis())
        .execute(&mut *tx)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(Advanced::Wait);
        }
        if last {
            end(&mut tx, id, RecoveryState::Done, now).await?;
        }
        tx.commit().await?;
        Ok(if last { Advanced::Ended } else { Advanced::More })
    }
}

async fn end(
    connection: &mut Connection,
    id: &RecoveryId,
    state: RecoveryState,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("update recoveries set state = $2, updated_at = $3 where id = $1")
        .bind(id.as_str())
        .bind(state.as_str())
        .bind(now.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether it may be sent to, and what it wants.
async fn webhook_of(
    connection: &mut Connection,
    account: &str,
    webhook: &str,
) -> Result<Option<(DestinationState, EventTypes)>, StoreError> {
    let row: Option<(String, String)> = sqlx::query_as(
        "select state, events from webhooks where id = $1 and account_id = $2 and deleted_at is null",
    )
    .bind(webhook)
    .bind(account)
    .fetch_optional(connection)
    .await?;
    row.map(|(state, events)| Ok((destination_state(&state)?, event_types(&events)?)))
        .transpose()
}

/// How many are due or under way, no further than it matters.
async fn due(connection: &mut Connection, webhook: &str) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "select count(*) from (
             select webhook_id from deliveries
             where webhook_id = $1 and status in ('pending', 'held') and status = 'pending' limit $2) due",
    )
    .bind(webhook)
    .bind(DUE_AT_ONCE)
    .fetch_one(connection)
    .await?)
}

/// The next events of the account after a place, whatever they are.
async fn next(
    connection: &mut Connection,
    account: &str,
    webhook: &str,
    (at, id): &(i64, String),
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    let rows = sqlx::query(
        "select e.id, e.event_type, e.received_at, d.id as delivery_id, d.status
         from (select id, event_type, received_at from events
               where account_id = $1 and (received_at, id) > ($2, $3) and received_at < $4
               order by received_at, id limit $6) e
         left join deliveries d on d.account_id = $1 and d.event_id = e.id and d.webhook_id = $5
         order by e.received_at, e.id",
    )
    .bind(account)
    .bind(at)
    .bind(id)
    .bind(until.as_millis())
    .bind(webhook)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let candidates = rows.into_iter().map(|row| {
        let delivery: Option<String> = row.try_get("delivery_id")?;
        let status: Option<String> = row.try_get("status")?;
        Ok(Candidate {
            event_id: row.try_get("id")?,
            event_type: row.try_get("event_type")?,
            received_at: row.try_get("received_at")?,
            delivery: delivery.zip(status),
        })
    });
    candidates.collect()
}

async fn make_due(
    connection: &mut Connection,
    again: &[Candidate],
    now: Timestamp,
) -> Result<i64, StoreError> {
    if again.is_empty() {
        return Ok(0);
    }
    let mut update = QueryBuilder::<Database>::new(
        "update deliveries set status = 'pending', earlier_attempts = attempts, ",
    );
    update.push("next_attempt_at = ").push_bind(now.as_millis());
    update.push(", updated_at = ").push_bind(now.as_millis());
    update.push(" where lease is null and status in ('failed', 'cancelled') and id in (");
    let mut ids = update.separated(", ");
    for (id, _) in again.iter().filter_map(|candidate| candidate.delivery.as_ref()) {
        ids.push_bind(id.clone());
    }
    update.push(")");
    // Each step has another number of them: to keep the statements would only fill the cache.
    let updated = update.build().persistent(false).execute(connection).await?;
    Ok(updated.rows_affected().cast_signed())
}

/// Deliveries of events that the webhook never got.
async fn create(connection: &mut Connection, change: &Change, new: &[Candidate]) -> Result<i64, StoreError> {
    if new.is_empty() {
        return Ok(0);
    }
    let now = change.at.as_millis();
    let mut insert = QueryBuilder::<Database>::new(
        "insert into deliveries (id, account_id, webhook_id, event_id, event_type, status, attempts,
             next_attempt_at, created_at, updated_at) ",
    );
    insert.push_values(new, |mut row, candidate| {
        row.push_bind(String::from(DeliveryId::generate(change.at)))
            .push_bind(change.account_id.as_str().to_owned())
            .push_bind(change.webhook_id.as_str().to_owned())
            .push_bind(candidate.event_id.clone())
            .push_bind(candidate.event_type.clone())
            .push_bind("pending")
            .push_bind(0_i64)
            .push_bind(now)
            .push_bind(now)
            .push_bind(now);
    });
    insert.build().persistent(false).execute(connection).await?;
    Ok(i64::try_from(new.len()).unwrap_or(i64::MAX))
}
