use serde_json::value::RawValue;

use super::{filtering::find_excluded, webhooks::HISTORY_AT};
use crate::{
    domain::{
        AccountId, Delivery, EventCursor, EventId, EventOutcome, EventType, EventTypes, NotSent,
        ReceivedEvent, Timestamp, WebhookId,
        filter::{CompiledFilter, Filter},
    },
    store::{
        AccountStore, EventDetail, EventFilter, EventPage, StoreError,
        database::{Connection, Query, query},
        filters::{event_data, excluded_by},
        pagination::{SCAN_LIMIT, split_page},
        rows::{DELIVERY_COLUMNS, DeliveryRow},
    },
};

/// Columns of [`EventRow`].
const EVENT_COLUMNS: &str = "key, id, event_type, occurred_at, received_at, delivery_count";

from_row! {
    struct EventRow {
        key: i64,
        id: EventId,
        event_type: EventType,
        occurred_at: Timestamp,
        received_at: Timestamp,
        delivery_count: u32,
    }
}

impl EventRow {
    fn cursor(&self) -> EventCursor {
        EventCursor {
            received_at: self.received_at,
            key: self.key,
        }
    }
}

impl From<EventRow> for ReceivedEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            event_type: row.event_type,
            occurred_at: row.occurred_at,
            received_at: row.received_at,
            deliveries: row.delivery_count,
        }
    }
}

impl AccountStore<'_> {
    /// Returns a page of the event log, newest first.
    ///
    /// The cost does not depend on the length of the history: the page is read from an index, or scans a limited range.
    pub async fn list_events(&self, filter: &EventFilter) -> Result<EventPage, StoreError> {
        let mut reader = self.store.read().await?;
        let scan_bound: Option<(Timestamp, i64)> = if filter.event_type.is_some() || filter.unsent {
            let mut scan = query("select received_at, key from events");
            push_range(&mut scan, self.account, filter, None);
            scan.push(" order by received_at desc, key desc limit 1 offset ")
                .push_bind(SCAN_LIMIT - 1);
            scan.fetch_optional(&mut reader).await?
        } else {
            None
        };
        let scan_bound = scan_bound.map(|(received_at, key)| EventCursor { received_at, key });
        let mut listing = query(format!("select {EVENT_COLUMNS} from events"));
        push_range(&mut listing, self.account, filter, scan_bound.as_ref());
        if let Some(event_type) = filter.event_type {
            listing.push(" and event_type = ").push_bind(event_type);
        }
        if filter.unsent {
            listing.push(" and delivery_count = 0");
        }
        listing
            .push(" order by received_at desc, key desc limit ")
            .push_bind(i64::from(filter.limit) + 1);
        let rows: Vec<EventRow> = listing.fetch_all(&mut reader).await?;
        let (rows, has_more) = split_page(rows, filter.limit);
        let next = if has_more {
            rows.last().map(EventRow::cursor)
        } else {
            scan_bound
        };
        let events = rows.into_iter().map(ReceivedEvent::from).collect();
        Ok(EventPage { events, next })
    }

    /// Evaluates a filter for the newest events of these types, at most `limit`. Returns each with the part of the filter
    /// that excludes it, in words. Scans a limited number of events.
    pub async fn try_filter(
        &self,
        types: &EventTypes,
        filter: &CompiledFilter,
        limit: u32,
    ) -> Result<Vec<(ReceivedEvent, Option<String>)>, StoreError> {
        let mut reader = self.store.read().await?;
        let mut newest = query(format!(
            "select {EVENT_COLUMNS} from (
                 select {EVENT_COLUMNS} from events where account_id = $1
                 order by received_at desc, key desc limit $2) scanned
             where event_type in ("
        ))
        .bind(self.account)
        .bind(SCAN_LIMIT);
        newest.push_list(types.iter());
        newest
            .push(") order by received_at desc, key desc limit ")
            .push_bind(i64::from(limit));
        let rows: Vec<EventRow> = newest.fetch_all(&mut reader).await?;
        let keys: Vec<_> = rows.iter().map(|row| row.key).collect();
        let mut excluded = find_excluded(&mut reader, filter, &keys).await?;
        let events = rows.into_iter().map(|row| {
            let excluded = excluded.remove(&row.key);
            (ReceivedEvent::from(row), excluded)
        });
        Ok(events.collect())
    }

    pub async fn event(&self, id: &EventId) -> Result<Option<EventDetail>, StoreError> {
        let mut tx = self.store.snapshot().await?;
        let sql = format!("select {EVENT_COLUMNS} from events where account_id = $1 and id = $2");
        let row: Option<EventRow> = query(sql)
            .bind(self.account)
            .bind(id)
            .fetch_optional(&mut tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let key = row.key;
        let event = ReceivedEvent::from(row);
        let payload: Vec<u8> = query("select payload from events where key = $1")
            .bind(key)
            .fetch_one(&mut tx)
            .await?;
        let mut outcomes = delivery_outcomes(&mut tx, key).await?;
        outcomes.extend(not_sent_outcomes(&mut tx, self.account, key, &event, &payload).await?);
        Ok(Some(EventDetail {
            event,
            payload: payload.into(),
            outcomes,
        }))
    }
}

/// Appends the conditions that the index by time covers, down to `scan_bound`.
fn push_range(
    query: &mut Query,
    account: &AccountId,
    filter: &EventFilter,
    scan_bound: Option<&EventCursor>,
) {
    query.push(" where account_id = ").push_bind(account);
    if let Some(since) = filter.since {
        query.push(" and received_at >= ").push_bind(since);
    }
    if let Some(until) = filter.until {
        query.push(" and received_at < ").push_bind(until);
    }
    for (comparison, cursor) in [(" < ", filter.before.as_ref()), (" >= ", scan_bound)] {
        if let Some(&EventCursor { received_at, key }) = cursor {
            query.push(" and (received_at, key)").push(comparison).push("(");
            query.push_bind(received_at).push(", ");
            query.push_bind(key).push(")");
        }
    }
}

async fn delivery_outcomes(reader: &mut Connection, event_key: i64) -> Result<Vec<EventOutcome>, StoreError> {
    let sql = format!(
        "select {DELIVERY_COLUMNS}
         from deliveries d join events e on e.key = d.event_key join webhooks w on w.id = d.webhook_id
         where d.event_key = $1 order by w.name, d.id"
    );
    let rows: Vec<DeliveryRow> = query(sql).bind(event_key).fetch_all(reader).await?;
    let event_outcome = |row| Ok(EventOutcome::Delivery(Box::new(Delivery::try_from(row)?)));
    rows.into_iter().map(event_outcome).collect()
}

from_row! {
    /// A webhook without a delivery of an event, and its settings when the event was received.
    struct WithoutDelivery {
        id: WebhookId,
        name: String,
        created_at: Timestamp,
        deleted_at: Option<Timestamp>,
        state_then: Option<String>,
        events_then: Option<EventTypes>,
        filter_then: Option<Filter>,
        is_queuing: bool,
    }
}

/// Returns the webhooks without a delivery of the event: those that existed when it was received, and those added
/// later.
async fn not_sent_outcomes(
    reader: &mut Connection,
    account: &AccountId,
    event_key: i64,
    event: &ReceivedEvent,
    payload: &[u8],
) -> Result<Vec<EventOutcome>, StoreError> {
    let rows: Vec<WithoutDelivery> = query(format!(
        "select w.id, w.name, w.created_at, w.deleted_at,
             {HISTORY_AT},
             exists (select 1 from fan_outs f where f.account_id = $1 and f.event_key = $3) as is_queuing
         from webhooks w
         where w.account_id = $1
             and (w.deleted_at is null or (w.deleted_at > $2 and w.created_at <= $2))
             and not exists (
                 select 1 from deliveries d
                 where d.event_key = $3 and d.webhook_id = w.id)
         order by w.name, w.id"
    ))
    .bind(account)
    .bind(event.received_at)
    .bind(event_key)
    .fetch_all(reader)
    .await?;
    let has_filter = rows.iter().any(|row| row.filter_then.is_some());
    let data = if has_filter { event_data(payload) } else { None };
    let outcomes = rows.into_iter().map(|row| EventOutcome::NotSent {
        reason: row.reason(event.event_type, data),
        webhook_id: row.id,
        webhook_name: row.name,
        webhook_deleted: row.deleted_at.is_some(),
    });
    Ok(outcomes.collect())
}

impl WithoutDelivery {
    fn reason(&self, event_type: EventType, data: Option<&RawValue>) -> NotSent {
        let (Some(state), Some(events)) = (&self.state_then, &self.events_then) else {
            return NotSent::AddedLater(self.created_at);
        };
        if !events.contains(event_type) {
            NotSent::NotSubscribed
        } else if state == "disabled" {
            NotSent::Disabled
        } else if let Some(condition) = excluded_by(self.filter_then.as_ref(), data) {
            NotSent::Filtered(condition)
        } else if self.is_queuing {
            NotSent::Queued
        } else {
            // The webhook was added or subscribed to the event type in the same millisecond in which the event was
            // received.
            NotSent::AddedLater(self.created_at)
        }
    }
}
