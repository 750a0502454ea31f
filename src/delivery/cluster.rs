//! Membership and cache invalidation among the processes that share a database.
//!
//! | question | answer |
//! |---|---|
//! | Which processes are alive? | Each process writes a heartbeat to its row every second. The others watch it. |
//! | What have other processes changed? | A change enqueues an invalidation for each process, which acknowledges it once applied. |
//! | When has a change propagated? | When every invalidation is acknowledged or its process is evicted. |
//! | What if a process is frozen or disconnected? | It stops sending on its own before the others evict it. |
//! | What time is it? | The time of the database server, because the clocks of machines differ. |
//!
//! Notifications only reduce latency. Every process also polls once per second.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Notify, task::JoinSet, time::sleep};

use super::{Wake, fence::Fence, gate::Gate, slots::Slots};
use crate::{
    domain::{ApiKeyId, Clock, ProcessId, WebhookId},
    store::{
        Cache, CacheKey, Heartbeat, Invalidation, InvalidationReason, JoinOutcome, Member, Notification,
        Store, StoreError,
    },
};

/// Interval between heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// A process stops sending this long after its last successful heartbeat.
const FENCE_AFTER: Duration = Duration::from_secs(4);

/// Other processes evict a process this long after the last heartbeat that they saw. The difference to [`FENCE_AFTER`]
/// is far larger than the drift of two monotonic clocks in that time.
const EVICT_AFTER: Duration = Duration::from_secs(6);

/// Maximum time that a change waits for other processes: twice [`EVICT_AFTER`].
const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(12);

/// Minimum interval between notifications of the other processes.
const MIN_NOTIFY_INTERVAL: Duration = Duration::from_millis(20);

/// Delay between attempts to reconnect to the database.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Dependencies of the cluster membership.
pub struct Deps {
    pub store: Arc<Store>,
    pub gate: Arc<Gate>,
    pub slots: Slots,
    pub wake: Arc<Wake>,
    pub clock: Arc<dyn Clock>,
    pub fence: Fence,
    /// Caches that are invalidated by changes of other processes.
    pub caches: Vec<Arc<dyn Cache>>,
    pub member: Member,
}

/// Membership of this process. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    deps: Arc<Deps>,
    notify_request: Arc<Notify>,
}

/// Why a process cannot join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Other processes could not decrypt what this one encrypts.
    #[error(
        "other processes on this database use a different master key: start all of them with the same \
         CALEIDA_MASTER_KEY or a copy of the same key file; to rotate the key, first set the new one as \
         CALEIDA_PREVIOUS_MASTER_KEY on all of them"
    )]
    OtherKey,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cluster {
    /// Joins the cluster. The process remains a member until the tasks are dropped.
    pub async fn join(deps: Deps) -> Result<(Self, JoinSet<()>), JoinError> {
        let cluster = Self {
            deps: Arc::new(deps),
            notify_request: Arc::default(),
        };
        let mut tasks = JoinSet::new();
        if cluster.deps.store.is_shared() {
            let mut tracker = HeartbeatTracker::default();
            cluster.join_cluster(&mut tracker).await?;
            tasks.spawn(cluster.clone().send_heartbeats(tracker));
            tasks.spawn(cluster.clone().listen());
            tasks.spawn(cluster.clone().forward_notify_requests());
        } else {
            cluster.deps.store.join(&cluster.deps.member).await?;
        }
        Ok((cluster, tasks))
    }

    /// Returns when every process has applied the last change of the webhook.
    pub async fn wait_until_propagated(&self, webhook: &WebhookId) -> Result<(), StoreError> {
        let change = CacheKey::Webhook(webhook.clone(), InvalidationReason::Edited);
        until_propagated(|| self.deps.store.has_propagated(&change)).await
    }

    /// Notifies the other processes of due deliveries that this process has no slots for.
    pub fn notify_others(&self) {
        self.notify_request.notify_one();
    }

    /// Leaves the cluster. Must be called after the last request is sent.
    pub async fn leave(&self) {
        if let Err(error) = self.deps.store.leave(&self.deps.member.id).await {
            tracing::warn!(%error, "failed to leave the cluster, other processes will evict this one");
        }
    }

    async fn send_heartbeats(self, mut tracker: HeartbeatTracker) {
        loop {
            sleep(HEARTBEAT_INTERVAL).await;
            if let Err(error) = self.renew(&mut tracker).await {
                tracing::warn!(%error, "heartbeat failed");
            }
        }
    }

    async fn renew(&self, tracker: &mut HeartbeatTracker) -> Result<(), JoinError> {
        let Deps {
            store,
            member,
            clock,
            fence,
            caches,
            ..
        } = &*self.deps;
        let started = Instant::now();
        let Some(renewal) = store.renew(&member.id).await? else {
            tracing::warn!("evicted after missed heartbeats, rejoining");
            return self.join_cluster(tracker).await;
        };
        // Measured from the start of the statement, because it is not known when the database executed it.
        fence.close_at(started + FENCE_AFTER);
        for cache in caches {
            cache.valid_until(started + FENCE_AFTER);
        }
        let round_trip = started.elapsed();
        clock.adjust(renewal.now.plus(round_trip / 2), round_trip / 2);
        for expired in tracker.observe(renewal.others) {
            self.evict(&expired).await?;
        }
        self.apply_invalidations().await?;
        Ok(())
    }

    /// Joins at startup or after an eviction. All caches are invalidated, because they may be stale.
    async fn join_cluster(&self, tracker: &mut HeartbeatTracker) -> Result<(), JoinError> {
        let Deps {
            store,
            gate,
            fence,
            caches,
            member,
            ..
        } = &*self.deps;
        let started = Instant::now();
        // A dead process with another key must not block this one forever.
        while let JoinOutcome::KeyMismatch(others) = store.join(member).await? {
            if started.elapsed() > 2 * EVICT_AFTER {
                return Err(JoinError::OtherKey);
            }
            for expired in tracker.observe(others) {
                self.evict(&expired).await?;
            }
            sleep(HEARTBEAT_INTERVAL).await;
        }
        fence.revoke();
        gate.invalidate_all();
        caches.iter().for_each(|cache| cache.invalidate_all());
        Box::pin(self.renew(tracker)).await
    }

    async fn evict(&self, expired: &Heartbeat) -> Result<(), StoreError> {
        if self.deps.store.evict(expired).await? {
            tracing::warn!(process = %expired.process, "process evicted after missed heartbeats");
        }
        Ok(())
    }

    async fn listen(self) {
        loop {
            match self.deps.store.next_notification().await {
                Ok(Notification::Due) => self.deps.wake.notify(),
                Ok(Notification::Invalidations) => self.apply_or_warn().await,
                Ok(Notification::Missed) => {
                    self.apply_or_warn().await;
                    self.deps.wake.notify();
                }
                Err(error) => {
                    tracing::warn!(%error, "listen connection lost, reconnecting");
                    sleep(RECONNECT_DELAY).await;
                }
            }
        }
    }

    async fn apply_or_warn(&self) {
        if let Err(error) = self.apply_invalidations().await {
            tracing::warn!(%error, "failed to read invalidations");
        }
    }

    /// Applies the pending invalidations of this process, and acknowledges them.
    async fn apply_invalidations(&self) -> Result<(), StoreError> {
        let Deps { store, member, .. } = &*self.deps;
        let changes = store.invalidations(&member.id).await?;
        if changes.is_empty() {
            return Ok(());
        }
        for change in &changes {
            self.apply(change).await;
        }
        store.acknowledge(&changes).await
    }

    async fn apply(&self, Invalidation { key, .. }: &Invalidation) {
        let Deps {
            gate,
            slots,
            wake,
            caches,
            ..
        } = &*self.deps;
        caches.iter().for_each(|cache| cache.invalidate(key));
        let CacheKey::Webhook(webhook_id, reason) = key else {
            return;
        };
        match reason {
            InvalidationReason::Edited => gate.invalidate(webhook_id),
            InvalidationReason::Resumed => {
                slots.slow_start(webhook_id);
                gate.invalidate(webhook_id);
                wake.notify();
            }
            InvalidationReason::Deleted => {
                gate.close(webhook_id).await;
                slots.remove(webhook_id);
            }
        }
    }

    async fn forward_notify_requests(self) {
        loop {
            self.notify_request.notified().await;
            // Other processes also poll.
            if let Err(error) = self.deps.store.notify_others().await {
                tracing::debug!(%error, "failed to notify other processes");
            }
            sleep(MIN_NOTIFY_INTERVAL).await;
        }
    }
}

/// Returns when no process accepts the key any more.
pub async fn wait_until_revoked(store: &Store, key: &ApiKeyId) -> Result<(), StoreError> {
    let change = CacheKey::ApiKey(key.clone());
    until_propagated(|| store.has_propagated(&change)).await
}

async fn until_propagated<F>(has_propagated: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<bool, StoreError>>,
{
    let started = tokio::time::Instant::now();
    let mut delay = Duration::from_millis(2);
    loop {
        match has_propagated().await {
            Ok(true) => return Ok(()),
            Err(error) if started.elapsed() > PROPAGATION_TIMEOUT => {
                tracing::error!(%error, "failed to read pending invalidations");
                return Err(StoreError::Unconfirmed);
            }
            Ok(false) if started.elapsed() > PROPAGATION_TIMEOUT => return Err(StoreError::Unconfirmed),
            _ => sleep(delay).await,
        }
        delay = (delay * 2).min(Duration::from_millis(100));
    }
}

/// Last heartbeat of each process, and when it was first seen.
#[derive(Default)]
struct HeartbeatTracker(HashMap<ProcessId, (i64, Instant)>);

impl HeartbeatTracker {
    /// Stores the heartbeats and returns the expired ones. The age of a heartbeat is the local time since it was first
    /// seen, so clocks of different machines are never compared.
    fn observe(&mut self, heartbeats: Vec<Heartbeat>) -> Vec<Heartbeat> {
        let now = Instant::now();
        let mut previous = std::mem::take(&mut self.0);
        let mut expired = Vec::new();
        for heartbeat in heartbeats {
            let since = match previous.remove(&heartbeat.process) {
                Some((count, since)) if count == heartbeat.heartbeats => since,
                _ => now,
            };
            self.0
                .insert(heartbeat.process.clone(), (heartbeat.heartbeats, since));
            if now.duration_since(since) >= EVICT_AFTER {
                expired.push(heartbeat);
            }
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn unconfirmed_change_is_reported_as_such() {
        let unacknowledged = until_propagated(|| async { Ok(false) }).await;
        assert!(matches!(unacknowledged, Err(StoreError::Unconfirmed)));
        let unavailable = || async { Err(StoreError::unavailable("gone")) };
        assert!(matches!(
            until_propagated(unavailable).await,
            Err(StoreError::Unconfirmed)
        ));
    }
}
