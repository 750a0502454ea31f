//! Claims due deliveries, webhook by webhook in turn, as long as there are free slots.
//!
//! New deliveries do not pass here while there are slots: the intake leases and dispatches them. The scheduler handles
//! retries, backlogs and the deliveries of dead processes.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Wake, attempt_runner::AttemptRunner, fence::Fence, slots::Slots};
use crate::{
    domain::{Clock, WebhookId},
    store::{Claim, Store, StoreError},
};

/// How long the scheduler sleeps at most: the safety net under [`Wake`], and how soon a lapsed lease is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// Between two claims: meanwhile slots become free, so that a claim is for many.
const GATHER: Duration = Duration::from_millis(5);

/// What came of a claim.
struct Turn {
    found: bool,
    /// Whose turn it was last; `None` if the next claim begins with the first.
    until: Option<WebhookId>,
}

pub(super) struct Scheduler {
    pub store: Arc<Store>,
    pub attempt_runner: AttemptRunner,
    pub slots: Slots,
    pub clock: Arc<dyn Clock>,
    pub wake: Arc<Wake>,
    pub lease: Duration,
    pub fence: Fence,
}

impl Scheduler {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut last_turn = None;
        // Whether anything was due since the first webhook had its turn: then there may be more.
        let mut found = false;
        while !stop.is_cancelled() {
            let next_claim = Instant::now() + GATHER;
            let at_once = match self.claim(last_turn.clone()).await {
                Ok(Some(turn)) => {
                    found |= turn.found;
                    last_turn = turn.until;
                    last_turn.is_some() || std::mem::take(&mut found)
                }
                Ok(None) => false,
                Err(error) => {
                    tracing::error!(%error, "failed to claim deliveries");
                    false
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wait(at_once) => tokio::time::sleep_until(next_claim).await,
            }
        }
    }

    async fn wait(&self, at_once: bool) {
        if !at_once {
            tokio::select! {
                () = self.wake.rung() => {}
                () = tokio::time::sleep(self.sleep().await) => {}
            }
        }
    }

    /// Dispatches what is due of the webhooks that are next; `None` if nothing more can be sent at this moment.
    async fn claim(&self, after: Option<WebhookId>) -> Result<Option<Turn>, StoreError> {
        let limit = self.slots.free();
        if limit == 0 || !self.fence.is_open() {
            return Ok(None);
        }
        let claim = Claim {
            now: self.clock.now(),
            lease: self.lease,
            limit,
            room: &|webhook| self.slots.room(webhook),
            after: after.clone(),
        };
        let claimed = self.store.claim_due(claim).await?;
        let slots = self.slots.take_for_claimed(after.as_ref(), &claimed);
        let turn = Turn {
            found: !claimed.deliveries.is_empty(),
            until: claimed.until,
        };
        for (delivery, slot) in claimed.deliveries.into_iter().zip(slots) {
            self.attempt_runner.dispatch(delivery, slot);
        }
        Ok(Some(turn))
    }

    /// Until the next delivery is due. What is due already found no slot, and rings when there is one.
    async fn sleep(&self) -> Duration {
        let now = self.clock.now();
        match self.store.next_due().await {
            Ok(Some(due)) if due > now => due.since(now).min(LONGEST_SLEEP),
            _ => LONGEST_SLEEP,
        }
    }
}
