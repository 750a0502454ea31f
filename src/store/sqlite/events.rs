use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::{QueryBuilder, SqliteConnection};

use super::{
    ROWS_PER_STATEMENT, SqliteStore,
    rows::{destination_state, event_types, small_count, stored, stored_id},
};
use crate::{
    domain::{AccountId, DeliveryId, EventType, EventTypes, Timestamp, WebhookId},
    store::{
        Accepted, AcceptedEvent, ClaimedDelivery, ConflictingEvent, DestinationState, EventStore, HandOff,
        Lease, NewEvent, Retention, StoreError, Submission, Swept,
    },
};

#[async_trait]
impl EventStore for SqliteStore {
    async fn accept_events(
        &self,
        submissions: &[Submission],
        now: Timestamp,
        hand_off: HandOff<'_>,
    ) -> Result<Accepted, StoreError> {
        let mut tx = self.begin().await?;
        let mut known = find_known(&mut tx, submissions).await?;
        let mut subscribers: HashMap<&AccountId, Vec<Subscriber>> = HashMap::new();
        let mut rows = NewRows::new(now, hand_off);
        let mut answers = Vec::with_capacity(submissions.len());
        for submission in submissions {
            let account = &submission.account_id;
            if !subscribers.contains_key(account) {
                subscribers.insert(account, find_subscribers(&mut tx, account).await?);
            }
            answers.push(accept(submission, &subscribers[account], &mut known, &mut rows));
        }
        rows.insert(&mut tx).await?;
        tx.commit().await?;
        Ok(Accepted {
            answers,
            claimed: rows.claimed(),
        })
    }

    async fn delete_old_events(&self, retention: Retention<'_>) -> Result<Swept, StoreError> {
        let Retention {
            account,
            before,
            after,
            limit,
        } = retention;
        let (after_time, after_id) = after.map_or((i64::MIN, String::new()), |(time, id)| {
            (time.as_millis(), id.as_str().to_owned())
        });
        // What a power cut brings back is deleted again: it costs no wait for the disk.
        let turn = self.writer.acquire().await?;
        let mut tx = self.hasty.begin_with("BEGIN IMMEDIATE").await?;
        let rows: Vec<(String, i64, bool)> = sqlx::query_as(
            "select id, received_at, exists (
                 select 1 from deliveries d where d.account_id = e.account_id and d.event_id = e.id
                     and d.status in ('pending', 'held'))
             from events e
             where account_id = $1 and received_at < $2 and (received_at, id) > ($3, $4)
             order by received_at, id limit $5",
        )
        .bind(account.as_str())
        .bind(before.as_millis())
        .bind(after_time)
        .bind(after_id)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await?;
        let done: Vec<_> = rows
            .iter()
            .filter(|(.., open)| !open)
            .map(|(id, ..)| id)
            .collect();
        let ids = serde_json::to_string(&done).expect("texts are JSON");
        for delete in [
            "delete from attempts where delivery_id in (
                 select id from deliveries
                 where account_id = $1 and event_id in (select value from json_each($2)))",
            "delete from deliveries where account_id = $1 and event_id in (select value from json_each($2))",
            "delete from events where account_id = $1 and id in (select value from json_each($2))",
        ] {
            sqlx::query(delete)
                .bind(account.as_str())
                .bind(&ids)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        drop(turn);
        let until = match rows.last() {
            Some((id, received_at, _)) if rows.len() == limit => {
                Some((Timestamp::from_millis(*received_at), stored_id(id)?))
            }
            _ => None,
        };
        Ok(Swept {
            deleted: done.len() as u64,
            until,
        })
    }
}

/// A webhook of the account, as far as the fan-out needs it.
struct Subscriber {
    id: WebhookId,
    events: EventTypes,
    state: DestinationState,
}

/// Events that already stand under an id or an idempotency key, in the database or earlier in this transaction.
#[derive(Default)]
struct Known {
    by_id: HashMap<(AccountId, String), KnownEvent>,
    by_key: HashMap<(AccountId, String), KnownEvent>,
}

#[derive(Clone)]
struct KnownEvent {
    fingerprint: [u8; 32],
    answer: AcceptedEvent,
}

impl Known {
    fn find(&self, account: &AccountId, event: &NewEvent) -> Option<&KnownEvent> {
        let by_key = event.idempotency_key.as_ref();
        by_key
            .and_then(|key| self.by_key.get(&(account.clone(), key.clone())))
            .or_else(|| self.by_id.get(&(account.clone(), event.id.as_str().to_owned())))
    }

    fn add(&mut self, account: &AccountId, id: &str, key: Option<&str>, event: KnownEvent) {
        if let Some(key) = key {
            self.by_key
                .insert((account.clone(), key.to_owned()), event.clone());
        }
        self.by_id.insert((account.clone(), id.to_owned()), event);
    }
}

/// Rows to insert at the end, all submissions' together.
struct NewRows<'a, 'h> {
    now: Timestamp,
    hand_off: HandOff<'h>,
    /// Of all that is handed off.
    lease: Lease,
    events: Vec<EventRow<'a>>,
    deliveries: Vec<DeliveryRow<'a>>,
}

struct EventRow<'a> {
    account: &'a AccountId,
    event: &'a NewEvent,
    delivery_count: u32,
    unsent_reason: Option<&'static str>,
}

struct DeliveryRow<'a> {
    id: DeliveryId,
    account: &'a AccountId,
    event: &'a NewEvent,
    webhook_id: WebhookId,
    status: &'static str,
    handed_off: bool,
}

/// Decides over one submission, and adds its rows if it is accepted.
fn accept<'a>(
    submission: &'a Submission,
    subscribers: &[Subscriber],
    known: &mut Known,
    rows: &mut NewRows<'a, '_>,
) -> Result<Vec<AcceptedEvent>, ConflictingEvent> {
    let account = &submission.account_id;
    // All or nothing: conflicts are looked for before anything is added, also between the submission's own events.
    let mut own: HashMap<&str, &[u8; 32]> = HashMap::new();
    for (index, event) in submission.events.iter().enumerate() {
        let before = known.find(account, event).map(|known| &known.fingerprint);
        let twin = own.insert(event.id.as_str(), &event.fingerprint);
        if before
            .or(twin)
            .is_some_and(|fingerprint| *fingerprint != event.fingerprint)
        {
            return Err(ConflictingEvent {
                index,
                id: event.id.clone(),
            });
        }
    }

    let mut answers = Vec::with_capacity(submission.events.len());
    for event in &submission.events {
        if let Some(first) = known.find(account, event) {
            answers.push(AcceptedEvent {
                repeated: true,
                ..first.answer.clone()
            });
            continue;
        }
        let mut deliveries = 0;
        for subscriber in subscribers
            .iter()
            .filter(|subscriber| subscriber.events.contains(event.event_type))
        {
            let status = match subscriber.state {
                DestinationState::Active => "pending",
                DestinationState::Paused => "held",
                DestinationState::Disabled => continue,
            };
            rows.add_delivery(account, event, subscriber.id.clone(), status);
            deliveries += 1;
        }
        let unsent_reason = (deliveries == 0).then(|| why_unsent(event.event_type, subscribers));
        rows.events.push(EventRow {
            account,
            event,
            delivery_count: deliveries,
            unsent_reason,
        });
        let answer = AcceptedEvent {
            id: event.id.clone(),
            event_type: event.event_type,
            occurred_at: event.occurred_at,
            deliveries,
            repeated: false,
        };
        let accepted = KnownEvent {
            fingerprint: event.fingerprint,
            answer: answer.clone(),
        };
        known.add(
            account,
            event.id.as_str(),
            event.idempotency_key.as_deref(),
            accepted,
        );
        answers.push(answer);
    }
    Ok(answers)
}

fn why_unsent(event_type: EventType, subscribers: &[Subscriber]) -> &'static str {
    if subscribers.is_empty() {
        "no_webhook"
    } else if subscribers
        .iter()
        .any(|subscriber| subscriber.events.contains(event_type))
    {
        "disabled"
    } else {
        "not_subscribed"
    }
}

impl<'a, 'h> NewRows<'a, 'h> {
    fn new(now: Timestamp, hand_off: HandOff<'h>) -> Self {
        Self {
            now,
            hand_off,
            lease: Lease(DeliveryId::generate(now).into()),
            events: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    fn add_delivery(
        &mut self,
        account: &'a AccountId,
        event: &'a NewEvent,
        webhook_id: WebhookId,
        status: &'static str,
    ) {
        let handed_off = status == "pending" && (self.hand_off.wanted)(&webhook_id);
        self.deliveries.push(DeliveryRow {
            id: DeliveryId::generate(self.now),
            account,
            event,
            webhook_id,
            status,
            handed_off,
        });
    }

    fn claimed(self) -> Vec<ClaimedDelivery> {
        let handed_off = self.deliveries.into_iter().filter(|row| row.handed_off);
        handed_off
            .map(|row| ClaimedDelivery {
                id: row.id,
                webhook_id: row.webhook_id,
                event_id: row.event.id.clone(),
                lease: self.lease.clone(),
                number: 1,
                payload: row.event.payload.clone(),
            })
            .collect()
    }

    async fn insert(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let now = self.now.as_millis();
        for events in self.events.chunks(ROWS_PER_STATEMENT) {
            let mut insert = QueryBuilder::new(
                "insert into events (account_id, id, event_type, occurred_at, received_at, payload, fingerprint, \
                 idempotency_key, delivery_count, unsent_reason) ",
            );
            insert.push_values(events, |mut row, new| {
                row.push_bind(new.account.as_str())
                    .push_bind(new.event.id.as_str())
                    .push_bind(new.event.event_type.as_str())
                    .push_bind(new.event.occurred_at.as_millis())
                    .push_bind(now)
                    .push_bind(new.event.payload.as_ref())
                    .push_bind(new.event.fingerprint.as_slice())
                    .push_bind(new.event.idempotency_key.as_deref())
                    .push_bind(i64::from(new.delivery_count))
                    .push_bind(new.unsent_reason);
            });
            insert.build().execute(&mut *connection).await?;
        }
        for deliveries in self.deliveries.chunks(ROWS_PER_STATEMENT) {
            let mut insert = QueryBuilder::new(
                "insert into deliveries (id, account_id, webhook_id, event_id, event_type, status, attempts, \
                 next_attempt_at, lease, created_at, updated_at) ",
            );
            let lapses = self.now.plus(self.hand_off.lease).as_millis();
            insert.push_values(deliveries, |mut row, new| {
                row.push_bind(new.id.as_str())
                    .push_bind(new.account.as_str())
                    .push_bind(new.webhook_id.as_str())
                    .push_bind(new.event.id.as_str())
                    .push_bind(new.event.event_type.as_str())
                    .push_bind(new.status)
                    .push_bind(0_i64)
                    .push_bind(if new.handed_off { lapses } else { now })
                    .push_bind(new.handed_off.then_some(self.lease.0.as_str()))
                    .push_bind(now)
                    .push_bind(now);
            });
            insert.build().execute(&mut *connection).await?;
        }
        Ok(())
    }
}

async fn find_subscribers(
    connection: &mut SqliteConnection,
    account: &AccountId,
) -> Result<Vec<Subscriber>, StoreError> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("select id, events, state from webhooks where account_id = $1 and deleted_at is null")
            .bind(account.as_str())
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(id, events, state)| {
            Ok(Subscriber {
                id: stored_id(&id)?,
                events: event_types(&events)?,
                state: destination_state(&state)?,
            })
        })
        .collect()
}

type KnownRow = (String, String, Option<String>, Vec<u8>, String, i64, i64);

async fn find_known(
    connection: &mut SqliteConnection,
    submissions: &[Submission],
) -> Result<Known, StoreError> {
    let mut known = Known::default();
    let events = || {
        submissions
            .iter()
            .flat_map(|s| s.events.iter().map(|event| (s.account_id.as_str(), event)))
    };
    let ids: Vec<_> = events()
        .map(|(account, event)| (account, event.id.as_str()))
        .collect();
    let keys: Vec<_> = events()
        .filter_map(|(account, event)| Some((account, event.idempotency_key.as_deref()?)))
        .collect();
    for (column, pairs) in [("id", ids), ("idempotency_key", keys)] {
        for pairs in pairs.chunks(ROWS_PER_STATEMENT) {
            let mut query = QueryBuilder::new(
                "select account_id, id, idempotency_key, fingerprint, event_type, occurred_at, delivery_count \
                 from events where (account_id, ",
            );
            query.push(column).push(") in (");
            query.push_values(pairs, |mut row, (account, text)| {
                row.push_bind(*account).push_bind(*text);
            });
            query.push(")");
            let rows: Vec<KnownRow> = query.build_query_as().fetch_all(&mut *connection).await?;
            for (account, id, key, fingerprint, event_type, occurred_at, deliveries) in rows {
                let event = KnownEvent {
                    fingerprint: fingerprint
                        .try_into()
                        .map_err(|_| StoreError::Corrupt("fingerprint"))?,
                    answer: AcceptedEvent {
                        id: stored_id(&id)?,
                        event_type: stored(&event_type, |text| text.parse().ok(), "event type")?,
                        occurred_at: Timestamp::from_millis(occurred_at),
                        deliveries: small_count(deliveries),
                        repeated: true,
                    },
                };
                known.add(&stored_id(&account)?, &id, key.as_deref(), event);
            }
        }
    }
    Ok(known)
}
