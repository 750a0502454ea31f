//! What happened to events.

use async_trait::async_trait;
use bytes::Bytes;

use super::StoreError;
use crate::domain::{AccountId, EventId, EventType, Fate, Place, ReceivedEvent, Timestamp};

/// The list costs the same however long the history is: it reads a page by an index, or looks through so many
/// rows at most and says how far it came.
#[async_trait]
pub trait EventLogStore: Send + Sync {
    /// Newest first.
    async fn list_events(&self, account: &AccountId, filter: &EventFilter) -> Result<EventPage, StoreError>;
    async fn event(&self, account: &AccountId, id: &EventId) -> Result<Option<EventDetail>, StoreError>;
}

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
    pub fates: Vec<Fate>,
}
