//! Claims due deliveries, webhook by webhook in round-robin order, while there are free slots.
//!
//! The intake dispatches new deliveries directly while there are free slots. The scheduler handles retries, backlogs,
//! webhooks with a rate limit, and the deliveries of dead processes.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Wake, attempt_runner::AttemptRunner, fence::Fence, slots::Slots};
use crate::{
    domain::{Clock, WebhookId},
    store::{Claim, Store, StoreError},
};

/// Maximum sleep between claims: a fallback for [`Wake`], and the maximum delay until an expired lease is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(2);

/// Minimum interval between claims. Slots become free in the meantime, so that each claim takes several deliveries.
const MIN_CLAIM_INTERVAL: Duration = Duration::from_millis(5);

/// Result of one claim.
struct ClaimRound {
    found: bool,
    /// Last webhook that was checked. `None` if the next claim starts from the first webhook.
    last_webhook: Option<WebhookId>,
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
        let mut last_webhook = None;
        // Whether a delivery was found since the first webhook was checked. If so, more may be due.
        let mut found = false;
        while !stop.is_cancelled() {
            let next_claim = Instant::now() + MIN_CLAIM_INTERVAL;
            let claim_again = match self.claim(last_webhook.clone()).await {
                Ok(Some(round)) => {
                    found |= round.found;
                    last_webhook = round.last_webhook;
                    last_webhook.is_some() || std::mem::take(&mut found)
                }
                Ok(None) => false,
                Err(error) => {
                    tracing::error!(%error, "failed to claim deliveries");
                    false
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wait(claim_again) => tokio::time::sleep_until(next_claim).await,
            }
        }
    }

    async fn wait(&self, claim_again: bool) {
        if !claim_again {
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.time_until_next_due().await) => {}
            }
        }
    }

    /// Claims and dispatches due deliveries of the webhooks that follow `after`. Returns `None` if no slot is free or
    /// the fence is closed.
    async fn claim(&self, after: Option<WebhookId>) -> Result<Option<ClaimRound>, StoreError> {
        let limit = self.slots.free();
        if limit == 0 || !self.fence.is_open() {
            return Ok(None);
        }
        let claim = Claim {
            now: self.clock.now(),
            lease: self.lease,
            limit,
            capacity: &|webhook| self.slots.capacity(webhook),
            after: after.clone(),
        };
        let claimed = self.store.claim_due(claim).await?;
        let slots = self.slots.take_for_claimed(after.as_ref(), &claimed);
        let round = ClaimRound {
            // Those under a rate limit have to wait before more are due.
            found: claimed
                .deliveries
                .iter()
                .any(|delivery| !claimed.paced.contains(&delivery.webhook_id)),
            last_webhook: claimed.last_webhook,
        };
        for (delivery, slot) in claimed.deliveries.into_iter().zip(slots) {
            self.attempt_runner.dispatch(delivery, slot);
        }
        Ok(Some(round))
    }

    /// Returns the time until the next delivery is due. Deliveries that are already due wait for a slot, and a free
    /// slot wakes the scheduler.
    async fn time_until_next_due(&self) -> Duration {
        let now = self.clock.now();
        match self.store.next_due().await {
            Ok(Some(due)) if due > now => due.since(now).min(MAX_SLEEP),
            _ => MAX_SLEEP,
        }
    }
}
