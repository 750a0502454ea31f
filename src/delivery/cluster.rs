//! The processes that deliver from one database, seen from one of them.
//!
//! | question | answer |
//! |---|---|
//! | who is there? | each process renews its row every second; the others watch that it does |
//! | what have they changed? | word of it lies in the database until this process has acted upon it |
//! | when is a change obeyed by all? | when no word of it is left: acted upon, or its process evicted |
//! | what if a process is frozen or cut off? | it stops sending by itself, and only later is it evicted |
//! | what time is it? | what the database says: clocks of machines differ |
//!
//! Notifications only make it quick. Every second each process looks for itself.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Notify, task::JoinSet, time::sleep};

use super::{Wake, fence::Fence, gate::Gate, slots::Slots};
use crate::{
    domain::{ApiKeyId, Clock, ProcessId, WebhookId},
    store::{Invalidated, Invalidation, Joined, LifeSign, Member, Memory, Signal, Stale, Store, StoreError},
};

/// Between two signs of life.
const RENEW: Duration = Duration::from_secs(1);

/// So long after the last sign of life that it could give, a process ceases to send.
const CLOSE: Duration = Duration::from_secs(4);

/// So long after the last sign of life that they saw, the others cease to wait for it. Longer than [`CLOSE`] by far more
/// than two monotonic clocks can drift apart meanwhile.
const EVICT: Duration = Duration::from_secs(6);

/// How long a change waits for the others at most: twice what it takes to find out that one of them is dead.
const OBEDIENCE: Duration = Duration::from_secs(12);

/// Between two calls to the others: meanwhile they come and fetch.
const CALLS: Duration = Duration::from_millis(20);

/// Between two tries to hear something while the database is away.
const DEAF: Duration = Duration::from_millis(500);

pub struct Parts {
    pub store: Arc<Store>,
    pub gate: Arc<Gate>,
    pub slots: Slots,
    pub wake: Arc<Wake>,
    pub clock: Arc<dyn Clock>,
    pub fence: Fence,
    /// What else of this process has to hear of changes.
    pub memories: Vec<Arc<dyn Memory>>,
    pub member: Member,
}

/// This process's place among the others. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    parts: Arc<Parts>,
    call: Arc<Notify>,
}

/// Why this process may not be one of them.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// What one seals, the others could not open.
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
    /// Joins the others; the tasks keep it among them until they are dropped.
    pub async fn join(parts: Parts) -> Result<(Self, JoinSet<()>), JoinError> {
        let cluster = Self {
            parts: Arc::new(parts),
            call: Arc::default(),
        };
        let mut tasks = JoinSet::new();
        if cluster.parts.store.is_shared() {
            let mut watch = Watch::default();
            cluster.become_one_of_them(&mut watch).await?;
            tasks.spawn(cluster.clone().live(watch));
            tasks.spawn(cluster.clone().listen());
            tasks.spawn(cluster.clone().call_when_asked());
        } else {
            cluster.parts.store.join(&cluster.parts.member).await?;
        }
        Ok((cluster, tasks))
    }

    /// Returns when every process goes by the last change of that webhook.
    pub async fn obeyed(&self, webhook: &WebhookId) -> Result<(), StoreError> {
        let what = Stale::Webhook(webhook.clone(), Invalidated::Edited);
        until_obeyed(|| self.parts.store.has_propagated(&what)).await
    }

    /// Lets the others know that there is more to send than this process can.
    pub fn call_others(&self) {
        self.call.notify_one();
    }

    /// To call when nothing is sent any more: the others need not wait.
    pub async fn leave(&self) {
        if let Err(error) = self.parts.store.leave(&self.parts.member.id).await {
            tracing::warn!(%error, "failed to leave the cluster, other processes will evict this one");
        }
    }

    async fn live(self, mut watch: Watch) {
        loop {
            sleep(RENEW).await;
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
            memories,
            ..
        } = &*self.parts;
        let asked = Instant::now();
        let Some(renewal) = store.renew(&member.id).await? else {
            tracing::warn!("evicted after missed heartbeats, rejoining");
            return self.become_one_of_them(watch).await;
        };
        // Since it asked: when exactly the database heard of it, it cannot know.
        fence.close_at(asked + CLOSE);
        for memory in memories {
            memory.trust_until(asked + CLOSE);
        }
        let round_trip = asked.elapsed();
        clock.adjust(renewal.now.plus(round_trip / 2), round_trip / 2);
        for dead in watch.observe(renewal.others) {
            self.evict(&dead).await?;
        }
        self.obey().await?;
        Ok(())
    }

    /// Also after an eviction: whatever it remembers may be wrong.
    async fn become_one_of_them(&self, watch: &mut Watch) -> Result<(), JoinError> {
        let Parts {
            store,
            gate,
            fence,
            memories,
            member,
            ..
        } = &*self.parts;
        let asked = Instant::now();
        // One that has just died with another key must not be in the way for good.
        while let Joined::OtherKey(others) = store.join(member).await? {
            if asked.elapsed() > 2 * EVICT {
                return Err(JoinError::OtherKey);
            }
            for dead in watch.observe(others) {
                self.evict(&dead).await?;
            }
            sleep(RENEW).await;
        }
        fence.revoke();
        gate.refresh_all();
        memories.iter().for_each(|memory| memory.forget_all());
        Box::pin(self.renew(watch)).await
    }

    async fn evict(&self, dead: &LifeSign) -> Result<(), StoreError> {
        if self.parts.store.evict(dead).await? {
            tracing::warn!(process = %dead.process, "process evicted after missed heartbeats");
        }
        Ok(())
    }

    async fn listen(self) {
        loop {
            match self.parts.store.next_signal().await {
                Ok(Signal::Due) => self.parts.wake.ring(),
                Ok(Signal::Changed) => self.obey_or_warn().await,
                Ok(Signal::Missed) => {
                    self.obey_or_warn().await;
                    self.parts.wake.ring();
                }
                Err(error) => {
                    tracing::warn!(%error, "listen connection lost, reconnecting");
                    sleep(DEAF).await;
                }
            }
        }
    }

    async fn obey_or_warn(&self) {
        if let Err(error) = self.obey().await {
            tracing::warn!(%error, "failed to read invalidations");
        }
    }

    /// Acts upon what others have changed, and says so.
    async fn obey(&self) -> Result<(), StoreError> {
        let Parts { store, member, .. } = &*self.parts;
        let changes = store.invalidations(&member.id).await?;
        if changes.is_empty() {
            return Ok(());
        }
        for change in &changes {
            self.act_upon(change).await;
        }
        store.acknowledge(&changes).await
    }

    async fn act_upon(&self, Invalidation { what, .. }: &Invalidation) {
        let Parts {
            gate,
            slots,
            wake,
            memories,
            ..
        } = &*self.parts;
        memories.iter().for_each(|memory| memory.forget(what));
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

    async fn call_when_asked(self) {
        loop {
            self.call.notified().await;
            // They also look by themselves, if not as soon.
            if let Err(error) = self.parts.store.call_others().await {
                tracing::debug!(%error, "failed to notify other processes");
            }
            sleep(CALLS).await;
        }
    }
}

/// Returns when no process takes that key any more.
pub async fn revocation_obeyed(store: &Store, key: &ApiKeyId) -> Result<(), StoreError> {
    let what = Stale::ApiKey(key.clone());
    until_obeyed(|| store.has_propagated(&what)).await
}

async fn until_obeyed<F>(known: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<bool, StoreError>>,
{
    let asked = tokio::time::Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        match known().await {
            Ok(true) => return Ok(()),
            Err(error) if asked.elapsed() > OBEDIENCE => {
                tracing::error!(%error, "failed to read pending invalidations");
                return Err(StoreError::Unconfirmed);
            }
            Ok(false) if asked.elapsed() > OBEDIENCE => return Err(StoreError::Unconfirmed),
            _ => sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Since when each process has not been heard of.
#[derive(Default)]
struct Watch(HashMap<ProcessId, (i64, Instant)>);

impl Watch {
    /// Takes note of the last signs of life; answers those that are too old. A sign is as old as it is known here, so
    /// nobody's clock is compared with anybody else's.
    fn observe(&mut self, signs: Vec<LifeSign>) -> Vec<LifeSign> {
        let now = Instant::now();
        let mut known = std::mem::take(&mut self.0);
        let mut dead = Vec::new();
        for sign in signs {
            let since = match known.remove(&sign.process) {
                Some((renewals, since)) if renewals == sign.renewals => since,
                _ => now,
            };
            self.0.insert(sign.process.clone(), (sign.renewals, since));
            if now.duration_since(since) >= EVICT {
                dead.push(sign);
            }
        }
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_that_nobody_confirms_in_time_is_made_all_the_same() {
        let silent = until_obeyed(|| async { Ok(false) }).await;
        assert!(matches!(silent, Err(StoreError::Unconfirmed)));
        let away = || async { Err(StoreError::unavailable("gone")) };
        assert!(matches!(until_obeyed(away).await, Err(StoreError::Unconfirmed)));
    }
}
