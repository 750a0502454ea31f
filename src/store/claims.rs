//! Whose turn it is in a claim, and what it gives out. Without SQL, the same for every database.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::{
    Claim, Claimed, ClaimedDelivery, Lease, StoreError,
    rows::{ClaimedRow, PayloadRow, small_count, stored_id},
};
use crate::domain::{DeliveryId, WebhookId};

/// A claim goes to so many webhooks at most: a millisecond's work, also when nothing of theirs is due yet.
pub(super) const TURNS: usize = 256;

/// A claim under way.
pub(super) struct Turns {
    pub(super) lease: Lease,
    /// From whom to take how many.
    pub(super) wanted: Vec<(WebhookId, usize)>,
    unfinished: HashSet<WebhookId>,
    until: Option<WebhookId>,
}

impl Turns {
    /// `rows` are the webhooks with open deliveries that come next, [`TURNS`] at most, and whether something of theirs
    /// is due.
    pub(super) fn new(rows: &[(String, bool)], claim: &Claim<'_>) -> Result<Self, StoreError> {
        let mut until = match rows.last() {
            Some((webhook, _)) if rows.len() == TURNS => Some(stored_id(webhook)?),
            _ => None,
        };
        let mut unfinished = HashSet::new();
        let mut wanted = Vec::with_capacity(rows.len());
        for (webhook, _) in rows.iter().filter(|(_, due)| *due) {
            let webhook = stored_id(webhook)?;
            match (claim.room)(&webhook) {
                0 => drop(unfinished.insert(webhook)),
                room => wanted.push((webhook, room)),
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
        Ok(Self {
            lease: Lease(DeliveryId::generate(claim.now).into()),
            wanted,
            unfinished,
            until,
        })
    }

    /// What the claim gives out: these rows, with the bodies of their events.
    pub(super) fn end(
        mut self,
        rows: Vec<ClaimedRow>,
        payloads: Vec<PayloadRow>,
    ) -> Result<Claimed, StoreError> {
        let payloads: HashMap<_, Bytes> = payloads
            .into_iter()
            .map(|row| ((row.account_id, row.id), row.payload.into()))
            .collect();
        let mut found = HashMap::<String, usize>::new();
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in rows {
            let payload = payloads.get(&(row.account_id, row.event_id.clone()));
            deliveries.push(ClaimedDelivery {
                id: stored_id(&row.id)?,
                webhook_id: stored_id(&row.webhook_id)?,
                event_id: stored_id(&row.event_id)?,
                lease: self.lease.clone(),
                number: small_count(row.attempts).saturating_add(1),
                earlier_attempts: small_count(row.earlier_attempts),
                payload: payload
                    .cloned()
                    .ok_or(StoreError::Corrupt("delivery without an event"))?,
            });
            *found.entry(row.webhook_id).or_default() += 1;
        }
        for (webhook, wanted) in self.wanted {
            if found.get(webhook.as_str()) == Some(&wanted) {
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
