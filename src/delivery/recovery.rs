//! Goes on with the recoveries that run, step by step, as fast as their receivers take what they make due.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Wake;
use crate::{
    domain::Clock,
    store::{Advanced, Store, StoreError},
};

/// Between two looks at what runs.
const PAUSE: Duration = Duration::from_secs(1);

/// How many times longer than a step the pause after it is: most of the time the database is there for what happens now.
const PAUSES: u32 = 3;

pub(super) struct Recoverer {
    pub store: Arc<Store>,
    pub wake: Arc<Wake>,
    pub clock: Arc<dyn Clock>,
}

impl Recoverer {
    /// Until it is stopped. Any number of processes may do so: each step is one's alone.
    pub(super) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.round().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "failed to read recoveries");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// A step of each; answers whether there is more to do at once.
    async fn round(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for id in self.store.running_recoveries().await? {
            let started = Instant::now();
            match self.store.advance_recovery(&id, self.clock.now()).await {
                Ok(Advanced::Wait) => {}
                Ok(advanced) => {
                    self.wake.ring();
                    more |= advanced == Advanced::More;
                }
                // The others go on.
                Err(error) => tracing::warn!(%error, recovery = %id, "recovery step failed, will retry"),
            }
            sleep(started.elapsed() * PAUSES).await;
        }
        Ok(more)
    }
}
