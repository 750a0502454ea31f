//! Limits the attempts in flight, in total and for each webhook.
//!
//! A webhook's [`Share`] adapts to its receiver: it grows while the receiver keeps up, and shrinks otherwise. A
//! delivery without a slot stays in the database, so a receiver that hangs delays only its own deliveries and uses no
//! memory.

#[cfg(test)]
mod model;
mod share;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use share::Share;

use super::Wake;
use crate::{
    domain::{Outcome, WebhookId},
    store::{Claimed, ClaimedDelivery},
};

/// Maximum number of attempts in flight, in total.
const MAX_IN_FLIGHT: usize = 512;

/// Pool of slots. Cheap to clone. Clones share their slots.
#[derive(Clone)]
pub struct Slots {
    shared: Arc<Mutex<Shared>>,
    wake: Arc<Wake>,
}

#[derive(Default)]
struct Shared {
    taken: usize,
    closed: bool,
    /// Usage of webhooks. A webhook without an entry has the default usage.
    webhooks: BTreeMap<WebhookId, Usage>,
}

/// Usage of one webhook.
#[derive(Default)]
struct Usage {
    taken: usize,
    share: Share,
    /// Whether due deliveries may be waiting for a slot. New deliveries queue behind them.
    has_backlog: bool,
}

impl Slots {
    /// Creates the pool. `wake` is notified when a slot becomes free that a delivery may be waiting for.
    pub fn new(wake: Arc<Wake>) -> Self {
        Self {
            shared: Arc::default(),
            wake,
        }
    }

    /// Returns the number of new deliveries of this webhook that may be leased when they are stored. It is 0 if older
    /// deliveries of the webhook are waiting.
    pub fn capacity_for_new(&self, webhook: &WebhookId) -> usize {
        let shared = self.lock();
        match shared.webhooks.get(webhook) {
            _ if shared.closed => 0,
            Some(usage) if usage.has_backlog => 0,
            Some(usage) => usage.capacity(),
            None => Usage::default().capacity(),
        }
    }

    /// Takes slots for new deliveries that are leased, in the same order. Later deliveries of the `backlogged` webhooks
    /// wait until a claim has found all of their due deliveries.
    ///
    /// A concurrent claim may have counted on the same slots. Then more attempts are in flight than there are slots, up
    /// to twice as many, until some of them end.
    pub fn take_for_stored(&self, leased: &[ClaimedDelivery], backlogged: &BTreeSet<WebhookId>) -> Vec<Slot> {
        let mut shared = self.lock();
        for webhook in backlogged {
            shared.webhooks.entry(webhook.clone()).or_default().has_backlog = true;
        }
        let leased = leased.iter();
        leased
            .map(|delivery| self.take(&mut shared, &delivery.webhook_id))
            .collect()
    }

    fn take(&self, shared: &mut Shared, webhook: &WebhookId) -> Slot {
        shared.taken += 1;
        shared.webhooks.entry(webhook.clone()).or_default().taken += 1;
        Slot {
            slots: self.clone(),
            webhook: webhook.clone(),
        }
    }

    /// Returns the number of free slots in total.
    pub fn free(&self) -> usize {
        MAX_IN_FLIGHT.saturating_sub(self.lock().taken)
    }

    /// Returns the number of attempts in flight.
    pub fn in_flight(&self) -> usize {
        self.lock().taken
    }

    /// Returns the number of free slots of a webhook.
    pub fn capacity(&self, webhook: &WebhookId) -> usize {
        let shared = self.lock();
        let usage = shared.webhooks.get(webhook);
        usage.map_or_else(|| Usage::default().capacity(), Usage::capacity)
    }

    /// Takes slots for claimed deliveries, in the same order, and updates which webhooks have a backlog: those that
    /// were checked by the claim, which started after `after`, and may have more due deliveries.
    pub fn take_for_claimed(&self, after: Option<&WebhookId>, claimed: &Claimed) -> Vec<Slot> {
        let mut shared = self.lock();
        let deliveries = claimed.deliveries.iter();
        let slots = deliveries
            .map(|delivery| self.take(&mut shared, &delivery.webhook_id))
            .collect();
        let checked = (
            after.map_or(Bound::Unbounded, Bound::Excluded),
            claimed
                .last_webhook
                .as_ref()
                .map_or(Bound::Unbounded, Bound::Included),
        );
        for (webhook, usage) in shared.webhooks.range_mut::<WebhookId, _>(checked) {
            usage.has_backlog = claimed.backlogged.contains(webhook);
        }
        shared.webhooks.retain(|_, usage| !usage.is_default());
        slots
    }

    /// Resets the share of a webhook that received no calls for a while to one attempt. It grows with each success.
    pub fn slow_start(&self, webhook: &WebhookId) {
        let mut shared = self.lock();
        shared.webhooks.entry(webhook.clone()).or_default().share = Share::slow_start();
    }

    /// Removes a deleted webhook.
    pub fn remove(&self, webhook: &WebhookId) {
        self.lock().webhooks.remove(webhook);
    }

    /// Stops handing out slots for new deliveries.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // No critical section can panic in the middle of a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Removes the entry of a webhook with the default usage.
    fn remove_if_default(&mut self, webhook: &WebhookId) {
        if self.webhooks.get(webhook).is_some_and(Usage::is_default) {
            self.webhooks.remove(webhook);
        }
    }
}

impl Usage {
    /// Returns the number of free slots.
    fn capacity(&self) -> usize {
        self.share.size().saturating_sub(self.taken)
    }

    fn is_default(&self) -> bool {
        self.taken == 0 && !self.has_backlog && self.share == Share::default()
    }
}

/// Permission to have one attempt in flight. Dropping it frees the slot.
pub struct Slot {
    slots: Slots,
    webhook: WebhookId,
}

impl Slot {
    /// Adjusts the webhook's share to the outcome of the attempt.
    pub fn adjust(&self, outcome: Outcome) {
        if let Some(usage) = self.slots.lock().webhooks.get_mut(&self.webhook) {
            usage.share.adjust(outcome);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut shared = self.slots.lock();
        let was_full = shared.taken >= MAX_IN_FLIGHT;
        shared.taken -= 1;
        let Some(usage) = shared.webhooks.get_mut(&self.webhook) else {
            return;
        };
        usage.taken -= 1;
        let may_be_awaited = was_full || usage.has_backlog;
        shared.remove_if_default(&self.webhook);
        drop(shared);
        if may_be_awaited {
            self.slots.wake.notify();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use bytes::Bytes;

    use super::*;
    use crate::{
        domain::{DeliveryId, EventId, FailureReason, Timestamp},
        store::{ClaimedDelivery, Lease},
    };

    const OK: Outcome = Outcome::Answered {
        status: 200,
        retry_after: None,
    };
    const INITIAL_SHARE: usize = share::INITIAL as usize;
    const MAX_SHARE: usize = share::MAX as usize;
    const TIMEOUT: Outcome = Outcome::Failed(FailureReason::Timeout);

    fn webhook(n: i64) -> WebhookId {
        WebhookId::generate(Timestamp::from_millis(n))
    }

    fn slots() -> Slots {
        Slots::new(Arc::default())
    }

    /// Takes a slot as the intake does for one new delivery.
    fn take_for_new(slots: &Slots, webhook: &WebhookId) -> Option<Slot> {
        if slots.free() > 0 && slots.capacity_for_new(webhook) > 0 {
            slots
                .take_for_stored(&claimed(webhook, 1, false).deliveries, &BTreeSet::new())
                .pop()
        } else {
            slots.take_for_stored(&[], &BTreeSet::from([webhook.clone()]));
            None
        }
    }

    /// Returns a claim of `count` deliveries of one webhook that has checked all webhooks.
    fn claimed(webhook: &WebhookId, count: usize, has_backlog: bool) -> Claimed {
        let delivery = |_| ClaimedDelivery {
            id: DeliveryId::generate(Timestamp::from_millis(0)),
            webhook_id: webhook.clone(),
            event_id: EventId::generate(Timestamp::from_millis(0)),
            lease: Lease::generate(Timestamp::from_millis(0)),
            number: 1,
            earlier_attempts: 0,
            payload: Bytes::new(),
        };
        Claimed {
            deliveries: (0..count).map(delivery).collect(),
            paced: HashSet::new(),
            backlogged: has_backlog.then(|| webhook.clone()).into_iter().collect(),
            last_webhook: None,
        }
    }

    #[test]
    fn webhook_is_limited_to_its_share() {
        let (slots, one, other) = (slots(), webhook(1), webhook(2));
        let taken: Vec<_> = std::iter::from_fn(|| take_for_new(&slots, &one)).collect();
        assert_eq!(taken.len(), INITIAL_SHARE);
        assert!(take_for_new(&slots, &other).is_some());
        assert_eq!(slots.free(), MAX_IN_FLIGHT - INITIAL_SHARE);
        assert_eq!((slots.capacity(&one), slots.capacity(&other)), (0, INITIAL_SHARE));
    }

    #[test]
    fn new_deliveries_wait_behind_the_backlog() {
        let (slots, webhook) = (slots(), webhook(1));
        let mut taken: Vec<_> = std::iter::from_fn(|| take_for_new(&slots, &webhook)).collect();
        taken.truncate(3);
        assert!(take_for_new(&slots, &webhook).is_none());
        // A claim that uses all free slots may leave due deliveries. A claim that leaves a slot free does not.
        drop(slots.take_for_claimed(None, &claimed(&webhook, 3, true)));
        assert!(take_for_new(&slots, &webhook).is_none());
        assert_eq!(
            slots.take_for_claimed(None, &claimed(&webhook, 1, false)).len(),
            1
        );
        assert!(take_for_new(&slots, &webhook).is_some());
    }

    #[test]
    fn only_a_claim_that_checks_a_webhook_clears_its_backlog() {
        let (slots, ids) = (slots(), [webhook(1), webhook(2), webhook(3)]);
        let mut taken = Vec::new();
        for id in &ids {
            taken.extend(std::iter::from_fn(|| take_for_new(&slots, id)));
        }
        let backlogs = || ids.each_ref().map(|id| slots.lock().webhooks[id].has_backlog);
        assert_eq!(backlogs(), [true; 3]);
        let empty_claim = |until: Option<&WebhookId>| Claimed {
            last_webhook: until.cloned(),
            ..claimed(&ids[0], 0, false)
        };
        slots.take_for_claimed(Some(&ids[0]), &empty_claim(Some(&ids[1])));
        assert_eq!(backlogs(), [true, false, true]);
        slots.take_for_claimed(Some(&ids[1]), &empty_claim(None));
        assert_eq!(backlogs(), [true, false, false]);
        slots.take_for_claimed(None, &empty_claim(Some(&ids[0])));
        assert_eq!(backlogs(), [false; 3]);
    }

    #[test]
    fn freed_slot_of_a_backlogged_webhook_wakes_the_scheduler() {
        let (slots, webhook) = (slots(), webhook(1));
        let mut taken = slots.take_for_claimed(None, &claimed(&webhook, INITIAL_SHARE, true));
        assert!(slots.lock().webhooks[&webhook].has_backlog);
        let notified = slots.wake.notified();
        tokio::pin!(notified);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(notified.as_mut().poll(&mut context).is_pending());
        taken.pop();
        assert!(notified.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn slow_start_allows_one_attempt_and_grows_with_success() {
        let (slots, webhook) = (slots(), webhook(1));
        slots.slow_start(&webhook);
        let slot = take_for_new(&slots, &webhook).unwrap();
        assert!(take_for_new(&slots, &webhook).is_none());
        slot.adjust(TIMEOUT);
        assert_eq!(slots.capacity(&webhook), 0);
        slot.adjust(OK);
        assert_eq!(slots.capacity(&webhook), 1);
    }

    #[test]
    fn outcomes_adjust_the_number_of_slots() {
        let (slots, webhook) = (slots(), webhook(1));
        let slot = take_for_new(&slots, &webhook).unwrap();
        let size = || slots.lock().webhooks[&webhook].share.size();
        slot.adjust(OK);
        assert_eq!(size(), INITIAL_SHARE + 1);
        for _ in 0..2 * MAX_SHARE {
            slot.adjust(OK);
        }
        assert_eq!(size(), MAX_SHARE);
        for _ in 0..4 {
            slot.adjust(TIMEOUT);
        }
        assert_eq!(size(), MAX_SHARE / 2);
        for _ in 0..10 {
            slot.adjust(Outcome::Answered {
                status: 429,
                retry_after: None,
            });
        }
        assert_eq!(size(), 1);
    }

    #[test]
    fn default_shares_are_not_stored() {
        let (slots, webhook) = (slots(), webhook(1));
        drop(take_for_new(&slots, &webhook));
        assert!(slots.lock().webhooks.is_empty());
        take_for_new(&slots, &webhook).unwrap().adjust(TIMEOUT);
        assert_eq!(slots.lock().webhooks.len(), 1);
        slots.remove(&webhook);
        assert!(slots.lock().webhooks.is_empty());
    }

    #[test]
    fn total_is_limited_and_idle_webhooks_are_removed() {
        let slots = slots();
        let taken: Vec<_> = (0..).map_while(|n| take_for_new(&slots, &webhook(n))).collect();
        assert_eq!(taken.len(), MAX_IN_FLIGHT);
        drop(taken);
        // Only the webhook that got no slot has an entry, until a claim finds no delivery of it.
        assert_eq!(slots.lock().webhooks.len(), 1);
        slots.take_for_claimed(None, &claimed(&webhook(0), 0, false));
        assert!(slots.lock().webhooks.is_empty());
    }

    #[test]
    fn closed_pool_hands_out_no_slots() {
        let slots = slots();
        slots.close();
        assert!(take_for_new(&slots, &webhook(1)).is_none());
    }
}
