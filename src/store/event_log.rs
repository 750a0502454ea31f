//! What happened to events.

use bytes::Bytes;

use crate::domain::{EventOutcome, EventType, Place, ReceivedEvent, Timestamp};

#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    pub event_type: Option<EventType>,
    /// Only those that went to no webhook when they were received.
    pub unsent: bool,
    /// Received then or later.
    pub since: Option<Timestamp>,
    /// Received earlier.
    pub until: Option<Timestamp>,
    /// Only those older than this one.
    pub before: Option<Place>,
    pub limit: u32,
}

#[derive(Debug, Clone)]
pub struct EventPage {
    pub events: Vec<ReceivedEvent>,
    /// Where to go on. `None`: nothing older can match.
    pub next: Option<Place>,
}

#[derive(Debug, Clone)]
pub struct EventDetail {
    pub event: ReceivedEvent,
    pub payload: Bytes,
    /// Of each webhook that there was or that there is now; deliveries first.
    pub outcomes: Vec<EventOutcome>,
}
