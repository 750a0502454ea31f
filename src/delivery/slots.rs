//! How many attempts may be under way, in all and for each webhook.
//!
//! A webhook's [`Share`] adapts to its receiver: it grows while the receiver keeps up, and shrinks when it does not. What
//! gets no slot stays a row, so a receiver that hangs delays only itself and costs no memory.

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

/// Attempts under way at once, in all.
const AT_ONCE: usize = 512;

/// Hands out slots. Cheap to clone; the clones share them.
#[derive(Clone)]
pub struct Slots {
    shared: Arc<Mutex<Shared>>,
    wake: Arc<Wake>,
}

#[derive(Default)]
struct Shared {
    taken: usize,
    closed: bool,
    /// Webhooks that differ from one of which nothing is known.
    webhooks: BTreeMap<WebhookId, Usage>,
}

/// What one webhook uses of its share.
#[derive(Default)]
struct Usage {
    taken: usize,
    share: Share,
    /// There may be due rows of it that found no slot: new deliveries wait behind them.
    behind: bool,
}

impl Slots {
    /// `wake` is rung when a slot becomes free that something may be waiting for.
    pub fn new(wake: Arc<Wake>) -> Self {
        Self {
            shared: Arc::default(),
            wake,
        }
    }

    /// How many new deliveries of this webhook may be leased by the insert that stores them. None, if others of it have
    /// waited for longer.
    pub fn room_for_new(&self, webhook: &WebhookId) -> usize {
        let shared = self.lock();
        match shared.webhooks.get(webhook) {
            _ if shared.closed => 0,
            Some(usage) if usage.behind => 0,
            Some(usage) => usage.room(),
            None => Usage::default().room(),
        }
    }

    /// Takes the slots for new deliveries that are leased, in the same order. New ones of the webhooks that are `behind`
    /// wait from now on until a claim has found nothing more of theirs.
    ///
    /// A claim at the same moment may have taken the same slots: then more attempts are under way than there are slots,
    /// twice as many at most, until some of them end.
    pub fn take_for_stored(&self, leased: &[ClaimedDelivery], behind: &BTreeSet<WebhookId>) -> Vec<Slot> {
        let mut shared = self.lock();
        for webhook in behind {
            shared.webhooks.entry(webhook.clone()).or_default().behind = true;
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

    /// How many slots are free in all.
    pub fn free(&self) -> usize {
        AT_ONCE.saturating_sub(self.lock().taken)
    }

    /// How many attempts are under way.
    pub fn taken(&self) -> usize {
        self.lock().taken
    }

    /// How many more this webhook may take.
    pub fn room(&self, webhook: &WebhookId) -> usize {
        let shared = self.lock();
        let usage = shared.webhooks.get(webhook);
        usage.map_or_else(|| Usage::default().room(), Usage::room)
    }

    /// Takes the slots for what was claimed, in the same order, and learns who is behind: of those whose turn it was,
    /// `after` that one, those that may have more due.
    pub fn take_for_claimed(&self, after: Option<&WebhookId>, claimed: &Claimed) -> Vec<Slot> {
        let mut shared = self.lock();
        let taken = claimed.deliveries.iter();
        let slots = taken
            .map(|delivery| self.take(&mut shared, &delivery.webhook_id))
            .collect();
        let had_their_turn = (
            after.map_or(Bound::Unbounded, Bound::Excluded),
            claimed.until.as_ref().map_or(Bound::Unbounded, Bound::Included),
        );
        for (webhook, usage) in shared.webhooks.range_mut::<WebhookId, _>(had_their_turn) {
            usage.behind = claimed.unfinished.contains(webhook);
        }
        shared.webhooks.retain(|_, usage| !usage.is_forgettable());
        slots
    }

    /// Begins anew with a receiver that was left alone for a while: with one attempt, and more only as it succeeds.
    pub fn probe(&self, webhook: &WebhookId) {
        let mut shared = self.lock();
        shared.webhooks.entry(webhook.clone()).or_default().share = Share::probe();
    }

    /// To call when a webhook is deleted.
    pub fn forget(&self, webhook: &WebhookId) {
        self.lock().webhooks.remove(webhook);
    }

    /// Hands out no more slots for new deliveries.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing in the critical sections can panic half-way through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Forgets a webhook that is again as one of which nothing is known.
    fn tidy(&mut self, webhook: &WebhookId) {
        if self.webhooks.get(webhook).is_some_and(Usage::is_forgettable) {
            self.webhooks.remove(webhook);
        }
    }
}

impl Usage {
    fn room(&self) -> usize {
        self.share.size().saturating_sub(self.taken)
    }

    /// Whether it is as if nothing were known.
    fn is_forgettable(&self) -> bool {
        self.taken == 0 && !self.behind && self.share == Share::default()
    }
}

/// The right to have one attempt under way, until it is dropped.
pub struct Slot {
    slots: Slots,
    webhook: WebhookId,
}

impl Slot {
    /// Adjusts the webhook's share to the outcome of the attempt.
    pub fn learn(&self, outcome: Outcome) {
        if let Some(usage) = self.slots.lock().webhooks.get_mut(&self.webhook) {
            usage.share.learn(outcome);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut shared = self.slots.lock();
        let was_full = shared.taken >= AT_ONCE;
        shared.taken -= 1;
        let Some(usage) = shared.webhooks.get_mut(&self.webhook) else {
            return;
        };
        usage.taken -= 1;
        let waited_for = was_full || usage.behind;
        shared.tidy(&self.webhook);
        drop(shared);
        if waited_for {
            self.slots.wake.ring();
        }
    }
}

#[cfg(test)]
mod tests {
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
    const FIRST_SHARE: usize = share::INITIAL as usize;
    const LARGEST_SHARE: usize = share::MAX as usize;
    const TIMEOUT: Outcome = Outcome::Failed(FailureReason::Timeout);

    fn webhook(n: i64) -> WebhookId {
        WebhookId::generate(Timestamp::from_millis(n))
    }

    fn slots() -> Slots {
        Slots::new(Arc::default())
    }

    /// What happens to one new delivery.
    fn take_for_new(slots: &Slots, webhook: &WebhookId) -> Option<Slot> {
        if slots.free() > 0 && slots.room_for_new(webhook) > 0 {
            slots
                .take_for_stored(&claimed(webhook, 1, false).deliveries, &BTreeSet::new())
                .pop()
        } else {
            slots.take_for_stored(&[], &BTreeSet::from([webhook.clone()]));
            None
        }
    }

    /// So many of one webhook, the only one whose turn it was.
    fn claimed(webhook: &WebhookId, count: usize, unfinished: bool) -> Claimed {
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
            unfinished: unfinished.then(|| webhook.clone()).into_iter().collect(),
            until: None,
        }
    }

    #[test]
    fn a_webhook_has_its_share_and_leaves_the_others_theirs() {
        let (slots, one, other) = (slots(), webhook(1), webhook(2));
        let taken: Vec<_> = std::iter::from_fn(|| take_for_new(&slots, &one)).collect();
        assert_eq!(taken.len(), FIRST_SHARE);
        assert!(take_for_new(&slots, &other).is_some());
        assert_eq!(slots.free(), AT_ONCE - FIRST_SHARE);
        assert_eq!((slots.room(&one), slots.room(&other)), (0, FIRST_SHARE));
    }

    #[test]
    fn what_is_new_waits_behind_what_found_no_slot() {
        let (slots, webhook) = (slots(), webhook(1));
        let mut taken: Vec<_> = std::iter::from_fn(|| take_for_new(&slots, &webhook)).collect();
        taken.truncate(3);
        assert!(take_for_new(&slots, &webhook).is_none());
        // A claim that takes all it may says nothing; one that leaves room says that no row is left.
        drop(slots.take_for_claimed(None, &claimed(&webhook, 3, true)));
        assert!(take_for_new(&slots, &webhook).is_none());
        assert_eq!(
            slots.take_for_claimed(None, &claimed(&webhook, 1, false)).len(),
            1
        );
        assert!(take_for_new(&slots, &webhook).is_some());
    }

    #[test]
    fn only_a_claim_in_which_it_had_its_turn_says_that_a_webhook_is_not_behind() {
        let (slots, ids) = (slots(), [webhook(1), webhook(2), webhook(3)]);
        let mut taken = Vec::new();
        for id in &ids {
            taken.extend(std::iter::from_fn(|| take_for_new(&slots, id)));
        }
        let behind = || ids.each_ref().map(|id| slots.lock().webhooks[id].behind);
        assert_eq!(behind(), [true; 3]);
        let nothing = |until: Option<&WebhookId>| Claimed {
            until: until.cloned(),
            ..claimed(&ids[0], 0, false)
        };
        slots.take_for_claimed(Some(&ids[0]), &nothing(Some(&ids[1])));
        assert_eq!(behind(), [true, false, true]);
        slots.take_for_claimed(Some(&ids[1]), &nothing(None));
        assert_eq!(behind(), [true, false, false]);
        slots.take_for_claimed(None, &nothing(Some(&ids[0])));
        assert_eq!(behind(), [false; 3]);
    }

    #[test]
    fn a_claim_that_took_all_it_could_is_followed_by_another_when_a_slot_is_free() {
        let (slots, webhook) = (slots(), webhook(1));
        let mut taken = slots.take_for_claimed(None, &claimed(&webhook, FIRST_SHARE, true));
        assert!(slots.lock().webhooks[&webhook].behind);
        let rung = slots.wake.rung();
        tokio::pin!(rung);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(rung.as_mut().poll(&mut context).is_pending());
        taken.pop();
        assert!(rung.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn a_receiver_that_was_left_alone_is_tried_with_one_attempt_and_gets_more_as_it_succeeds() {
        let (slots, webhook) = (slots(), webhook(1));
        slots.probe(&webhook);
        let slot = take_for_new(&slots, &webhook).unwrap();
        assert!(take_for_new(&slots, &webhook).is_none());
        slot.learn(TIMEOUT);
        assert_eq!(slots.room(&webhook), 0);
        slot.learn(OK);
        assert_eq!(slots.room(&webhook), 1);
    }

    #[test]
    fn outcomes_change_the_number_of_slots() {
        let (slots, webhook) = (slots(), webhook(1));
        let slot = take_for_new(&slots, &webhook).unwrap();
        let size = || slots.lock().webhooks[&webhook].share.size();
        slot.learn(OK);
        assert_eq!(size(), FIRST_SHARE + 1);
        for _ in 0..2 * LARGEST_SHARE {
            slot.learn(OK);
        }
        assert_eq!(size(), LARGEST_SHARE);
        for _ in 0..4 {
            slot.learn(TIMEOUT);
        }
        assert_eq!(size(), LARGEST_SHARE / 2);
        for _ in 0..10 {
            slot.learn(Outcome::Answered {
                status: 429,
                retry_after: None,
            });
        }
        assert_eq!(size(), 1);
    }

    #[test]
    fn a_share_about_which_nothing_is_known_is_forgotten() {
        let (slots, webhook) = (slots(), webhook(1));
        drop(take_for_new(&slots, &webhook));
        assert!(slots.lock().webhooks.is_empty());
        take_for_new(&slots, &webhook).unwrap().learn(TIMEOUT);
        assert_eq!(slots.lock().webhooks.len(), 1);
        slots.forget(&webhook);
        assert!(slots.lock().webhooks.is_empty());
    }

    #[test]
    fn the_whole_is_bounded_and_nothing_is_kept_of_webhooks_that_rest() {
        let slots = slots();
        let taken: Vec<_> = (0..).map_while(|n| take_for_new(&slots, &webhook(n))).collect();
        assert_eq!(taken.len(), AT_ONCE);
        drop(taken);
        // Only the one that was refused is remembered, until a claim finds nothing of it.
        assert_eq!(slots.lock().webhooks.len(), 1);
        slots.take_for_claimed(None, &claimed(&webhook(0), 0, false));
        assert!(slots.lock().webhooks.is_empty());
    }

    #[test]
    fn a_closed_one_hands_out_nothing_new() {
        let slots = slots();
        slots.close();
        assert!(take_for_new(&slots, &webhook(1)).is_none());
    }
}
