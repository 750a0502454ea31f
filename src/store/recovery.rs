//! Recoveries: what a webhook has missed is made due again, a little at a time.

use crate::domain::{EventId, EventType, RecoveryScope, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryRange {
    pub scope: RecoveryScope,
    /// Events received then or later,
    pub since: Timestamp,
    /// and earlier than this.
    pub until: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryPreview {
    /// How many were found.
    pub count: u64,
    /// Whether there may be more than were looked for.
    pub more: bool,
    /// The first few, oldest first.
    pub first: Vec<Recoverable>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recoverable {
    pub event_id: EventId,
    pub event_type: EventType,
    pub received_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    Running,
    /// Another one of the same webhook still runs.
    AnotherRuns,
    /// The webhook is paused or disabled.
    Stopped,
    /// There is no such webhook.
    NotFound,
}

/// What a step of a recovery came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advanced {
    /// Go on at once.
    More,
    /// Later: enough is due, or the webhook is paused or disabled, or another process is at it.
    Wait,
    Ended,
}
