//! The event log.

use bytes::Bytes;

use crate::domain::{EventCursor, EventOutcome, EventType, ReceivedEvent, Timestamp};

#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    pub event_type: Option<EventType>,
    /// Returns only events that had no subscribed webhook when they were received.
    pub unsent: bool,
    /// Start of the range of receipt times, inclusive.
    pub since: Option<Timestamp>,
    /// End of the range of receipt times, exclusive.
    pub until: Option<Timestamp>,
    /// Returns only events older than this position.
    pub before: Option<EventCursor>,
    pub limit: u32,
}

#[derive(Debug, Clone)]
pub struct EventPage {
    pub events: Vec<ReceivedEvent>,
    /// Position of the next page, or `None` if no older events can match.
    pub next: Option<EventCursor>,
}

#[derive(Debug, Clone)]
pub struct EventDetail {
    pub event: ReceivedEvent,
    pub payload: Bytes,
    /// Outcomes for all webhooks that existed when the event was received or exist now. Deliveries come first.
    pub outcomes: Vec<EventOutcome>,
}
