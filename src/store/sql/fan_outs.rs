//! Storing the deliveries of events that were accepted without all of them.

use serde_json::value::RawValue;

use super::{
    new_deliveries::{NewDelivery, insert_deliveries},
    webhooks::HISTORY_AT,
};
use crate::{
    domain::{
        AccountId, DeliveryId, DeliveryStatus, EventType, EventTypes, Timestamp, WebhookId, filter::Filter,
    },
    store::{
        Store, StoreError,
        database::{Connection, query},
        filters::{event_data, excluded_by},
    },
};

/// Number of webhooks that a step visits, and maximum number of deliveries that it stores. A step took 20 to 70 ms.
const STEP_SIZE: usize = 1_000;

/// Maximum number of events of a step.
const MAX_EVENTS: i64 = 100;

from_row! {
    struct FanOut {
        event_key: i64,
        event_type: EventType,
        received_at: Timestamp,
        reached: Option<WebhookId>,
    }
}

from_row! {
    /// A webhook that existed when the event was received.
    struct Recipient {
        id: WebhookId,
        /// The current state.
        state: Option<String>,
        /// State, event types and filter at that time.
        state_then: Option<String>,
        events_then: Option<EventTypes>,
        filter_then: Option<Filter>,
    }
}

impl Recipient {
    /// Returns the status of the delivery, or `None` if the webhook was disabled or not subscribed to the event, or if
    /// its filter excluded the event. A webhook that has changed since then gets the delivery as if it had been stored
    /// before the change.
    fn status(&self, event_type: EventType, data: Option<&RawValue>) -> Option<DeliveryStatus> {
        let is_subscribed = self.events_then.as_ref()?.contains(event_type);
        if !is_subscribed || self.state_then.as_deref() == Some("disabled") {
            return None;
        }
        if excluded_by(self.filter_then.as_ref(), data).is_some() {
            return None;
        }
        Some(match self.state.as_deref() {
            Some("active") => DeliveryStatus::Pending,
            Some("paused") => DeliveryStatus::Held,
            _ => DeliveryStatus::Cancelled,
        })
    }
}

impl Store {
    /// Stores some of the missing deliveries of the next account after this one that has any. Returns the account, or
    /// `None` if no deliveries are missing or other processes are storing them.
    pub async fn advance_fan_outs(
        &self,
        after: Option<&AccountId>,
        now: Timestamp,
    ) -> Result<Option<AccountId>, StoreError> {
        // Most of the time there are none, and a transaction for writes would have to wait for others.
        let Some(account) = next_account(&mut self.read().await?, after).await? else {
            return Ok(None);
        };
        // If a power failure undoes the step, it is repeated.
        let mut tx = self.begin_unsynced().await?;
        let fan_outs = next_fan_outs(&mut tx, &account).await?;
        if fan_outs.is_empty() {
            return Ok(None);
        }
        let mut new = Vec::new();
        let mut room = STEP_SIZE;
        for fan_out in &fan_outs {
            if room == 0 {
                break;
            }
            let recipients = next_recipients(&mut tx, &account, fan_out, room).await?;
            match recipients.last() {
                Some(last) if recipients.len() == room => {
                    set_reached(&mut tx, &account, fan_out, &last.id).await?;
                }
                _ => finish(&mut tx, &account, fan_out).await?,
            }
            room -= recipients.len();
            let has_filter = recipients.iter().any(|recipient| recipient.filter_then.is_some());
            let payload = if has_filter {
                payload_of(&mut tx, fan_out).await?
            } else {
                Vec::new()
            };
            let data = event_data(&payload);
            new.extend(recipients.into_iter().filter_map(|recipient| {
                let status = recipient.status(fan_out.event_type, data)?;
                Some((fan_out, recipient.id, status))
            }));
        }
        let deliveries = new.iter().map(|(fan_out, webhook_id, status)| NewDelivery {
            id: DeliveryId::generate(now),
            account_id: &account,
            webhook_id,
            event_key: fan_out.event_key,
            event_type: fan_out.event_type,
            status: status.as_str(),
            next_attempt_at: now,
            lease: None,
            created_at: now,
        });
        insert_deliveries(&mut tx, deliveries).await?;
        tx.commit().await?;
        self.points.reached("advance_fan_outs: committed").await;
        Ok(Some(account))
    }
}

/// Returns the first account after this one that has fan-outs, or the first one if none follow.
async fn next_account(
    reader: &mut Connection,
    after: Option<&AccountId>,
) -> Result<Option<AccountId>, StoreError> {
    let mut next = query("select account_id from fan_outs");
    if let Some(after) = after {
        next.push(" where account_id > ").push_bind(after);
    }
    next.push(" order by account_id limit 1");
    let found: Option<AccountId> = next.fetch_optional(reader).await?;
    if found.is_some() || after.is_none() {
        return Ok(found);
    }
    query("select account_id from fan_outs order by account_id limit 1")
        .fetch_optional(reader)
        .await
}

/// Returns the oldest events of the account that no other process is fanning out, and locks them.
async fn next_fan_outs(connection: &mut Connection, account: &AccountId) -> Result<Vec<FanOut>, StoreError> {
    query(
        "select f.event_key, e.event_type, e.received_at, f.reached
         from fan_outs f join events e on e.key = f.event_key
         where f.account_id = $1 order by f.event_key limit $2",
    )
    .locking("for update of f skip locked", connection)
    .bind(account)
    .bind(MAX_EVENTS)
    .fetch_all(connection)
    .await
}

async fn payload_of(connection: &mut Connection, fan_out: &FanOut) -> Result<Vec<u8>, StoreError> {
    query("select payload from events where key = $1")
        .bind(fan_out.event_key)
        .fetch_one(connection)
        .await
}

/// Returns the next webhooks that existed when the event was received, also those that did not get it.
async fn next_recipients(
    connection: &mut Connection,
    account: &AccountId,
    fan_out: &FanOut,
    limit: usize,
) -> Result<Vec<Recipient>, StoreError> {
    let mut next = query(format!(
        "select w.id, case when w.deleted_at is null then w.state end as state, {HISTORY_AT}
         from webhooks w
         where w.account_id = $1 and w.created_at <= $2 and (w.deleted_at is null or w.deleted_at > $2)"
    ));
    next = next.bind(account).bind(fan_out.received_at);
    if let Some(reached) = &fan_out.reached {
        next.push(" and w.id > ").push_bind(reached);
    }
    next.push(" order by w.id limit ").push_bind(limit);
    // As when an event is accepted, pausing, resuming and deleting wait for this lock.
    next.locking("for key share of w", connection)
        .fetch_all(connection)
        .await
}

async fn set_reached(
    connection: &mut Connection,
    account: &AccountId,
    fan_out: &FanOut,
    webhook: &WebhookId,
) -> Result<(), StoreError> {
    query("update fan_outs set reached = $3 where account_id = $1 and event_key = $2")
        .bind(account)
        .bind(fan_out.event_key)
        .bind(webhook)
        .execute(connection)
        .await
        .map(drop)
}

async fn finish(
    connection: &mut Connection,
    account: &AccountId,
    fan_out: &FanOut,
) -> Result<(), StoreError> {
    query("delete from fan_outs where account_id = $1 and event_key = $2")
        .bind(account)
        .bind(fan_out.event_key)
        .execute(connection)
        .await
        .map(drop)
}
