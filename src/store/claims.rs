//! Whose turn it is in a claim, and what it gives out. Without SQL, the same for every database.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::{Claim, Claimed, ClaimedDelivery, Lease, StoreError};
use crate::domain::{DeliveryId, EventId, WebhookId};

/// Webhooks that one claim goes to at most: a millisecond's work, also when nothing of theirs is due yet.
pub(super) const MAX_TURNS: usize = 256;

from_row! {
    /// A webhook with open deliveries whose turn it is.
    pub(super) struct Turn {
        pub(super) webhook_id: WebhookId,
        is_due: bool,
        /// Whether a first attempt of it never ended.
        pub(super) is_abandoned: bool,
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

/// A claim under way.
pub(super) struct Turns {
    pub(super) lease: Lease,
    /// From whom to take how many.
    pub(super) wanted: Vec<(WebhookId, usize)>,
    unfinished: HashSet<WebhookId>,
    until: Option<WebhookId>,
}

impl Turns {
    /// `next` are the webhooks with open deliveries that come next, [`MAX_TURNS`] at most.
    pub(super) fn new(next: Vec<Turn>, claim: &Claim<'_>) -> Self {
        let last = next.last().filter(|_| next.len() == MAX_TURNS);
        let mut until = last.map(|turn| turn.webhook_id.clone());
        let mut unfinished = HashSet::new();
        let mut wanted = Vec::with_capacity(next.len());
        for turn in next.into_iter().filter(|turn| turn.is_due || turn.is_abandoned) {
            match (claim.room)(&turn.webhook_id) {
                0 => drop(unfinished.insert(turn.webhook_id)),
                room => wanted.push((turn.webhook_id, room)),
            }
        }
        if wanted.len() > claim.limit {
            wanted.truncate(claim.limit);
            until = wanted.last().map(|(webhook, _)| webhook.clone());
        }
        if let Some(each) = claim.limit.checked_div(wanted.len()) {
            for (_, room) in &mut wanted {
                *room = each.min(*room);
            }
        }
        Self {
            lease: Lease::generate(claim.now),
            wanted,
            unfinished,
            until,
        }
    }

    /// What the claim gives out: these rows, with the bodies of their events.
    pub(super) fn end(
        mut self,
        rows: Vec<ClaimedRow>,
        payloads: Vec<PayloadRow>,
    ) -> Result<Claimed, StoreError> {
        let events: HashMap<i64, (EventId, Bytes)> = payloads
            .into_iter()
            .map(|row| (row.key, (row.id, row.payload.into())))
            .collect();
        let mut found = HashMap::<WebhookId, usize>::new();
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in rows {
            let event = events.get(&row.event_key).cloned();
            let (event_id, payload) = event.ok_or(StoreError::Corrupt("delivery without an event"))?;
            *found.entry(row.webhook_id.clone()).or_default() += 1;
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
        for (webhook, wanted) in self.wanted {
            if found.get(&webhook) == Some(&wanted) {
                self.unfinished.insert(webhook);
            }
        }
        Ok(Claimed {
            deliveries,
            unfinished: self.unfinished,
            until: self.until,
        })
    }
}
