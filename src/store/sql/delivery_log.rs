use serde_json::json;
use strum::VariantArray;

use super::{audit, locks::lock_webhook};
use crate::{
    domain::{
        AccountId, Actor, Attempt, AuditAction, Delivery, DeliveryId, DeliveryStatus, EventId, Timestamp,
        WebhookId,
    },
    store::{
        AccountStore, AttemptRange, AuditEvent, Change, DeliveryDetail, DeliveryFilter, DeliveryPage,
        DestinationState, ResendOutcome, Store, StoreError,
        database::{Connection, Query, query},
        pagination::{SCAN_LIMIT, split_page},
        rows::{ATTEMPT_COLUMNS, AttemptRow, DELIVERY_COLUMNS, DeliveryRow, NEW_STATUS},
    },
};

impl Store {
    /// Makes a delivery due and restarts its retry schedule. Returns `None` if the delivery does not exist.
    pub async fn resend_delivery(
        &self,
        actor: &Actor,
        id: &DeliveryId,
        at: Timestamp,
    ) -> Result<Option<ResendOutcome>, StoreError> {
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
        let (status, outcome) = match state_of(&mut tx, &webhook).await? {
            None => return Ok(Some(ResendOutcome::Deleted)),
            Some(DestinationState::Disabled) => return Ok(Some(ResendOutcome::Disabled)),
            Some(DestinationState::Paused) => ("held", ResendOutcome::Held),
            Some(DestinationState::Active) => ("pending", ResendOutcome::Due),
        };
        let updated = query(
            "update deliveries set status = $2, next_attempt_at = $3, earlier_attempts = attempts, updated_at = $3
             where id = $1 and lease is null",
        )
        .bind(id)
        .bind(status)
        .bind(at)
        .execute(&mut tx)
        .await?;
        if updated == 0 {
            return Ok(Some(ResendOutcome::InProgress));
        }
        let details = json!({ "webhook": webhook, "event": event, "status": status });
        let audit_event = AuditEvent::new(actor, AuditAction::DeliveryResent, id.as_str(), at).with(details);
        audit::write(&mut tx, &audit_event).await?;
        tx.commit().await?;
        Ok(Some(outcome))
    }
}

impl AccountStore<'_> {
    /// Returns a page of the delivery log, newest first.
    ///
    /// The cost does not depend on the length of the history: the page is read from an index, or scans a limited range.
    pub async fn list_deliveries(&self, filter: &DeliveryFilter) -> Result<DeliveryPage, StoreError> {
        let mut reader = self.store.read().await?;
        let scan_bound = if filter.event_type.is_some() && filter.event_id.is_none() {
            let of_any_type = DeliveryFilter {
                event_type: None,
                ..filter.clone()
            };
            let mut scan = query("select id from (");
            push_ranges(&mut scan, "id", self.account, &of_any_type, None, SCAN_LIMIT);
            scan.push(") scanned order by id desc limit 1 offset ")
                .push_bind(SCAN_LIMIT - 1);
            scan.fetch_optional(&mut reader).await?
        } else {
            None
        };
        let limit = i64::from(filter.limit) + 1;
        let mut listing = query(format!("select {DELIVERY_COLUMNS} from ("));
        push_ranges(
            &mut listing,
            "*",
            self.account,
            filter,
            scan_bound.as_ref(),
            limit,
        );
        listing
            .push(
                ") d join events e on e.key = d.event_key join webhooks w on w.id = d.webhook_id
                 order by d.id desc limit ",
            )
            .push_bind(limit);
        let rows: Vec<DeliveryRow> = listing.fetch_all(&mut reader).await?;
        let (rows, has_more) = split_page(rows, filter.limit);
        let deliveries: Vec<Delivery> = rows
            .into_iter()
            .map(Delivery::try_from)
            .collect::<Result<_, _>>()?;
        let next = if has_more {
            deliveries.last().map(|last| last.id.clone())
        } else {
            scan_bound
        };
        Ok(DeliveryPage { deliveries, next })
    }

    /// Returns a delivery with all attempts.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryDetail>, StoreError> {
        self.delivery_with(id, AttemptRange::default()).await
    }

    /// Returns a delivery with some of its attempts.
    pub async fn delivery_with(
        &self,
        id: &DeliveryId,
        range: AttemptRange,
    ) -> Result<Option<DeliveryDetail>, StoreError> {
        // A snapshot, so that the attempts match the status of the delivery.
        let mut tx = self.store.snapshot().await?;
        let sql = format!(
            "select {DELIVERY_COLUMNS}
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
        let mut attempts = query(format!(
            "select {ATTEMPT_COLUMNS} from attempts where delivery_id = "
        ));
        attempts.push_bind(id);
        if let Some(before) = range.before {
            attempts.push(" and number < ").push_bind(i64::from(before));
        }
        attempts.push(" order by id desc");
        if let Some(limit) = range.limit {
            attempts.push(" limit ").push_bind(i64::from(limit) + 1);
        }
        let rows: Vec<AttemptRow> = attempts.fetch_all(&mut tx).await?;
        let (rows, has_older_attempts) = split_page(rows, range.limit.unwrap_or(u32::MAX));
        let attempts = rows
            .into_iter()
            .rev()
            .map(Attempt::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Some(DeliveryDetail {
            delivery,
            payload: payload.into(),
            attempts,
            has_older_attempts,
        }))
    }

    /// Returns an attempt of a delivery, or the newest one if no number is given.
    pub async fn attempt(&self, id: &DeliveryId, number: Option<u32>) -> Result<Option<Attempt>, StoreError> {
        let mut reader = self.store.read().await?;
        let mut attempt = query(format!(
            "select {ATTEMPT_COLUMNS} from attempts where delivery_id = "
        ));
        attempt
            .push_bind(id)
            .push(" and exists (select 1 from deliveries where id = ")
            .push_bind(id)
            .push(" and account_id = ")
            .push_bind(self.account)
            .push(")");
        if let Some(number) = number {
            attempt.push(" and number = ").push_bind(i64::from(number));
        }
        attempt.push(" order by id desc limit 1");
        let row: Option<AttemptRow> = attempt.fetch_optional(&mut reader).await?;
        row.map(Attempt::try_from).transpose()
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

/// Appends a union of the newest `limit` deliveries of each requested status, down to `scan_bound`. Each part of the
/// union is a range of an index by time.
fn push_ranges(
    query: &mut Query,
    columns: &str,
    account: &AccountId,
    filter: &DeliveryFilter,
    scan_bound: Option<&DeliveryId>,
    limit: i64,
) {
    let ranges = match (filter.status, &filter.event_id) {
        // An event has few deliveries of any status.
        (None, Some(_)) => vec![Range::Event],
        (None, None) => DeliveryStatus::VARIANTS
            .iter()
            .copied()
            .map(Range::Status)
            .collect(),
        (Some(status), _) => vec![Range::Status(status)],
    };
    let has_new = ranges.contains(&Range::Status(DeliveryStatus::Pending));
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
            Range::Event => {}
            Range::Status(status) => {
                query
                    .push("status <> 'new' and status = ")
                    .push_bind(status)
                    .push(" and ");
            }
            // There are few deliveries with this status, and the index of open deliveries contains them.
            Range::New => {
                query
                    .push("webhook_id in (select id from webhooks where account_id = ")
                    .push_bind(account)
                    .push(" and deleted_at is null) and status = ")
                    .push_bind(NEW_STATUS)
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
        let since = filter.since.map(DeliveryId::lower_bound);
        let until = filter.until.map(DeliveryId::lower_bound);
        if let Some(from) = since.iter().chain(scan_bound).max() {
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

/// A part of the union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// All deliveries of an event.
    Event,
    Status(DeliveryStatus),
    /// Deliveries with [`NEW_STATUS`].
    New,
}
