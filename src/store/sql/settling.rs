//! Updating the open deliveries of a webhook to its state, in steps.
//!
//! A webhook that is paused, resumed, disabled or deleted can have a million open deliveries. Updating all of them in one
//! transaction would stop all other changes for a minute. So the transaction that changes the state updates the first
//! ones, and the rest follows in steps. Meanwhile, claims skip webhooks that are not active.

use super::{locks::lock_webhook, open_deliveries::OPEN_WEBHOOKS};
use crate::{
    domain::{AccountId, Timestamp, WebhookId},
    store::{
        Store, StoreError,
        database::{Connection, query},
    },
};

/// Number of deliveries that a step updates. A step took 0.1 to 0.3 s.
const STEP_SIZE: usize = 4_096;

from_row! {
    struct Settled {
        /// `deleted`, or the state of the webhook.
        state: String,
        drops_held: bool,
    }
}

impl Store {
    /// Updates some open deliveries of a webhook whose state has changed. Returns `false` if there are none.
    pub async fn settle_deliveries(&self, now: Timestamp) -> Result<bool, StoreError> {
        // Most of the time there are none, and a transaction for writes would have to wait for others.
        let Some((account, webhook)) = next_unsettled(&mut self.read().await?, now).await? else {
            return Ok(false);
        };
        // If a power failure undoes the step, it is repeated.
        let mut tx = self.begin_unsynced().await?;
        lock_webhook(&mut tx, &account, &webhook).await?;
        settle(&mut tx, &webhook, now).await?;
        tx.commit().await?;
        self.points.reached("settle_deliveries: committed").await;
        Ok(true)
    }
}

/// Returns a webhook with open deliveries that do not have the status that follows from its state.
async fn next_unsettled(
    reader: &mut Connection,
    now: Timestamp,
) -> Result<Option<(AccountId, WebhookId)>, StoreError> {
    query(format!(
        "{OPEN_WEBHOOKS}
         select w.account_id, w.id from open_webhooks o join webhooks w on w.id = o.webhook_id
         where case
             when w.deleted_at is not null then true
             when w.state = 'active' then exists (
                 select 1 from deliveries d
                 where d.webhook_id = w.id and d.status = 'held' and d.status in ('new', 'pending', 'held'))
             when w.state = 'paused' then exists (
                 select 1 from deliveries d
                 where d.webhook_id = w.id and d.status = 'pending' and d.status in ('new', 'pending', 'held')
                     and (d.lease is null or d.next_attempt_at <= $1))
             else exists (
                 select 1 from deliveries d
                 where d.webhook_id = w.id and d.status in ('new', 'pending', 'held')
                     and (d.lease is null or d.next_attempt_at <= $1))
             end
         limit 1"
    ))
    .bind(now)
    .fetch_optional(reader)
    .await
}

/// Updates the first open deliveries of a webhook, after it was locked.
///
/// | state | delivery | becomes |
/// |---|---|---|
/// | active | held | pending and due, or cancelled if the user dropped the held ones |
/// | paused | pending, not leased | held |
/// | disabled | open, not leased | cancelled |
/// | deleted | open | cancelled |
///
/// A delivery in progress keeps its lease until it expires. Recording a failed attempt holds or cancels the delivery.
pub(super) async fn settle(
    connection: &mut Connection,
    webhook: &WebhookId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let found: Option<Settled> = query(
        "select case when deleted_at is null then state else 'deleted' end as state, drops_held
         from webhooks where id = $1",
    )
    .bind(webhook)
    .fetch_optional(connection)
    .await?;
    let Some(found) = found else { return Ok(()) };
    let (from, to) = match (found.state.as_str(), found.drops_held) {
        ("active", false) => ("status = 'held'", "pending"),
        ("active", true) => ("status = 'held'", "cancelled"),
        ("paused", _) => (
            "status = 'pending' and (lease is null or next_attempt_at <= $2)",
            "held",
        ),
        ("disabled", _) => ("(lease is null or next_attempt_at <= $2)", "cancelled"),
        _ => ("true", "cancelled"),
    };
    query(format!(
        "update deliveries set status = $3, lease = null, updated_at = $2,
             next_attempt_at = case when $3 = 'pending' then $2 else next_attempt_at end
         where id in (
             select id from deliveries
             where webhook_id = $1 and {from} and status in ('new', 'pending', 'held') limit $4)"
    ))
    .bind(webhook)
    .bind(now)
    .bind(to)
    .bind(STEP_SIZE)
    .execute(connection)
    .await?;
    Ok(())
}
