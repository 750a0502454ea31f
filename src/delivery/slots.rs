//! How many attempts may be under way, in all and for each webhook.
//!
//! A webhook's share adapts to its receiver: it grows while the receiver keeps up, and halves when it does not. What
//! gets no slot stays a row, so a receiver that hangs delays only itself and costs no memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Wake;
use crate::domain::{FailureReason, Outcome, WebhookId};

/// Attempts under way at once, in all.
const AT_ONCE: usize = 512;

/// What a webhook starts with, before anything is known of its receiver.
const FIRST_SHARE: usize = 32;

/// The most that a receiver gets that keeps up: far more than are under way at once with a fast one, and enough for
/// hundreds a second with a slow one.
const LARGEST_SHARE: usize = 128;

/// A claim's statement names so many webhooks at most: all that are busy, and enough of those that wait.
const NAMED_IN_A_CLAIM: usize = 2 * AT_ONCE;

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
    shares: HashMap<WebhookId, Share>,
}

struct Share {
    taken: usize,
    size: usize,
    /// Until here it grows with every success, beyond only with every round of them.
    cautious_from: usize,
    /// Successes towards the next slot.
    credit: usize,
    /// There may be due rows of it that found no slot: new deliveries wait behind them.
    behind: bool,
}

impl Default for Share {
    fn default() -> Self {
        Self {
            taken: 0,
            size: FIRST_SHARE,
            cautious_from: LARGEST_SHARE,
            credit: 0,
            behind: false,
        }
    }
}

/// What a claim may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub all: usize,
    /// Of a webhook that is not in `webhooks`.
    pub each: usize,
    pub webhooks: Vec<(WebhookId, usize)>,
}

impl Slots {
    /// `wake` is rung when a slot becomes free that something may be waiting for.
    pub fn new(wake: Arc<Wake>) -> Self {
        Self {
            shared: Arc::default(),
            wake,
        }
    }

    /// A slot for a delivery that is new. None if there is none, or if others of its webhook have waited for longer.
    pub fn take_for_new(&self, webhook: &WebhookId) -> Option<Slot> {
        let mut shared = self.lock();
        let all_taken = shared.closed || shared.taken >= AT_ONCE;
        let share = shared.shares.entry(webhook.clone()).or_default();
        if all_taken || share.behind || share.taken >= share.size {
            share.behind = true;
            return None;
        }
        Some(self.take(&mut shared, webhook))
    }

    fn take(&self, shared: &mut Shared, webhook: &WebhookId) -> Slot {
        shared.taken += 1;
        shared.shares.entry(webhook.clone()).or_default().taken += 1;
        Slot {
            slots: self.clone(),
            webhook: webhook.clone(),
        }
    }

    pub fn room(&self) -> Room {
        let shared = self.lock();
        let busy = shared.shares.iter().filter(|(_, share)| share.taken > 0);
        let waiting = shared
            .shares
            .iter()
            .filter(|(_, share)| share.taken == 0 && share.behind);
        Room {
            all: AT_ONCE.saturating_sub(shared.taken),
            each: FIRST_SHARE,
            webhooks: busy
                .chain(waiting)
                .take(NAMED_IN_A_CLAIM)
                .map(|(webhook, share)| (webhook.clone(), share.size.saturating_sub(share.taken)))
                .collect(),
        }
    }

    /// Takes the slots for what was claimed within `room`, in the same order, and learns who is behind: a webhook that
    /// took all it could may have more rows due, and one that did not has none, unless the claim as a whole was cut off.
    pub fn take_for_claimed<'a>(
        &self,
        room: &Room,
        claimed: impl IntoIterator<Item = &'a WebhookId>,
    ) -> Vec<Slot> {
        let mut shared = self.lock();
        let mut counts = HashMap::<_, usize>::new();
        let slots: Vec<_> = claimed
            .into_iter()
            .map(|webhook| {
                *counts.entry(webhook).or_default() += 1;
                self.take(&mut shared, webhook)
            })
            .collect();
        let cut_off = slots.len() >= room.all;
        let shares: HashMap<_, _> = room
            .webhooks
            .iter()
            .map(|(webhook, room)| (webhook, *room))
            .collect();
        for (webhook, count) in &counts {
            if *count >= shares.get(webhook).copied().unwrap_or(room.each)
                && let Some(share) = shared.shares.get_mut(webhook)
            {
                share.behind = true;
            }
        }
        for (webhook, room) in shares {
            if !cut_off
                && counts.get(webhook).copied().unwrap_or_default() < room
                && let Some(share) = shared.shares.get_mut(webhook)
            {
                share.behind = false;
                shared.tidy(webhook);
            }
        }
        slots
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
        let forgettable = |share: &Share| share.taken == 0 && !share.behind && share.size == FIRST_SHARE;
        if self.shares.get(webhook).is_some_and(forgettable) {
            self.shares.remove(webhook);
        }
    }
}

impl Share {
    /// Half as many slots when the receiver is out of its depth; more again while it answers, first quickly, then, near
    /// what was too much, slowly.
    fn learn(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered {
                status: 429 | 503, ..
            }
            | Outcome::Failed(FailureReason::Timeout | FailureReason::Connect) => {
                self.size = (self.size / 2).max(1);
                self.cautious_from = self.size;
                self.credit = 0;
            }
            Outcome::Answered { .. } => {
                self.credit += 1;
                if self.size < self.cautious_from || self.credit >= self.size {
                    self.size = (self.size + 1).min(LARGEST_SHARE);
                    self.credit = 0;
                }
            }
            Outcome::Failed(_) => {}
        }
    }
}

/// The right to have one attempt under way, until it is dropped.
pub struct Slot {
    slots: Slots,
    webhook: WebhookId,
}

impl Slot {
    /// What the attempt tells of its receiver.
    pub fn learn(&self, outcome: Outcome) {
        if let Some(share) = self.slots.lock().shares.get_mut(&self.webhook) {
            share.learn(outcome);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut shared = self.slots.lock();
        let was_full = shared.taken >= AT_ONCE;
        shared.taken -= 1;
        let Some(share) = shared.shares.get_mut(&self.webhook) else {
            return;
        };
        share.taken -= 1;
        let waited_for = was_full || share.behind;
        shared.tidy(&self.webhook);
        drop(shared);
        if waited_for {
            self.slots.wake.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    const OK: Outcome = Outcome::Answered {
        status: 200,
        retry_after: None,
    };
    const TIMEOUT: Outcome = Outcome::Failed(FailureReason::Timeout);

    fn webhook(n: i64) -> WebhookId {
        WebhookId::generate(Timestamp::from_millis(n))
    }

    fn slots() -> Slots {
        Slots::new(Arc::default())
    }

    #[test]
    fn a_webhook_has_its_share_and_leaves_the_others_theirs() {
        let (slots, one, other) = (slots(), webhook(1), webhook(2));
        let taken: Vec<_> = std::iter::from_fn(|| slots.take_for_new(&one)).collect();
        assert_eq!(taken.len(), FIRST_SHARE);
        assert!(slots.take_for_new(&other).is_some());
        let room = slots.room();
        assert_eq!(room.all, AT_ONCE - FIRST_SHARE);
        assert_eq!(room.webhooks, [(one, 0)]);
    }

    #[test]
    fn what_is_new_waits_behind_what_found_no_slot() {
        let (slots, webhook) = (slots(), webhook(1));
        let mut taken: Vec<_> = std::iter::from_fn(|| slots.take_for_new(&webhook)).collect();
        taken.truncate(3);
        assert!(slots.take_for_new(&webhook).is_none());
        // A claim that takes all it may says nothing; one that leaves room says that no row is left.
        let room = slots.room();
        assert_eq!(room.webhooks, [(webhook.clone(), FIRST_SHARE - 3)]);
        let claimed = slots.take_for_claimed(&room, std::iter::repeat_n(&webhook, FIRST_SHARE - 3));
        drop(claimed);
        assert!(slots.take_for_new(&webhook).is_none());
        let claimed = slots.take_for_claimed(&slots.room(), [&webhook]);
        assert_eq!(claimed.len(), 1);
        assert!(slots.take_for_new(&webhook).is_some());
    }

    #[test]
    fn a_claim_that_took_all_it_could_is_followed_by_another_when_a_slot_is_free() {
        let (slots, webhook) = (slots(), webhook(1));
        let mut claimed = slots.take_for_claimed(&slots.room(), std::iter::repeat_n(&webhook, FIRST_SHARE));
        assert!(slots.lock().shares[&webhook].behind);
        let rung = slots.wake.rung();
        tokio::pin!(rung);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(rung.as_mut().poll(&mut context).is_pending());
        // One that had no room for it learns nothing.
        assert!(slots.take_for_claimed(&slots.room(), []).is_empty());
        claimed.pop();
        assert!(rung.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn a_share_grows_with_successes_and_halves_when_the_receiver_does_not_keep_up() {
        let (slots, webhook) = (slots(), webhook(1));
        let slot = slots.take_for_new(&webhook).unwrap();
        let size = || slots.lock().shares[&webhook].size;
        slot.learn(OK);
        assert_eq!(size(), FIRST_SHARE + 1);
        for _ in 0..2 * LARGEST_SHARE {
            slot.learn(OK);
        }
        assert_eq!(size(), LARGEST_SHARE);
        slot.learn(TIMEOUT);
        assert_eq!(size(), LARGEST_SHARE / 2);
        for _ in 0..LARGEST_SHARE / 2 {
            slot.learn(OK);
        }
        assert_eq!(size(), LARGEST_SHARE / 2 + 1);
        for _ in 0..10 {
            slot.learn(Outcome::Answered {
                status: 429,
                retry_after: None,
            });
        }
        assert_eq!(size(), 1);
    }

    #[test]
    fn the_whole_is_bounded_and_nothing_is_kept_of_webhooks_that_rest() {
        let slots = slots();
        let taken: Vec<_> = (0..).map_while(|n| slots.take_for_new(&webhook(n))).collect();
        assert_eq!(taken.len(), AT_ONCE);
        drop(taken);
        // Only the one that was refused is remembered, until a claim finds nothing of it.
        let room = slots.room();
        assert_eq!(room.webhooks.len(), 1);
        assert!(slots.take_for_claimed(&room, []).is_empty());
        assert!(slots.room().webhooks.is_empty());
    }

    #[test]
    fn a_closed_one_hands_out_nothing_new() {
        let slots = slots();
        slots.close();
        assert!(slots.take_for_new(&webhook(1)).is_none());
    }
}
