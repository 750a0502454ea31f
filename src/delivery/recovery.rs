//! Advances running recoveries step by step, as fast as their receivers accept the deliveries.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Wake;
use crate::{
    domain::Clock,
    store::{RecoveryProgress, Store, StoreError},
};

/// Interval between checks for running recoveries.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Length of the pause after a step, as a multiple of the step's duration. It leaves most of the database's capacity to
/// live traffic.
const PAUSE_FACTOR: u32 = 3;

pub(super) struct RecoveryRunner {
    pub store: Arc<Store>,
    pub wake: Arc<Wake>,
    pub clock: Arc<dyn Clock>,
}

impl RecoveryRunner {
    /// Runs until it is stopped. Any number of processes may run it, because each step is exclusive.
    pub(super) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let delay = match self.advance_all().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => POLL_INTERVAL,
                Err(error) => {
                    tracing::warn!(%error, "failed to read recoveries");
                    POLL_INTERVAL
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(delay) => {}
            }
        }
    }

    /// Advances each recovery by one step. Returns whether more steps are possible at once.
    async fn advance_all(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for id in self.store.running_recoveries().await? {
            let started = Instant::now();
            match self.store.advance_recovery(&id, self.clock.now()).await {
                Ok(RecoveryProgress::Wait) => {}
                Ok(advanced) => {
                    self.wake.notify();
                    more |= advanced == RecoveryProgress::More;
                }
                // Other recoveries continue.
                Err(error) => tracing::warn!(%error, recovery = %id, "recovery step failed, will retry"),
            }
            sleep(started.elapsed() * PAUSE_FACTOR).await;
        }
        Ok(more)
    }
}
