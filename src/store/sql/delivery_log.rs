use serde_json::json;
use strum::VariantArray;

use super::{audit, locks::lock_webhook};
use crate::{
    domain::{
        AccountId, Actor, Attempt, AuditAction, Delivery, DeliveryId, DeliveryStatus, EventId, Timestamp,
        WebhookId,
    },
    store::{
        AccountStore, AuditEvent, Change, DeliveryDetail, DeliveryFilter, DeliveryPage, DestinationState,
        Resent, Store, StoreError,
        database::{Connection, Query, query},
        pagination::{SCANNED, page_of},
        rows::{ATTEMPT, AttemptRow, DELIVERY, DeliveryRow, NEW},
    },
};

/// Every list here costs the same however long the history is: it reads a page by an index, or looks through so many
/// rows at most and says how far it came.
impl Store {
    /// Makes it due at once, with all attempts of the schedule before it. `None`: there is no such delivery.
    pub async fn resend_delivery(
        &self,
        actor: &Actor,
        id: &DeliveryId,
        at: Timestamp,
    ) -> Result<Option<Resent>, StoreError> {
        let mut tx = self.begin().await?;
        let found: Option<(WebhookId, EventId)> = query(
            "select d.webhook_id, e.id from deliveries d join events e on e.key = d.event_key
                   where d.account_id = $1 and d.id = $2",
        )
        .bind(&actor.account_id)
        .bind(id)
        .fetch_optional(&mut tx)
        .await?;
        let Some((webhook, event)) = found else {
            return Ok(None);
        };
        let change = Change::new(actor, webhook.clone(), at);
        lock_webhook(&mut tx, &change.account_id, &change.webhook_id).await?;
        let (status, resent) = match state_of(&mut tx, &webhook).await? {
            None => return Ok(Some(Resent::Deleted)),
            Some(DestinationState::Disabled) => return Ok(Some(Resent::Disabled)),
            Some(DestinationState::Paused) => ("held", Resent::Held),
            Some(DestinationState::Active) => ("pending", Resent::Due),
        };
        let moved = query(
            "update deliveries set status = $2, next_attempt_at = $3, earlier_attempts = attempts, updated_at = $3
             where id = $1 and lease is null",
        )
        .bind(id)
        .bind(status)
        .bind(at)
        .execute(&mut tx)
        .await?;
        if moved == 0 {
            return Ok(Some(Resent::UnderWay));
        }
        let details = json!({ "webhook": webhook, "event": event, "status": status });
        let audit_event = AuditEvent::new(actor, AuditAction::DeliveryResent, id.as_str(), at).with(details);
        audit::write(&mut tx, &audit_event).await?;
        tx.commit().await?;
        Ok(Some(resent))
    }
}

impl AccountStore<'_> {
    /// Newest first.
    pub async fn list_deliveries(&self, filter: &DeliveryFilter) -> Result<DeliveryPage, StoreError> {
        let mut reader = self.store.read().await?;
        let floor = if filter.event_type.is_some() && filter.event_id.is_none() {
            let of_any_type = DeliveryFilter {
                event_type: None,
                ..filter.clone()
            };
            let mut scan = query("select id from (");
            push_ranges(&mut scan, "id", self.account, &of_any_type, None, SCANNED);
            scan.push(") scanned order by id desc limit 1 offset ")
                .push_bind(SCANNED - 1);
            scan.fetch_optional(&mut reader).await?
        } else {
            None
        };
        let limit = i64::from(filter.limit) + 1;
        let mut listing = query(format!("select {DELIVERY} from ("));
        push_ranges(&mut listing, "*", self.account, filter, floor.as_ref(), limit);
        listing
            .push(
                ") d join events e on e.key = d.event_key join webhooks w on w.id = d.webhook_id
                 order by d.id desc limit ",
            )
            .push_bind(limit);
        let rows: Vec<DeliveryRow> = listing.fetch_all(&mut reader).await?;
        let (rows, has_more) = page_of(rows, filter.limit);
        let deliveries: Vec<Delivery> = rows
            .into_iter()
            .map(Delivery::try_from)
            .collect::<Result<_, _>>()?;
        let next = if has_more {
            deliveries.last().map(|last| last.id.clone())
        } else {
            floor
        };
        Ok(DeliveryPage { deliveries, next })
    }

    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        // One transaction, so that the attempts are those that the delivery's state tells of.
        let mut tx = self.store.snapshot().await?;
        let sql = format!(
            "select {DELIVERY}
             from deliveries d join events e on e.key = d.event_key join webhooks w on w.id = d.webhook_id
             where d.account_id = $1 and d.id = $2"
        );
        let row: Option<DeliveryRow> = query(sql)
            .bind(self.account)
            .bind(id)
            .fetch_optional(&mut tx)
            .await?;
        let Some(delivery) = row.map(Delivery::try_from).transpose()? else {
            return Ok(None);
        };
        let payload: Vec<u8> = query("select payload from events where account_id = $1 and id = $2")
            .bind(self.account)
            .bind(&delivery.event_id)
            .fetch_one(&mut tx)
            .await?;
        let sql = format!("select {ATTEMPT} from attempts where delivery_id = $1 order by id");
        let rows: Vec<AttemptRow> = query(sql).bind(id).fetch_all(&mut tx).await?;
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

async fn state_of(
    connection: &mut Connection,
    webhook: &WebhookId,
) -> Result<Option<DestinationState>, StoreError> {
    query("select state from webhooks where id = $1 and deleted_at is null")
        .bind(webhook)
        .fetch_optional(connection)
        .await
}

/// The newest `limit` of each status that is wanted, down to `floor`, as tables to be merged: each is a range of an
/// index by age.
fn push_ranges(
    query: &mut Query,
    columns: &str,
    account: &AccountId,
    filter: &DeliveryFilter,
    floor: Option<&DeliveryId>,
    limit: i64,
) {
    let ranges = match (filter.status, &filter.event_id) {
        // An event has few deliveries, whatever their status.
        (None, Some(_)) => vec![Range::OfEvent],
        (None, None) => DeliveryStatus::VARIANTS
            .iter()
            .copied()
            .map(Range::Listed)
            .collect(),
        (Some(status), _) => vec![Range::Listed(status)],
    };
    let has_new = ranges.contains(&Range::Listed(DeliveryStatus::Pending));
    for (index, range) in ranges
        .into_iter()
        .chain(has_new.then_some(Range::New))
        .enumerate()
    {
        if index > 0 {
            query.push(" union all ");
        }
        query.push(format!("select * from (select {columns} from deliveries where "));
        match range {
            Range::OfEvent => {}
            Range::Listed(status) => {
                query
                    .push("status <> 'new' and status = ")
                    .push_bind(status)
                    .push(" and ");
            }
            // Those under way are few, and in the index of what is open.
            Range::New => {
                query
                    .push("webhook_id in (select id from webhooks where account_id = ")
                    .push_bind(account)
                    .push(" and deleted_at is null) and status = ")
                    .push_bind(NEW)
                    .push(" and status in ('new', 'pending', 'held') and ");
            }
        }
        query.push("account_id = ").push_bind(account);
        if let Some(webhook) = &filter.webhook_id {
            query.push(" and webhook_id = ").push_bind(webhook);
        }
        if let Some(event) = &filter.event_id {
            query
                .push(" and event_key = (select key from events where account_id = ")
                .push_bind(account)
                .push(" and id = ")
                .push_bind(event)
                .push(")");
        }
        if let Some(event_type) = filter.event_type {
            query.push(" and event_type = ").push_bind(event_type);
        }
        let since = filter.since.map(DeliveryId::first_of);
        let until = filter.until.map(DeliveryId::first_of);
        if let Some(from) = since.iter().chain(floor).max() {
            query.push(" and id >= ").push_bind(from);
        }
        if let Some(to) = until.iter().chain(&filter.before).min() {
            query.push(" and id < ").push_bind(to);
        }
        query
            .push(" order by id desc limit ")
            .push_bind(limit)
            .push(format!(") range_{index}"));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    OfEvent,
    Listed(DeliveryStatus),
    /// Whose first attempt is under way.
    New,
}
