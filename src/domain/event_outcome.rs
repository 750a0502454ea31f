//! What became of an event at each webhook of its account.

use super::{Delivery, EventId, EventType, Timestamp, WebhookId};

/// An event as it was received, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    pub id: EventId,
    pub event_type: EventType,
    /// When it happened, as its publisher says.
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    /// To how many webhooks it went when it was received.
    pub deliveries: u32,
}

/// What became of one event at one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOutcome {
    /// It was sent, or is to be.
    Delivery(Box<Delivery>),
    NotSent {
        webhook_id: WebhookId,
        webhook_name: String,
        webhook_deleted: bool,
        reason: NotSent,
    },
}

/// Why a webhook did not get an event. What counts is what the webhook was when the event was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// It was not subscribed to this type.
    NotSubscribed,
    Disabled,
    /// It did not exist yet.
    AddedLater(Timestamp),
}
