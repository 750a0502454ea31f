//! Decides for each published event whether it is new, repeated or in conflict, and which webhooks get it. Independent
//! of the database.
//!
//! The number of deliveries in a commit is bounded, because the other publishers wait for it: a thousand events for a
//! thousand webhooks are a million deliveries. Events beyond the bound are stored without deliveries, and fanned out in
//! steps.

use std::collections::{BTreeSet, HashMap};

use super::{
    AcceptedEvent, ClaimedDelivery, ConflictingEvent, DestinationState, Evaluation, Lease, Leasing, NewEvent,
    Submission, rows::NEW_STATUS, sql::NewDelivery,
};
use crate::domain::{
    AccountId, DeliveryId, DeliveryStatus, EventId, EventType, EventTypes, Timestamp, WebhookId,
};

/// Maximum number of deliveries that are stored in the transaction of their events. Storing them took 0.1 to 0.3 s.
const MAX_DELIVERIES: usize = 4_096;

from_row! {
    /// A webhook of the account that may get the event.
    pub(super) struct Subscriber {
        id: WebhookId,
        events: EventTypes,
        state: DestinationState,
        /// Version of the webhook if it has a filter.
        filter_version: Option<i64>,
        /// Whether the webhook has a rate limit. Its deliveries are only claimed, at the pace of the limit.
        is_limited: bool,
    }
}

/// Returns the accounts that have other filters than those that were evaluated.
pub(super) fn accounts_with_other_filters(
    subscribers: &HashMap<&AccountId, Vec<Subscriber>>,
    evaluation: &Evaluation,
) -> Vec<AccountId> {
    let has_other_filters = |subscribers: &[Subscriber], account: &AccountId| {
        let filters = subscribers
            .iter()
            .filter_map(|subscriber| Some((&subscriber.id, subscriber.filter_version?)));
        !evaluation.is_current(account, filters)
    };
    let accounts = subscribers.iter();
    let accounts = accounts.filter(|(account, subscribers)| has_other_filters(subscribers, account));
    accounts.map(|(account, _)| (*account).clone()).collect()
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
    evaluation: &'a Evaluation,
    leases: LeaseBudget<'a>,
    /// Unused event keys.
    keys: std::slice::Iter<'a, i64>,
    pub(super) events: Vec<EventRow<'a>>,
    /// Filled by [`NewRows::fan_out`].
    deliveries: Vec<DeliveryRow<'a>>,
    /// Account and key of the events that are fanned out later.
    pub(super) fan_outs: Vec<(&'a AccountId, i64)>,
}

pub(super) struct EventRow<'a> {
    pub(super) key: i64,
    pub(super) account: &'a AccountId,
    pub(super) event: &'a NewEvent,
    pub(super) delivery_count: u32,
}

pub(super) struct DeliveryRow<'a> {
    id: DeliveryId,
    account: &'a AccountId,
    event: &'a NewEvent,
    event_key: i64,
    webhook_id: WebhookId,
    status: &'static str,
    is_leased: bool,
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
        let duplicate = submitted.insert(event.id.as_str(), &event.fingerprint);
        let earlier = match existing.find(account, event) {
            Some(existing) => Some((&existing.fingerprint, &existing.accepted.id)),
            None => duplicate.map(|fingerprint| (fingerprint, &event.id)),
        };
        if let Some((fingerprint, id)) = earlier
            && *fingerprint != event.fingerprint
        {
            return Err(ConflictingEvent {
                index,
                id: id.clone(),
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
        let deliveries = recipients(subscribers, rows.evaluation, account, event).count();
        let deliveries = u32::try_from(deliveries).unwrap_or(u32::MAX);
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

/// Returns the webhooks that get an event, and the status of their deliveries.
fn recipients<'a>(
    subscribers: &'a [Subscriber],
    evaluation: &'a Evaluation,
    account: &'a AccountId,
    event: &'a NewEvent,
) -> impl Iterator<Item = (&'a Subscriber, DeliveryStatus)> {
    subscribers.iter().filter_map(move |subscriber| {
        let status = match subscriber.state {
            DestinationState::Active => DeliveryStatus::Pending,
            DestinationState::Paused => DeliveryStatus::Held,
            DestinationState::Disabled => return None,
        };
        let is_recipient = subscriber.events.contains(event.event_type)
            && !(subscriber.filter_version.is_some() && evaluation.excludes(account, &subscriber.id, event));
        is_recipient.then_some((subscriber, status))
    })
}

impl<'a> NewRows<'a> {
    pub(super) fn new(
        now: Timestamp,
        keys: &'a [i64],
        evaluation: &'a Evaluation,
        leasing: Leasing<'a>,
    ) -> Self {
        Self {
            now,
            evaluation,
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
            fan_outs: Vec::new(),
        }
    }

    /// Adds the deliveries of the events. Events with few deliveries come first, so that they do not wait behind others
    /// that exceed the bound.
    pub(super) fn fan_out(&mut self, subscribers: &HashMap<&AccountId, Vec<Subscriber>>) {
        let mut events: Vec<_> = self
            .events
            .iter()
            .map(|row| (row.delivery_count, row.key, row.account, row.event))
            .collect();
        events.sort_by_key(|(count, ..)| *count);
        for (count, key, account, event) in events {
            if self.deliveries.len() + count as usize > MAX_DELIVERIES {
                self.fan_outs.push((account, key));
                continue;
            }
            let evaluation = self.evaluation;
            for (subscriber, status) in recipients(&subscribers[account], evaluation, account, event) {
                self.add_delivery(account, event, key, subscriber, status);
            }
        }
    }

    fn add_delivery(
        &mut self,
        account: &'a AccountId,
        event: &'a NewEvent,
        event_key: i64,
        subscriber: &Subscriber,
        status: DeliveryStatus,
    ) {
        let is_leased =
            status == DeliveryStatus::Pending && !subscriber.is_limited && self.leases.take(&subscriber.id);
        self.deliveries.push(DeliveryRow {
            id: DeliveryId::generate(self.now),
            account,
            event,
            event_key,
            webhook_id: subscriber.id.clone(),
            status: if is_leased { NEW_STATUS } else { status.as_str() },
            is_leased,
        });
    }

    pub(super) fn new_deliveries(&self) -> impl Iterator<Item = NewDelivery<'_>> {
        self.deliveries.iter().map(|row| NewDelivery {
            id: row.id.clone(),
            account_id: row.account,
            webhook_id: &row.webhook_id,
            event_key: row.event_key,
            event_type: row.event.event_type,
            status: row.status,
            next_attempt_at: if row.is_leased {
                self.leases.expires_at
            } else {
                self.now
            },
            lease: row.is_leased.then_some(&self.leases.lease),
            created_at: self.now,
        })
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
