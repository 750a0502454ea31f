//! What becomes of the events that come in, decided before anything is written: stored, known, or in conflict; and for
//! whom. Without SQL, the same for every database.

use std::collections::{BTreeSet, HashMap};

use super::{
    AcceptedEvent, ClaimedDelivery, ConflictingEvent, DestinationState, Lease, Leasing, NewEvent, Submission,
    rows::NEW,
};
use crate::domain::{
    AccountId, DeliveryId, DeliveryStatus, EventId, EventType, EventTypes, Timestamp, WebhookId,
};

from_row! {
    /// A webhook of the account, as far as the fan-out needs it.
    pub(super) struct Subscriber {
        id: WebhookId,
        events: EventTypes,
        state: DestinationState,
    }
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
    leases: Leases<'a>,
    /// For the events that are new.
    keys: std::slice::Iter<'a, i64>,
    pub(super) events: Vec<EventRow<'a>>,
    pub(super) deliveries: Vec<DeliveryRow<'a>>,
}

pub(super) struct EventRow<'a> {
    pub(super) key: i64,
    pub(super) account: &'a AccountId,
    pub(super) event: &'a NewEvent,
    pub(super) delivery_count: u32,
}

pub(super) struct DeliveryRow<'a> {
    pub(super) id: DeliveryId,
    pub(super) account: &'a AccountId,
    pub(super) event: &'a NewEvent,
    pub(super) event_key: i64,
    pub(super) webhook_id: WebhookId,
    pub(super) status: &'static str,
    pub(super) is_leased: bool,
}

/// How many of each webhook's new deliveries can still be leased.
struct Leases<'a> {
    leasing: Leasing<'a>,
    lease: Lease,
    lapses: Timestamp,
    left: usize,
    room: HashMap<WebhookId, usize>,
}

impl Leases<'_> {
    fn take(&mut self, webhook: &WebhookId) -> bool {
        let room = match self.room.get_mut(webhook) {
            Some(room) => room,
            None => self
                .room
                .entry(webhook.clone())
                .or_insert((self.leasing.room)(webhook)),
        };
        let is_free = self.left > 0 && *room > 0;
        if is_free {
            self.left -= 1;
            *room -= 1;
        }
        is_free
    }
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
        let key = *rows.keys.next().expect("there is a key for each event");
        let mut deliveries = 0;
        for subscriber in subscribers
            .iter()
            .filter(|subscriber| subscriber.events.contains(event.event_type))
        {
            let status = match subscriber.state {
                DestinationState::Active => DeliveryStatus::Pending,
                DestinationState::Paused => DeliveryStatus::Held,
                DestinationState::Disabled => continue,
            };
            rows.add_delivery(account, event, key, subscriber.id.clone(), status);
            deliveries += 1;
        }
        rows.events.push(EventRow {
            key,
            account,
            event,
            delivery_count: deliveries,
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

impl DeliveryRow<'_> {
    /// When it is due: at once, or once its lease lapses.
    pub(super) fn due(&self, rows: &NewRows<'_>) -> Timestamp {
        if self.is_leased {
            rows.leases.lapses
        } else {
            rows.now
        }
    }

    pub(super) fn lease<'r>(&self, rows: &'r NewRows<'_>) -> Option<&'r Lease> {
        self.is_leased.then_some(&rows.leases.lease)
    }
}

impl<'a> NewRows<'a> {
    pub(super) fn new(now: Timestamp, keys: &'a [i64], leasing: Leasing<'a>) -> Self {
        Self {
            now,
            leases: Leases {
                lease: Lease::generate(now),
                lapses: now.plus(leasing.lease),
                left: leasing.limit,
                room: HashMap::new(),
                leasing,
            },
            keys: keys.iter(),
            events: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    fn add_delivery(
        &mut self,
        account: &'a AccountId,
        event: &'a NewEvent,
        event_key: i64,
        webhook_id: WebhookId,
        status: DeliveryStatus,
    ) {
        let is_leased = status == DeliveryStatus::Pending && self.leases.take(&webhook_id);
        self.deliveries.push(DeliveryRow {
            id: DeliveryId::generate(self.now),
            account,
            event,
            event_key,
            webhook_id,
            status: if is_leased { NEW } else { status.as_str() },
            is_leased,
        });
    }

    /// The deliveries that are leased, and the webhooks that have others due.
    pub(super) fn into_deliveries(self) -> (Vec<ClaimedDelivery>, BTreeSet<WebhookId>) {
        let (lease, mut behind) = (self.leases.lease, BTreeSet::new());
        let mut claimed = Vec::with_capacity(self.deliveries.len());
        for row in self.deliveries {
            if row.is_leased {
                claimed.push(ClaimedDelivery {
                    id: row.id,
                    webhook_id: row.webhook_id,
                    event_id: row.event.id.clone(),
                    lease: lease.clone(),
                    number: 1,
                    earlier_attempts: 0,
                    payload: row.event.payload.clone(),
                });
            } else if row.status == DeliveryStatus::Pending.as_str() {
                behind.insert(row.webhook_id);
            }
        }
        (claimed, behind)
    }
}

from_row! {
    pub(super) struct KnownRow {
        account_id: AccountId,
        id: EventId,
        idempotency_key: Option<String>,
        fingerprint: [u8; 32],
        event_type: EventType,
        occurred_at: Timestamp,
        delivery_count: u32,
    }
}

/// The columns of [`KnownRow`].
pub(super) const KNOWN: &str =
    "account_id, id, idempotency_key, fingerprint, event_type, occurred_at, delivery_count";

impl Known {
    pub(super) fn add_row(&mut self, row: KnownRow) {
        let event = KnownEvent {
            fingerprint: row.fingerprint,
            answer: AcceptedEvent {
                id: row.id.clone(),
                event_type: row.event_type,
                occurred_at: row.occurred_at,
                deliveries: row.delivery_count,
                repeated: true,
            },
        };
        self.add(
            &row.account_id,
            row.id.as_str(),
            row.idempotency_key.as_deref(),
            event,
        );
    }
}
