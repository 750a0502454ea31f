//! Work that is too large for one transaction, in steps: fanning out events to many webhooks, and updating the open
//! deliveries of a webhook whose state has changed.
//!
//! After each step, a pause of the same length leaves half of the database's capacity to the others.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Wake, cluster::Cluster};
use crate::{
    domain::{AccountId, Clock},
    store::{Store, StoreError},
};

/// Interval between checks for work that is not announced.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Pause after an error.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Any number of processes may run it, because each step is exclusive.
pub(super) struct BackgroundWork {
    pub store: Arc<Store>,
    pub wake: Arc<Wake>,
    pub cluster: Cluster,
    pub clock: Arc<dyn Clock>,
    /// Signals that events were accepted without all of their deliveries.
    pub fan_outs: Arc<Notify>,
}

impl BackgroundWork {
    /// Runs until it is stopped.
    pub(super) async fn run(self, stop: CancellationToken) {
        let both = async {
            tokio::join!(self.fan_out(), self.settle());
        };
        stop.run_until_cancelled(both).await;
    }

    async fn fan_out(&self) {
        let mut account: Option<AccountId> = None;
        loop {
            let started = Instant::now();
            // The accounts take turns.
            match self
                .store
                .advance_fan_outs(account.as_ref(), self.clock.now())
                .await
            {
                Ok(Some(served)) => {
                    account = Some(served);
                    self.pause_after_step(started).await;
                }
                Ok(None) => {
                    let _ = timeout(POLL_INTERVAL, self.fan_outs.notified()).await;
                }
                Err(error) => self.pause_after_error(&error).await,
            }
        }
    }

    async fn settle(&self) {
        loop {
            let started = Instant::now();
            match self.store.settle_deliveries(self.clock.now()).await {
                Ok(true) => self.pause_after_step(started).await,
                Ok(false) => sleep(POLL_INTERVAL).await,
                Err(error) => self.pause_after_error(&error).await,
            }
        }
    }

    /// Wakes the schedulers, because the step may have made deliveries due.
    async fn pause_after_step(&self, started: Instant) {
        self.wake.notify();
        self.cluster.notify_others();
        sleep(started.elapsed()).await;
    }

    async fn pause_after_error(&self, error: &StoreError) {
        tracing::error!(%error, "failed to update deliveries, retrying");
        sleep(RETRY_DELAY).await;
    }
}
