//! Deletes expired data: events with their deliveries and attempts, sessions and statistics. Then returns the disk space
//! to the file system. Also flushes the last-used times of API keys.
//!
//! Works in small batches with long pauses, so that deliveries are not slowed down.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    auth::Auth,
    domain::Clock,
    store::{Retention, Store, StoreError},
};

/// Maximum number of events deleted in one transaction, which takes a few milliseconds.
const BATCH_SIZE: usize = 200;

/// Length of the pause after a batch, as a multiple of the time that the batch took.
const PAUSE_FACTOR: u32 = 9;

/// Maximum interval between two rounds.
const MAX_INTERVAL: Duration = Duration::from_secs(600);

/// Difference between the wall clock and the monotonic clock at which a round is skipped.
const MAX_JUMP: Duration = Duration::from_secs(24 * 60 * 60);

/// Retention of hourly statistics, longer than any chart.
const STATISTICS_RETENTION: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Interval at which the last-used times of API keys are stored.
const KEY_USE_INTERVAL: Duration = Duration::from_secs(60);

/// Stores the last-used times of API keys periodically, until it is dropped. Requests only record them in memory.
pub(super) async fn flush_key_uses(auth: Auth) {
    loop {
        tokio::time::sleep(KEY_USE_INTERVAL).await;
        if let Err(error) = auth.flush_key_uses().await {
            tracing::warn!(%error, "failed to update the last use of API keys, will retry");
        }
    }
}

/// Deletes expired data until it is dropped. Events expire when they are older than `keep` and have no open deliveries.
pub(super) async fn run(store: Arc<Store>, clock: Arc<dyn Clock>, keep: Duration) {
    // A fraction of `keep`, so that events are not kept much longer.
    let interval = (keep / 10).min(MAX_INTERVAL);
    loop {
        // Also before the first round: the clock of a machine that has just started may be wrong until it is
        // synchronized, and what is deleted is lost.
        let (before, started) = (clock.now(), Instant::now());
        tokio::time::sleep(interval).await;
        if has_jumped(clock.now().since(before), started.elapsed()) {
            tracing::warn!("clock jumped ahead, nothing deleted in this round");
            continue;
        }
        match clean(&store, &*clock, keep).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, "expired events deleted"),
            Err(error) => tracing::warn!(%error, "failed to delete expired data, will retry"),
        }
    }
}

/// Runs one round. Returns the number of deleted events.
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
                limit: BATCH_SIZE,
                at: clock.now(),
            };
            let batch = store.delete_old_events(retention).await?;
            deleted += batch.deleted;
            after = batch.next;
            if after.is_none() {
                break;
            }
            tokio::time::sleep(started.elapsed() * PAUSE_FACTOR).await;
        }
    }
    store.delete_expired_sessions(clock.now()).await?;
    store
        .delete_old_statistics(clock.now().minus(STATISTICS_RETENTION))
        .await?;
    shrink(store).await?;
    Ok(deleted)
}

/// Returns the disk space of deleted rows to the file system.
async fn shrink(store: &Store) -> Result<(), StoreError> {
    loop {
        let started = Instant::now();
        if !store.shrink().await? {
            return Ok(());
        }
        tokio::time::sleep(started.elapsed() * PAUSE_FACTOR).await;
    }
}

/// Returns whether the wall clock advanced far more than the monotonic clock.
fn has_jumped(wall: Duration, elapsed: Duration) -> bool {
    wall.saturating_sub(elapsed) > MAX_JUMP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_jumps_ahead_count() {
        let (minute, day) = (Duration::from_secs(60), Duration::from_secs(24 * 60 * 60));
        for (wall, elapsed, expected) in [
            (10 * minute, 10 * minute, false),
            (11 * minute, 10 * minute, false),
            // Backwards.
            (Duration::ZERO, 10 * minute, false),
            (day, 10 * minute, false),
            (day + 11 * minute, 10 * minute, true),
            (40 * day, 10 * minute, true),
            (40 * day, 40 * day, false),
        ] {
            assert_eq!(has_jumped(wall, elapsed), expected, "{wall:?} {elapsed:?}");
        }
    }
}
