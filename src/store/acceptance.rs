//! What becomes of the events that come in, decided before anything is written: stored, known, or in conflict; and for
//! whom. Without SQL, the same for every database.

use std::collections::HashMap;

use super::{
    AcceptedEvent, ClaimedDelivery, ConflictingEvent, DestinationState, HandOff, Lease, NewEvent, StoreError,
    Submission,
    rows::{destination_state, event_types, small_count, stored, stored_id},
};
use crate::domain::{AccountId, DeliveryId, EventType, EventTypes, Timestamp, WebhookId};

/// A webhook of the account, as far as the fan-out needs it.
pub(super) struct Subscriber {
    pub(super) id: WebhookId,
    pub(super) events: EventTypes,
    pub(super) state: DestinationState,
}

/// Events that already stand under an id or an idempotency key, in the database or earlier in this transaction.
#[derive(Default)]
pub(super) struct Known {
    by_id: HashMap<(AccountId, String), KnownEvent>,
    by_key: HashMap<(AccountId, String), KnownEvent>,
}

#[derive(Clone)]
pub(super) struct KnownEvent {
    pub(super) fingerprint: [u8; 32],
    pub(super) answer: AcceptedEvent,
}

impl Known {
    fn find(&self, account: &AccountId, event: &NewEvent) -> Option<&KnownEvent> {
        let by_key = event.idempotency_key.as_ref();
        by_key
            .and_then(|key| self.by_key.get(&(account.clone(), key.clone())))
            .or_else(|| self.by_id.get(&(account.clone(), event.id.as_str().to_owned())))
    }

    pub(super) fn add(&mut self, account: &AccountId, id: &str, key: Option<&str>, event: KnownEvent) {
        if let Some(key) = key {
            self.by_key
                .insert((account.clone(), key.to_owned()), event.clone());
        }
        self.by_id.insert((account.clone(), id.to_owned()), event);
    }
}

/// Rows to insert at the end, all submissions' together.
pub(super) struct NewRows<'a> {
    pub(super) now: Timestamp,
    /// Of all that is handed off,
    lease: Lease,
    /// until then.
    lapses: Timestamp,
    pub(super) events: Vec<EventRow<'a>>,
    pub(super) deliveries: Vec<DeliveryRow<'a>>,
}

pub(super) struct EventRow<'a> {
    pub(super) account: &'a AccountId,
    pub(super) event: &'a NewEvent,
    pub(super) delivery_count: u32,
    pub(super) unsent_reason: Option<&'static str>,
}

pub(super) struct DeliveryRow<'a> {
    pub(super) id: DeliveryId,
    pub(super) account: &'a AccountId,
    pub(super) event: &'a NewEvent,
    pub(super) webhook_id: WebhookId,
    pub(super) status: &'static str,
    pub(super) handed_off: bool,
}

/// Decides over one submission, and adds its rows if it is accepted.
pub(super) fn accept<'a>(
    submission: &'a Submission,
    subscribers: &[Subscriber],
    known: &mut Known,
    rows: &mut NewRows<'a>,
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

impl DeliveryRow<'_> {
    /// When it is due: at once, or once its lease lapses.
    pub(super) fn due(&self, rows: &NewRows<'_>) -> Timestamp {
        if self.handed_off { rows.lapses } else { rows.now }
    }

    pub(super) fn lease<'r>(&self, rows: &'r NewRows<'_>) -> Option<&'r str> {
        self.handed_off.then_some(rows.lease.0.as_str())
    }
}

impl<'a> NewRows<'a> {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            lease: Lease(DeliveryId::generate(now).into()),
            lapses: now,
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
        self.deliveries.push(DeliveryRow {
            id: DeliveryId::generate(self.now),
            account,
            event,
            webhook_id,
            status,
            handed_off: false,
        });
    }

    /// Asks who takes what. To call when nothing can be in conflict any more: whoever wants one has a slot for it.
    pub(super) fn hand_off(&mut self, hand_off: HandOff<'_>) {
        self.lapses = self.now.plus(hand_off.lease);
        for row in self.deliveries.iter_mut().filter(|row| row.status == "pending") {
            row.handed_off = (hand_off.wanted)(&row.webhook_id);
        }
    }

    pub(super) fn claimed(self) -> Vec<ClaimedDelivery> {
        let handed_off = self.deliveries.into_iter().filter(|row| row.handed_off);
        handed_off
            .map(|row| ClaimedDelivery {
                id: row.id,
                webhook_id: row.webhook_id,
                event_id: row.event.id.clone(),
                lease: self.lease.clone(),
                number: 1,
                earlier_attempts: 0,
                payload: row.event.payload.clone(),
            })
            .collect()
    }
}

/// `id, events, state` of webhooks.
pub(super) fn subscribers(rows: Vec<(String, String, String)>) -> Result<Vec<Subscriber>, StoreError> {
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

/// The columns of [`KnownRow`].
pub(super) const KNOWN: &str =
    "account_id, id, idempotency_key, fingerprint, event_type, occurred_at, delivery_count";

pub(super) type KnownRow = (String, String, Option<String>, Vec<u8>, String, i64, i64);

impl Known {
    pub(super) fn add_row(&mut self, row: KnownRow) -> Result<(), StoreError> {
        let (account, id, key, fingerprint, event_type, occurred_at, deliveries) = row;
        let event = KnownEvent {
            fingerprint: fingerprint
                .try_into()
                .map_err(|_| StoreError::Corrupt("fingerprint"))?,
            answer: AcceptedEvent {
                id: stored_id(&id)?,
                event_type: stored(&event_type, "event type")?,
                occurred_at: Timestamp::from_millis(occurred_at),
                deliveries: small_count(deliveries),
                repeated: true,
            },
        };
        self.add(&stored_id(&account)?, &id, key.as_deref(), event);
        Ok(())
    }
}
