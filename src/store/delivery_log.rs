//! What happened to deliveries.

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
    /// Made then or later.
    pub since: Option<Timestamp>,
    /// Made earlier.
    pub until: Option<Timestamp>,
    /// Only those older than this one.
    pub before: Option<DeliveryId>,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPage {
    pub deliveries: Vec<Delivery>,
    /// Where to go on. `None`: nothing older can match.
    pub next: Option<DeliveryId>,
}

#[derive(Debug, Clone)]
pub struct DeliveryDetail {
    pub delivery: Delivery,
    pub payload: Bytes,
    pub attempts: Vec<Attempt>,
}

/// What became of a wish to send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resent {
    /// It is due.
    Due,
    /// It is being sent at this moment.
    UnderWay,
    /// Its webhook is paused: it goes out when that is resumed.
    Held,
    /// Its webhook is disabled: nothing has changed.
    Disabled,
    /// Its webhook was deleted: nothing has changed.
    Deleted,
}
