//! Decides for each published event whether it is new, repeated or in conflict, and which webhooks get it. Independent
//! of the database.

use std::collections::{BTreeSet, HashMap};

use super::{
    AcceptedEvent, ClaimedDelivery, ConflictingEvent, DestinationState, Lease, Leasing, NewEvent, Submission,
    rows::NEW_STATUS,
};
use crate::domain::{
    AccountId, DeliveryId, DeliveryStatus, EventId, EventType, EventTypes, Timestamp, WebhookId,
};

from_row! {
    /// A webhook of the account that may get the event.
    pub(super) struct Subscriber {
        id: WebhookId,
        events: EventTypes,
        state: DestinationState,
    }
}

/// Events that were accepted before, in the database or earlier in this transaction.
#[derive(Default)]
pub(super) struct ExistingEvents {
    by_id: HashMap<(AccountId, String), ExistingEvent>,
    by_key: HashMap<(AccountId, String), ExistingEvent>,
}

#[derive(Clone)]
struct ExistingEvent {
    fingerprint: [u8; 32],
    accepted: AcceptedEvent,
}

impl ExistingEvents {
    fn find(&self, account: &AccountId, event: &NewEvent) -> Option<&ExistingEvent> {
        let by_key = event.idempotency_key.as_ref();
        by_key
            .and_then(|key| self.by_key.get(&(account.clone(), key.clone())))
            .or_else(|| self.by_id.get(&(account.clone(), event.id.as_str().to_owned())))
    }

    fn add(&mut self, account: &AccountId, id: &str, key: Option<&str>, event: ExistingEvent) {
        if let Some(key) = key {
            self.by_key
                .insert((account.clone(), key.to_owned()), event.clone());
        }
        self.by_id.insert((account.clone(), id.to_owned()), event);
    }
}

/// Rows to insert for all submissions.
pub(super) struct NewRows<'a> {
    pub(super) now: Timestamp,
    leases: LeaseBudget<'a>,
    /// Unused event keys.
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

/// Number of new deliveries that can still be leased.
struct LeaseBudget<'a> {
    leasing: Leasing<'a>,
    lease: Lease,
    expires_at: Timestamp,
    remaining: usize,
    remaining_by_webhook: HashMap<WebhookId, usize>,
}

impl LeaseBudget<'_> {
    /// Returns whether a delivery of the webhook can be leased, and counts it.
    fn take(&mut self, webhook: &WebhookId) -> bool {
        let of_webhook = match self.remaining_by_webhook.get_mut(webhook) {
            Some(remaining) => remaining,
            None => self
                .remaining_by_webhook
                .entry(webhook.clone())
                .or_insert((self.leasing.capacity)(webhook)),
        };
        let has_capacity = self.remaining > 0 && *of_webhook > 0;
        if has_capacity {
            self.remaining -= 1;
            *of_webhook -= 1;
        }
        has_capacity
    }
}

/// Accepts a submission as a whole and adds its rows, or rejects it.
pub(super) fn accept_submission<'a>(
    submission: &'a Submission,
    subscribers: &[Subscriber],
    existing: &mut ExistingEvents,
    rows: &mut NewRows<'a>,
) -> Result<Vec<AcceptedEvent>, ConflictingEvent> {
    let account = &submission.account_id;
    // A submission is accepted as a whole. So check for conflicts, including conflicts within the submission, before
    // adding rows.
    let mut submitted: HashMap<&str, &[u8; 32]> = HashMap::new();
    for (index, event) in submission.events.iter().enumerate() {
        let earlier = existing
            .find(account, event)
            .map(|existing| &existing.fingerprint);
        let duplicate = submitted.insert(event.id.as_str(), &event.fingerprint);
        if earlier
            .or(duplicate)
            .is_some_and(|fingerprint| *fingerprint != event.fingerprint)
        {
            return Err(ConflictingEvent {
                index,
                id: event.id.clone(),
            });
        }
    }

    let mut results = Vec::with_capacity(submission.events.len());
    for event in &submission.events {
        if let Some(first) = existing.find(account, event) {
            results.push(AcceptedEvent {
                repeated: true,
                ..first.accepted.clone()
            });
            continue;
        }
        let key = *rows.keys.next().expect("each event has a key");
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
        let accepted = AcceptedEvent {
            id: event.id.clone(),
            event_type: event.event_type,
            occurred_at: event.occurred_at,
            deliveries,
            repeated: false,
        };
        existing.add(
            account,
            event.id.as_str(),
            event.idempotency_key.as_deref(),
            ExistingEvent {
                fingerprint: event.fingerprint,
                accepted: accepted.clone(),
            },
        );
        results.push(accepted);
    }
    Ok(results)
}

impl DeliveryRow<'_> {
    /// Returns the expiry of its lease, or now if it is not leased.
    pub(super) fn due(&self, rows: &NewRows<'_>) -> Timestamp {
        if self.is_leased {
            rows.leases.expires_at
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
            leases: LeaseBudget {
                lease: Lease::generate(now),
                expires_at: now.plus(leasing.lease),
                remaining: leasing.limit,
                remaining_by_webhook: HashMap::new(),
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
            status: if is_leased { NEW_STATUS } else { status.as_str() },
            is_leased,
        });
    }

    /// Returns the leased deliveries, and the webhooks with due deliveries that are not leased.
    pub(super) fn into_deliveries(self) -> (Vec<ClaimedDelivery>, BTreeSet<WebhookId>) {
        let (lease, mut backlogged) = (self.leases.lease, BTreeSet::new());
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
                backlogged.insert(row.webhook_id);
            }
        }
        (claimed, backlogged)
    }
}

from_row! {
    pub(super) struct ExistingRow {
        account_id: AccountId,
        id: EventId,
        idempotency_key: Option<String>,
        fingerprint: [u8; 32],
        event_type: EventType,
        occurred_at: Timestamp,
        delivery_count: u32,
    }
}

/// Columns of [`ExistingRow`].
pub(super) const EXISTING_COLUMNS: &str =
    "account_id, id, idempotency_key, fingerprint, event_type, occurred_at, delivery_count";

impl ExistingEvents {
    pub(super) fn add_row(&mut self, row: ExistingRow) {
        let event = ExistingEvent {
            fingerprint: row.fingerprint,
            accepted: AcceptedEvent {
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
