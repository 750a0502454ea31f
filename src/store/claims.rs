//! Selection of the webhooks that a claim takes deliveries from, and assembly of its result. Independent of the
//! database.
//!
//! Claims visit the webhooks round-robin, so that one with a long queue does not starve the others.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::{Claim, Claimed, ClaimedDelivery, Lease, StoreError};
use crate::domain::{DeliveryId, EventId, Timestamp, WebhookId, delivery_settings::RateLimit, pace::Pace};

/// Maximum number of webhooks that one claim checks. This takes about a millisecond, even if none has due deliveries.
pub(super) const MAX_CANDIDATES: usize = 256;

from_row! {
    /// A webhook with open deliveries that a claim checks.
    pub(super) struct ClaimCandidate {
        pub(super) webhook_id: WebhookId,
        has_due: bool,
        /// Whether the lease of a first attempt has expired.
        pub(super) has_abandoned: bool,
        rate_limit: Option<RateLimit>,
    }
}

impl ClaimCandidate {
    /// Returns whether only as many deliveries may be claimed as its rate limit allows.
    pub(super) fn needs_pace(&self) -> bool {
        self.rate_limit.is_some() && (self.has_due || self.has_abandoned)
    }
}

from_row! {
    /// The pace of a webhook with a rate limit, locked by this claim.
    pub(super) struct PaceRow {
        webhook_id: WebhookId,
        free_at: i64,
    }
}

from_row! {
    pub(super) struct ClaimedRow {
        pub(super) id: DeliveryId,
        pub(super) webhook_id: WebhookId,
        pub(super) event_key: i64,
        attempts: u32,
        earlier_attempts: u32,
    }
}

from_row! {
    pub(super) struct PayloadRow {
        key: i64,
        id: EventId,
        payload: Vec<u8>,
    }
}

/// Number of deliveries to claim from each webhook.
pub(super) struct ClaimPlan {
    pub(super) lease: Lease,
    /// Maximum number of deliveries by webhook.
    pub(super) limits: Vec<(WebhookId, usize)>,
    /// Paces of the webhooks with a rate limit.
    paces: HashMap<WebhookId, Pace>,
    /// Webhooks whose rate limit allows fewer deliveries than there are slots. Not backlogged, because a free slot does
    /// not help them.
    paced: HashSet<WebhookId>,
    backlogged: HashSet<WebhookId>,
    last_webhook: Option<WebhookId>,
}

impl ClaimPlan {
    /// Plans a claim from at most [`MAX_CANDIDATES`] candidates. `paces` has those with a rate limit, unless another
    /// process is claiming from them.
    pub(super) fn new(candidates: Vec<ClaimCandidate>, paces: Vec<PaceRow>, claim: &Claim<'_>) -> Self {
        let free_at: HashMap<_, _> = paces
            .into_iter()
            .map(|row| (row.webhook_id, row.free_at))
            .collect();
        let (mut paces, mut paced) = (HashMap::new(), HashSet::new());
        let last = candidates.last().filter(|_| candidates.len() == MAX_CANDIDATES);
        let mut last_webhook = last.map(|candidate| candidate.webhook_id.clone());
        let mut backlogged = HashSet::new();
        let mut limits = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            if !candidate.has_due && !candidate.has_abandoned {
                continue;
            }
            let webhook = candidate.webhook_id;
            let capacity = (claim.capacity)(&webhook);
            if capacity == 0 {
                backlogged.insert(webhook);
                continue;
            }
            let Some(rate_limit) = candidate.rate_limit else {
                limits.push((webhook, capacity));
                continue;
            };
            let pace = free_at
                .get(&webhook)
                .map(|&free_at| Pace::new(rate_limit, free_at));
            let available = pace.map_or(0, |pace| pace.available(claim.now));
            if available < capacity {
                paced.insert(webhook.clone());
            }
            if let Some(pace) = pace.filter(|_| available > 0) {
                paces.insert(webhook.clone(), pace);
                limits.push((webhook, available.min(capacity)));
            }
        }
        if limits.len() > claim.limit {
            limits.truncate(claim.limit);
            last_webhook = limits.last().map(|(webhook, _)| webhook.clone());
        }
        if let Some(share) = claim.limit.checked_div(limits.len()) {
            for (_, limit) in &mut limits {
                *limit = share.min(*limit);
            }
        }
        Self {
            lease: Lease::generate(claim.now),
            limits,
            paces,
            paced,
            backlogged,
            last_webhook,
        }
    }

    /// Returns the new time of the next call of each webhook with a rate limit, in microseconds.
    pub(super) fn new_paces(&self, rows: &[ClaimedRow], now: Timestamp) -> Vec<(&WebhookId, i64)> {
        let moved = self.paces.iter().filter_map(|(webhook, pace)| {
            let calls = rows.iter().filter(|row| row.webhook_id == *webhook).count();
            (calls > 0).then(|| (webhook, pace.after(now, calls)))
        });
        moved.collect()
    }

    /// Combines the claimed rows with the payloads of their events.
    pub(super) fn into_claimed(
        mut self,
        rows: Vec<ClaimedRow>,
        payloads: Vec<PayloadRow>,
    ) -> Result<Claimed, StoreError> {
        let events: HashMap<i64, (EventId, Bytes)> = payloads
            .into_iter()
            .map(|row| (row.key, (row.id, row.payload.into())))
            .collect();
        let mut counts = HashMap::<WebhookId, usize>::new();
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in rows {
            let event = events.get(&row.event_key).cloned();
            let (event_id, payload) = event.ok_or(StoreError::Corrupt("delivery without an event"))?;
            *counts.entry(row.webhook_id.clone()).or_default() += 1;
            deliveries.push(ClaimedDelivery {
                id: row.id,
                webhook_id: row.webhook_id,
                event_id,
                lease: self.lease.clone(),
                number: row.attempts.saturating_add(1),
                earlier_attempts: row.earlier_attempts,
                payload,
            });
        }
        for (webhook, limit) in self.limits {
            if counts.get(&webhook) == Some(&limit) && !self.paced.contains(&webhook) {
                self.backlogged.insert(webhook);
            }
        }
        Ok(Claimed {
            deliveries,
            paced: self.paced,
            backlogged: self.backlogged,
            last_webhook: self.last_webhook,
        })
    }
}
