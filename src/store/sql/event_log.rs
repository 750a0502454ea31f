use crate::{
    domain::{
        AccountId, Delivery, EventId, EventOutcome, EventType, EventTypes, NotSent, Place, ReceivedEvent,
        Timestamp, WebhookId,
    },
    store::{
        AccountStore, EventDetail, EventFilter, EventPage, StoreError,
        database::{Connection, Query, query},
        pagination::{SCANNED, page_of},
        rows::{DELIVERY, DeliveryRow},
    },
};

/// The columns of [`EventRow`].
const EVENT: &str = "key, id, event_type, occurred_at, received_at, delivery_count";

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
    fn place(&self) -> Place {
        Place {
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

/// The list costs the same however long the history is: it reads a page by an index, or looks through so many
/// rows at most and says how far it came.
impl AccountStore<'_> {
    /// Newest first.
    pub async fn list_events(&self, filter: &EventFilter) -> Result<EventPage, StoreError> {
        let mut reader = self.store.read().await?;
        let floor: Option<(Timestamp, i64)> = if filter.event_type.is_some() || filter.unsent {
            let mut scan = query("select received_at, key from events");
            push_range(&mut scan, self.account, filter, None);
            scan.push(" order by received_at desc, key desc limit 1 offset ")
                .push_bind(SCANNED - 1);
            scan.fetch_optional(&mut reader).await?
        } else {
            None
        };
        let floor = floor.map(|(received_at, key)| Place { received_at, key });
        let mut listing = query(format!("select {EVENT} from events"));
        push_range(&mut listing, self.account, filter, floor.as_ref());
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
        let (rows, has_more) = page_of(rows, filter.limit);
        let next = if has_more {
            rows.last().map(EventRow::place)
        } else {
            floor
        };
        let events = rows.into_iter().map(ReceivedEvent::from).collect();
        Ok(EventPage { events, next })
    }

    pub async fn event(&self, id: &EventId) -> Result<Option<EventDetail>, StoreError> {
        let mut tx = self.store.snapshot().await?;
        let sql = format!("select {EVENT} from events where account_id = $1 and id = $2");
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
        let mut outcomes = deliveries(&mut tx, key).await?;
        outcomes.extend(not_sent(&mut tx, self.account, key, &event).await?);
        Ok(Some(EventDetail {
            event,
            payload: payload.into(),
            outcomes,
        }))
    }
}

/// What the index by age finds, down to `floor`.
fn push_range(query: &mut Query, account: &AccountId, filter: &EventFilter, floor: Option<&Place>) {
    query.push(" where account_id = ").push_bind(account);
    if let Some(since) = filter.since {
        query.push(" and received_at >= ").push_bind(since);
    }
    if let Some(until) = filter.until {
        query.push(" and received_at < ").push_bind(until);
    }
    for (compared, place) in [(" < ", filter.before.as_ref()), (" >= ", floor)] {
        if let Some(&Place { received_at, key }) = place {
            query.push(" and (received_at, key)").push(compared).push("(");
            query.push_bind(received_at).push(", ");
            query.push_bind(key).push(")");
        }
    }
}

async fn deliveries(reader: &mut Connection, event_key: i64) -> Result<Vec<EventOutcome>, StoreError> {
    let sql = format!(
        "select {DELIVERY}
         from deliveries d join events e on e.key = d.event_key join webhooks w on w.id = d.webhook_id
         where d.event_key = $1 order by w.name, d.id"
    );
    let rows: Vec<DeliveryRow> = query(sql).bind(event_key).fetch_all(reader).await?;
    let event_outcome = |row| Ok(EventOutcome::Delivery(Box::new(Delivery::try_from(row)?)));
    rows.into_iter().map(event_outcome).collect()
}

/// The webhooks that got nothing: those that there were when it was received, and those that were added later.
async fn not_sent(
    reader: &mut Connection,
    account: &AccountId,
    event_key: i64,
    event: &ReceivedEvent,
) -> Result<Vec<EventOutcome>, StoreError> {
    type Row = (
        WebhookId,
        String,
        Timestamp,
        Option<Timestamp>,
        Option<String>,
        Option<EventTypes>,
    );
    // What it was then is the newest of its history that is not younger.
    let rows: Vec<Row> = query(
        "select w.id, w.name, w.created_at, w.deleted_at,
             (select h.state from webhook_history h where h.webhook_id = w.id and h.since <= $2
              order by h.since desc limit 1),
             (select h.events from webhook_history h where h.webhook_id = w.id and h.since <= $2
              order by h.since desc limit 1)
         from webhooks w
         where w.account_id = $1
             and (w.deleted_at is null or (w.deleted_at > $2 and w.created_at <= $2))
             and not exists (
                 select 1 from deliveries d
                 where d.event_key = $3 and d.webhook_id = w.id)
         order by w.name, w.id",
    )
    .bind(account)
    .bind(event.received_at)
    .bind(event_key)
    .fetch_all(reader)
    .await?;
    let outcomes = rows.into_iter().map(
        |(webhook_id, webhook_name, created_at, deleted_at, state, events)| EventOutcome::NotSent {
            webhook_id,
            webhook_name,
            webhook_deleted: deleted_at.is_some(),
            reason: reason(event.event_type, created_at, state.as_deref(), events),
        },
    );
    Ok(outcomes.collect())
}

fn reason(
    event_type: EventType,
    created_at: Timestamp,
    state: Option<&str>,
    events: Option<EventTypes>,
) -> NotSent {
    let (Some(state), Some(events)) = (state, events) else {
        return NotSent::AddedLater(created_at);
    };
    if !events.contains(event_type) {
        NotSent::NotSubscribed
    } else if state == "disabled" {
        NotSent::Disabled
    } else {
        // It was added, or began to want this type, in the very moment in which the event was received.
        NotSent::AddedLater(created_at)
    }
}
