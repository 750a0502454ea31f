//! Stores the deliveries of events that have too many for one commit.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Wake, cluster::Cluster};
use crate::{domain::Clock, store::Store};

/// Interval between checks for events that a process which has ended left behind.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Pause after an error.
const RETRY_DELAY: Duration = Duration::from_secs(1);

pub(super) struct FanOutRunner {
    pub store: Arc<Store>,
    /// Signals that events were accepted without all of their deliveries.
    pub accepted: Arc<Notify>,
    pub wake: Arc<Wake>,
    pub cluster: Cluster,
    pub clock: Arc<dyn Clock>,
}

impl FanOutRunner {
    /// Runs until it is stopped. Any number of processes may run it.
    pub(super) async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.run_forever()).await;
    }

    async fn run_forever(self) {
        let mut account = None;
        loop {
            let started = Instant::now();
            match self
                .store
                .advance_fan_outs(account.as_ref(), self.clock.now())
                .await
            {
                // The accounts take turns.
                Ok(Some(served)) => {
                    account = Some(served);
                    self.wake.notify();
                    self.cluster.notify_others();
                    // The others get as much of the database.
                    sleep(started.elapsed()).await;
                }
                Ok(None) => {
                    let _ = timeout(POLL_INTERVAL, self.accepted.notified()).await;
                }
                Err(error) => {
                    tracing::error!(%error, "failed to store deliveries of accepted events, retrying");
                    sleep(RETRY_DELAY).await;
                }
            }
        }
    }
}
