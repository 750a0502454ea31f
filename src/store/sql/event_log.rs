use async_trait::async_trait;
use sqlx::{AssertSqlSafe, QueryBuilder};

use super::{Adapter, Connection, Database};
use crate::{
    domain::{AccountId, Delivery, EventId, EventType, Fate, NotSent, Place, ReceivedEvent, Timestamp},
    store::{
        EventDetail, EventFilter, EventLogStore, EventPage, StoreError,
        pagination::LOOKED_THROUGH,
        rows::{DELIVERY, DeliveryRow, event_types, small_count, stored, stored_id},
    },
};

/// The columns of [`EventRow`].
const EVENT: &str = "id, event_type, occurred_at, received_at, delivery_count";

type EventRow = (String, String, i64, i64, i64);

fn received(
    (id, event_type, occurred_at, received_at, deliveries): EventRow,
) -> Result<ReceivedEvent, StoreError> {
    Ok(ReceivedEvent {
        id: stored_id(&id)?,
        event_type: stored(&event_type, "event type")?,
        occurred_at: Timestamp::from_millis(occurred_at),
        received_at: Timestamp::from_millis(received_at),
        deliveries: small_count(deliveries),
    })
}

#[async_trait]
impl EventLogStore for Adapter {
    async fn list_events(&self, account: &AccountId, filter: &EventFilter) -> Result<EventPage, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let floor = if filter.event_type.is_some() || filter.unsent {
            let mut query = QueryBuilder::<Database>::new("select received_at, id from events");
            push_stretch(&mut query, account, filter, None);
            query
                .push(" order by received_at desc, id desc limit 1 offset ")
                .push_bind(LOOKED_THROUGH - 1);
            let floor: Option<(i64, String)> = query.build_query_as().fetch_optional(&mut *reader).await?;
            let place = |(at, id): (i64, String)| {
                Ok::<_, StoreError>(Place {
                    received_at: Timestamp::from_millis(at),
                    id: stored_id(&id)?,
                })
            };
            floor.map(place).transpose()?
        } else {
            None
        };
        let mut query = QueryBuilder::<Database>::new(format!("select {EVENT} from events"));
        push_stretch(&mut query, account, filter, floor.as_ref());
        if let Some(event_type) = filter.event_type {
            query.push(" and event_type = ").push_bind(event_type.as_str());
        }
        if filter.unsent {
            query.push(" and delivery_count = 0");
        }
        // One more than wanted tells whether there are more.
        query
            .push(" order by received_at desc, id desc limit ")
            .push_bind(i64::from(filter.limit) + 1);
        let rows: Vec<EventRow> = query.build_query_as().fetch_all(&mut *reader).await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let events = rows
            .into_iter()
            .take(limit)
            .map(received)
            .collect::<Result<Vec<_>, _>>()?;
        let last = || {
            events.last().map(|last| Place {
                received_at: last.received_at,
                id: last.id.clone(),
            })
        };
        let next = if more { last() } else { floor };
        Ok(EventPage { events, next })
    }

    async fn event(&self, account: &AccountId, id: &EventId) -> Result<Option<EventDetail>, StoreError> {
        let mut tx = self.readers.begin().await?;
        let sql = format!("select {EVENT} from events where account_id = $1 and id = $2");
        let row: Option<EventRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(event) = row.map(received).transpose()? else {
            return Ok(None);
        };
        let payload: Vec<u8> =
            sqlx::query_scalar("select payload from events where account_id = $1 and id = $2")
                .bind(account.as_str())
                .bind(id.as_str())
                .fetch_one(&mut *tx)
                .await?;
        let mut fates = deliveries(&mut tx, account, id).await?;
        fates.extend(not_sent(&mut tx, account, &event).await?);
        Ok(Some(EventDetail {
            event,
            payload: payload.into(),
            fates,
        }))
    }
}

/// What the index by age finds, down to `floor`.
fn push_stretch(
    query: &mut QueryBuilder<Database>,
    account: &AccountId,
    filter: &EventFilter,
    floor: Option<&Place>,
) {
    query
        .push(" where account_id = ")
        .push_bind(account.as_str().to_owned());
    if let Some(since) = filter.since {
        query.push(" and received_at >= ").push_bind(since.as_millis());
    }
    if let Some(until) = filter.until {
        query.push(" and received_at < ").push_bind(until.as_millis());
    }
    for (compared, place) in [(" < ", filter.before.as_ref()), (" >= ", floor)] {
        if let Some(Place { received_at, id }) = place {
            query.push(" and (received_at, id)").push(compared).push("(");
            query.push_bind(received_at.as_millis()).push(", ");
            query.push_bind(id.as_str().to_owned()).push(")");
        }
    }
}

async fn deliveries(
    reader: &mut Connection,
    account: &AccountId,
    event: &EventId,
) -> Result<Vec<Fate>, StoreError> {
    let sql = format!(
        "select {DELIVERY} from deliveries d join webhooks w on w.id = d.webhook_id
         where d.account_id = $1 and d.event_id = $2 order by w.name, d.id"
    );
    let rows: Vec<DeliveryRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(account.as_str())
        .bind(event.as_str())
        .fetch_all(reader)
        .await?;
    let fate = |row| Ok(Fate::Delivery(Box::new(Delivery::try_from(row)?)));
    rows.into_iter().map(fate).collect()
}

/// The webhooks that got nothing: those that there were when it was received, and those that were added later.
async fn not_sent(
    reader: &mut Connection,
    account: &AccountId,
    event: &ReceivedEvent,
) -> Result<Vec<Fate>, StoreError> {
    type Row = (String, String, i64, Option<i64>, Option<String>, Option<String>);
    // What it was then is the newest of its history that is not younger.
    let rows: Vec<Row> = sqlx::query_as(
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
                 where d.account_id = $1 and d.event_id = $3 and d.webhook_id = w.id)
         order by w.name, w.id",
    )
    .bind(account.as_str())
    .bind(event.received_at.as_millis())
    .bind(event.id.as_str())
    .fetch_all(reader)
    .await?;
    let fates = rows
        .into_iter()
        .map(|(id, name, created_at, deleted_at, state, events)| {
            Ok(Fate::NotSent {
                webhook_id: stored_id(&id)?,
                webhook_name: name,
                webhook_deleted: deleted_at.is_some(),
                reason: reason(
                    event.event_type,
                    Timestamp::from_millis(created_at),
                    state.as_deref(),
                    events.as_deref(),
                )?,
            })
        });
    fates.collect()
}

fn reason(
    event_type: EventType,
    created_at: Timestamp,
    state: Option<&str>,
    events: Option<&str>,
) -> Result<NotSent, StoreError> {
    let (Some(state), Some(events)) = (state, events) else {
        return Ok(NotSent::AddedLater(created_at));
    };
    Ok(if !event_types(events)?.contains(event_type) {
        NotSent::NotSubscribed
    } else if state == "disabled" {
        NotSent::Disabled
    } else {
        // It was added, or began to want this type, in the very moment in which the event was received.
        NotSent::AddedLater(created_at)
    })
}
