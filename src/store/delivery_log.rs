//! The delivery log.

use bytes::Bytes;

use crate::domain::{
    Attempt, Delivery, DeliveryId, DeliveryStatus, EventId, EventType, Timestamp, WebhookId,
};

#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    pub webhook_id: Option<WebhookId>,
    pub status: Option<DeliveryStatus>,
    pub event_type: Option<EventType>,
    pub event_id: Option<EventId>,
    /// Start of the range of creation times, inclusive.
    pub since: Option<Timestamp>,
    /// End of the range of creation times, exclusive.
    pub until: Option<Timestamp>,
    /// Returns only deliveries older than this one.
    pub before: Option<DeliveryId>,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliveryPage {
    pub deliveries: Vec<Delivery>,
    /// Position of the next page, or `None` if no older deliveries can match.
    pub next: Option<DeliveryId>,
}

#[derive(Debug, Clone)]
pub struct DeliveryDetail {
    pub delivery: Delivery,
    pub payload: Bytes,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// Whether there are attempts before these.
    pub has_older_attempts: bool,
}

/// Attempts of a delivery to read: the newest ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptRange {
    /// Returns only attempts with a lower number.
    pub before: Option<u32>,
    /// `None` for all.
    pub limit: Option<u32>,
}

/// Result of resending a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendOutcome {
    /// The delivery is due.
    Due,
    /// An attempt is already in progress. Nothing was changed.
    InProgress,
    /// The webhook is paused. The delivery is held until the webhook is resumed.
    Held,
    /// The webhook is disabled. Nothing was changed.
    Disabled,
    /// The webhook was deleted. Nothing was changed.
    Deleted,
}
