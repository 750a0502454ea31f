//! Deletes what has outlived its use: old events with their deliveries and attempts, and sessions that have expired.
//!
//! In small batches with long pauses between them, so that delivering never notices: each batch is one short turn at
//! the database, and most of the time it is nobody's turn.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    auth::Auth,
    domain::Clock,
    store::{Retention, Store, StoreError},
};

/// Events in one batch: a few milliseconds of the writer's time.
const BATCH: usize = 200;

/// How many times longer than a batch the pause after it is.
const PAUSES: u32 = 9;

/// Between two rounds, at most.
const ROUNDS: Duration = Duration::from_secs(600);

/// How long it is known how many attempts a webhook had in an hour: longer than any chart is.
const STATISTICS: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Between two times at which it is written down when keys were used.
const KEY_USES: Duration = Duration::from_secs(60);

/// Runs until it is dropped: each request only takes note in memory that a key was used.
pub(super) async fn write_key_uses(auth: Auth) {
    loop {
        tokio::time::sleep(KEY_USES).await;
        if let Err(error) = auth.write_key_uses().await {
            tracing::warn!(%error, "failed to update the last use of API keys, will retry");
        }
    }
}

/// Runs until it is dropped. Events are deleted once they are older than `keep`, unless something of theirs is still
/// to be sent.
pub(super) async fn run(store: Arc<Store>, clock: Arc<dyn Clock>, keep: Duration) {
    // Looked for so often that it hardly matters how old an event is beyond its time.
    let pause = (keep / 10).min(ROUNDS);
    loop {
        match clean(&store, &*clock, keep).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, "expired events deleted"),
            Err(error) => tracing::warn!(%error, "failed to delete expired data, will retry"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// One round; answers how many events were deleted.
async fn clean(store: &Store, clock: &dyn Clock, keep: Duration) -> Result<u64, StoreError> {
    let before = clock.now().minus(keep);
    let mut deleted = 0;
    for account in store.accounts().await? {
        let mut after = None;
        loop {
            let started = Instant::now();
            let retention = Retention {
                account: &account,
                before,
                after,
                limit: BATCH,
            };
            let swept = store.delete_old_events(retention).await?;
            deleted += swept.deleted;
            after = swept.until;
            if after.is_none() {
                break;
            }
            tokio::time::sleep(started.elapsed() * PAUSES).await;
        }
    }
    store.delete_expired_sessions(clock.now()).await?;
    store.delete_old_statistics(clock.now().minus(STATISTICS)).await?;
    Ok(deleted)
}
