//! Recoveries, which send missed events to a webhook again in small steps.

use crate::domain::{EventId, EventType, RecoveryScope, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryRange {
    pub scope: RecoveryScope,
    /// Start of the range of receipt times, inclusive.
    pub since: Timestamp,
    /// End of the range of receipt times, exclusive.
    pub until: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryPreview {
    /// Number of events found.
    pub count: u64,
    /// Whether the scan ended at its limit, so that there may be more events.
    pub more: bool,
    /// The first events, oldest first.
    pub first: Vec<Recoverable>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recoverable {
    pub event_id: EventId,
    pub event_type: EventType,
    pub received_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryStart {
    Started,
    /// Another recovery of the webhook is running.
    AlreadyRunning,
    /// The webhook is paused or disabled.
    WebhookInactive,
    /// The webhook does not exist.
    NotFound,
}

/// Result of a step of a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryProgress {
    /// The next step can follow immediately.
    More,
    /// The next step must wait, because enough deliveries are due, the webhook is paused or disabled, or another
    /// process made this step.
    Wait,
    /// The recovery has ended.
    Ended,
}
