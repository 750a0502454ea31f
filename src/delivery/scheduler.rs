//! Claims what is due, everybody's first before anybody's second, and no more than there are slots for.
//!
//! What is new goes past it, from the intake straight to the courier, as long as there are slots: here come retries,
//! backlogs, and what others have left behind.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Wake, courier::Courier, slots::Slots};
use crate::{
    domain::Clock,
    store::{Claim, Store, StoreError},
};

/// How long the scheduler sleeps at most: the safety net under [`Wake`], and how soon a lapsed lease is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// Between two claims: meanwhile slots become free, so that a claim is for many.
const GATHER: Duration = Duration::from_millis(5);

pub(super) struct Scheduler {
    pub store: Arc<dyn Store>,
    pub courier: Courier,
    pub slots: Slots,
    pub clock: Arc<dyn Clock>,
    pub wake: Arc<Wake>,
    pub lease: Duration,
}

impl Scheduler {
    pub(super) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let next_claim = Instant::now() + GATHER;
            let found = self.claim().await.unwrap_or_else(|error| {
                tracing::error!(%error, "deliveries could not be claimed");
                0
            });
            tokio::select! {
                () = stop.cancelled() => {}
                // As long as something was due, there may be more; otherwise sleep until there is.
                () = self.wait(found > 0) => tokio::time::sleep_until(next_claim).await,
            }
        }
    }

    async fn wait(&self, more: bool) {
        if !more {
            tokio::select! {
                () = self.wake.rung() => {}
                () = tokio::time::sleep(self.sleep().await) => {}
            }
        }
    }

    /// Dispatches what is due, as far as there is room; answers how many.
    async fn claim(&self) -> Result<usize, StoreError> {
        let room = self.slots.room();
        if room.all == 0 {
            return Ok(0);
        }
        let claim = Claim {
            now: self.clock.now(),
            lease: self.lease,
            limit: room.all,
            each: room.each,
            webhooks: room.webhooks.clone(),
        };
        let claimed = self.store.claim_due(&claim).await?;
        let found = claimed.len();
        let webhooks = claimed.iter().map(|delivery| &delivery.webhook_id);
        let slots = self.slots.take_for_claimed(&room, webhooks);
        for (delivery, slot) in claimed.into_iter().zip(slots) {
            self.courier.dispatch(delivery, slot);
        }
        Ok(found)
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
