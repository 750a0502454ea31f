//! Outcome of an event for each webhook of its account.

use super::{Delivery, EventId, EventType, Timestamp, WebhookId};

/// Received event, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    pub id: EventId,
    pub event_type: EventType,
    /// Time at which the event happened, according to its publisher.
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    /// Number of deliveries that were created when the event was received.
    pub deliveries: u32,
}

/// Outcome of one event for one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOutcome {
    /// The event has a delivery to the webhook.
    Delivery(Box<Delivery>),
    /// The event has no delivery to the webhook.
    NotSent {
        webhook_id: WebhookId,
        webhook_name: String,
        webhook_deleted: bool,
        reason: NotSent,
    },
}

/// Reason an event has no delivery to a webhook. It refers to the state of the webhook when the event was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// The webhook was not subscribed to the event type.
    NotSubscribed,
    Disabled,
    /// The filter of the webhook excluded the event. Contains the part of the filter, in words.
    Filtered(String),
    /// The delivery is not stored yet, because the event has many.
    Queued,
    /// The webhook was added at this time, after the event.
    AddedLater(Timestamp),
}
