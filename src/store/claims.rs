//! Selection of the webhooks that a claim takes deliveries from, and assembly of its result. Independent of the
//! database.
//!
//! Claims visit the webhooks round-robin, so that one with a long queue does not starve the others.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::{Claim, Claimed, ClaimedDelivery, Lease, StoreError};
use crate::domain::{DeliveryId, EventId, WebhookId};

/// Maximum number of webhooks that one claim checks. This takes about a millisecond, even if none has due deliveries.
pub(super) const MAX_CANDIDATES: usize = 256;

from_row! {
    /// A webhook with open deliveries that a claim checks.
    pub(super) struct ClaimCandidate {
        pub(super) webhook_id: WebhookId,
        has_due: bool,
        /// Whether the lease of a first attempt has expired.
        pub(super) has_abandoned: bool,
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
    backlogged: HashSet<WebhookId>,
    last_webhook: Option<WebhookId>,
}

impl ClaimPlan {
    /// Plans a claim from at most [`MAX_CANDIDATES`] candidates.
    pub(super) fn new(candidates: Vec<ClaimCandidate>, claim: &Claim<'_>) -> Self {
        let last = candidates.last().filter(|_| candidates.len() == MAX_CANDIDATES);
        let mut last_webhook = last.map(|candidate| candidate.webhook_id.clone());
        let mut backlogged = HashSet::new();
        let mut limits = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            if !candidate.has_due && !candidate.has_abandoned {
                continue;
            }
            match (claim.capacity)(&candidate.webhook_id) {
                0 => drop(backlogged.insert(candidate.webhook_id)),
                capacity => limits.push((candidate.webhook_id, capacity)),
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
            backlogged,
            last_webhook,
        }
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
            if counts.get(&webhook) == Some(&limit) {
                self.backlogged.insert(webhook);
            }
        }
        Ok(Claimed {
            deliveries,
            backlogged: self.backlogged,
            last_webhook: self.last_webhook,
        })
    }
}
