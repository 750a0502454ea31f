//! Membership and cache invalidation among the processes that share a database.
//!
//! | question | answer |
//! |---|---|
//! | Which processes are alive? | Each process sends a heartbeat to its row every second. The others watch it. |
//! | What have the others changed? | A change enqueues an invalidation for each process, until that process has applied it. |
//! | When has a change propagated? | When every invalidation is acknowledged or its process evicted. |
//! | What if a process is frozen or cut off? | It stops sending by itself, and is evicted only after that. |
//! | What time is it? | The time of the database server, because the clocks of machines differ. |
//!
//! Notifications only make it fast: every process also polls once per second.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Notify, task::JoinSet, time::sleep};

use super::{Wake, fence::Fence, gate::Gate, slots::Slots};
use crate::{
    domain::{ApiKeyId, Clock, ProcessId, WebhookId},
    store::{Cache, Heartbeat, Invalidated, Invalidation, Joined, Member, Signal, Stale, Store, StoreError},
};

/// Interval between heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// A process stops sending this long after its last successful heartbeat.
const FENCE_AFTER: Duration = Duration::from_secs(4);

/// Other processes evict a process this long after the last heartbeat that they saw. The difference to [`FENCE_AFTER`] is
/// far larger than the drift of two monotonic clocks in that time.
const EVICT_AFTER: Duration = Duration::from_secs(6);

/// Maximum time that a change waits for other processes: twice the time it takes to evict a dead one.
const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(12);

/// Minimum interval between notifications of the other processes.
const MIN_NOTIFY_INTERVAL: Duration = Duration::from_millis(20);

/// Delay between attempts to reconnect while the database is away.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

pub struct Parts {
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
    parts: Arc<Parts>,
    call: Arc<Notify>,
}

/// Why a process cannot join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The other processes could not decrypt what this one encrypts.
    #[error(
        "the processes that use this database have another master key: give all of them the same CALEIDA_MASTER_KEY, \
         or a copy of the same file; while it is rotated, give all of them the new one as \
         CALEIDA_PREVIOUS_MASTER_KEY first"
    )]
    OtherKey,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cluster {
    /// Joins. The process remains a member until the tasks are dropped.
    pub async fn join(parts: Parts) -> Result<(Self, JoinSet<()>), JoinError> {
        let cluster = Self {
            parts: Arc::new(parts),
            call: Arc::default(),
        };
        let mut tasks = JoinSet::new();
        if cluster.parts.store.is_shared() {
            let mut watch = Watch::default();
            cluster.join_cluster(&mut watch).await?;
            tasks.spawn(cluster.clone().live(watch));
            tasks.spawn(cluster.clone().listen());
            tasks.spawn(cluster.clone().notify_when_asked());
        } else {
            cluster.parts.store.join(&cluster.parts.member).await?;
        }
        Ok((cluster, tasks))
    }

    /// Returns when every process has applied the last change of the webhook.
    pub async fn wait_until_propagated(&self, webhook: &WebhookId) -> Result<(), StoreError> {
        let what = Stale::Webhook(webhook.clone(), Invalidated::Edited);
        until_propagated(|| self.parts.store.has_propagated(&what)).await
    }

    /// Notifies the other processes that deliveries are due that this process has no slots for.
    pub fn notify_others(&self) {
        self.call.notify_one();
    }

    /// Leaves. Must be called when nothing is sent any more.
    pub async fn leave(&self) {
        if let Err(error) = self.parts.store.leave(&self.parts.member.id).await {
            tracing::warn!(%error, "failed to leave the cluster, other processes will evict this one");
        }
    }

    async fn live(self, mut watch: Watch) {
        loop {
            sleep(HEARTBEAT_INTERVAL).await;
            if let Err(error) = self.renew(&mut watch).await {
                tracing::warn!(%error, "heartbeat failed");
            }
        }
    }

    async fn renew(&self, watch: &mut Watch) -> Result<(), JoinError> {
        let Parts {
            store,
            member,
            clock,
            fence,
            caches,
            ..
        } = &*self.parts;
        let asked = Instant::now();
        let Some(renewal) = store.renew(&member.id).await? else {
            tracing::warn!("evicted after missed heartbeats, rejoining");
            return self.join_cluster(watch).await;
        };
        // From before the request: when exactly the database received it is not known.
        fence.close_at(asked + FENCE_AFTER);
        for cache in caches {
            cache.valid_until(asked + FENCE_AFTER);
        }
        let round_trip = asked.elapsed();
        clock.adjust(renewal.now.plus(round_trip / 2), round_trip / 2);
        for dead in watch.observe(renewal.others) {
            self.evict(&dead).await?;
        }
        self.apply_invalidations().await?;
        Ok(())
    }

    /// Joins, at the start or after an eviction. Everything cached may be stale by then.
    async fn join_cluster(&self, watch: &mut Watch) -> Result<(), JoinError> {
        let Parts {
            store,
            gate,
            fence,
            caches,
            member,
            ..
        } = &*self.parts;
        let asked = Instant::now();
        // A dead process with another key must not block this one forever.
        while let Joined::OtherKey(others) = store.join(member).await? {
            if asked.elapsed() > 2 * EVICT_AFTER {
                return Err(JoinError::OtherKey);
            }
            for dead in watch.observe(others) {
                self.evict(&dead).await?;
            }
            sleep(HEARTBEAT_INTERVAL).await;
        }
        fence.revoke();
        gate.refresh_all();
        caches.iter().for_each(|cache| cache.invalidate_all());
        Box::pin(self.renew(watch)).await
    }

    async fn evict(&self, dead: &Heartbeat) -> Result<(), StoreError> {
        if self.parts.store.evict(dead).await? {
            tracing::warn!(process = %dead.process, "process evicted after missed heartbeats");
        }
        Ok(())
    }

    async fn listen(self) {
        loop {
            match self.parts.store.next_signal().await {
                Ok(Signal::Due) => self.parts.wake.ring(),
                Ok(Signal::Changed) => self.apply_or_warn().await,
                Ok(Signal::Missed) => {
                    self.apply_or_warn().await;
                    self.parts.wake.ring();
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
        let Parts { store, member, .. } = &*self.parts;
        let changes = store.invalidations(&member.id).await?;
        if changes.is_empty() {
            return Ok(());
        }
        for change in &changes {
            self.apply(change).await;
        }
        store.acknowledge(&changes).await
    }

    async fn apply(&self, Invalidation { what, .. }: &Invalidation) {
        let Parts {
            gate,
            slots,
            wake,
            caches,
            ..
        } = &*self.parts;
        caches.iter().for_each(|cache| cache.invalidate(what));
        let Stale::Webhook(webhook_id, change) = what else {
            return;
        };
        match change {
            Invalidated::Edited => gate.refresh(webhook_id),
            Invalidated::Resumed => {
                slots.probe(webhook_id);
                gate.refresh(webhook_id);
                wake.ring();
            }
            Invalidated::Deleted => {
                gate.close(webhook_id).await;
                slots.forget(webhook_id);
            }
        }
    }

    async fn notify_when_asked(self) {
        loop {
            self.call.notified().await;
            // They also poll.
            if let Err(error) = self.parts.store.notify_others().await {
                tracing::debug!(%error, "failed to notify other processes");
            }
            sleep(MIN_NOTIFY_INTERVAL).await;
        }
    }
}

/// Returns when no process accepts the key any more.
pub async fn wait_until_revoked(store: &Store, key: &ApiKeyId) -> Result<(), StoreError> {
    let what = Stale::ApiKey(key.clone());
    until_propagated(|| store.has_propagated(&what)).await
}

async fn until_propagated<F>(known: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<bool, StoreError>>,
{
    let asked = tokio::time::Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        match known().await {
            Ok(true) => return Ok(()),
            Err(error) if asked.elapsed() > PROPAGATION_TIMEOUT => {
                tracing::error!(%error, "failed to read pending invalidations");
                return Err(StoreError::Unconfirmed);
            }
            Ok(false) if asked.elapsed() > PROPAGATION_TIMEOUT => return Err(StoreError::Unconfirmed),
            _ => sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// The last heartbeat of each process, and when it was first seen.
#[derive(Default)]
struct Watch(HashMap<ProcessId, (i64, Instant)>);

impl Watch {
    /// Remembers the heartbeats, and returns the expired ones. The age of a heartbeat is measured by the local clock since it
    /// was first seen, so clocks of different machines are never compared.
    fn observe(&mut self, heartbeats: Vec<Heartbeat>) -> Vec<Heartbeat> {
        let now = Instant::now();
        let mut known = std::mem::take(&mut self.0);
        let mut dead = Vec::new();
        for heartbeat in heartbeats {
            let since = match known.remove(&heartbeat.process) {
                Some((heartbeats, since)) if heartbeats == heartbeat.heartbeats => since,
                _ => now,
            };
            self.0
                .insert(heartbeat.process.clone(), (heartbeat.heartbeats, since));
            if now.duration_since(since) >= EVICT_AFTER {
                dead.push(heartbeat);
            }
        }
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn unconfirmed_change_is_reported_as_such() {
        let silent = until_propagated(|| async { Ok(false) }).await;
        assert!(matches!(silent, Err(StoreError::Unconfirmed)));
        let away = || async { Err(StoreError::unavailable("gone")) };
        assert!(matches!(
            until_propagated(away).await,
            Err(StoreError::Unconfirmed)
        ));
    }
}
