//! Recoveries: what a webhook has missed is made due again, a little at a time.

use async_trait::async_trait;

use super::{Change, StoreError};
use crate::domain::{
    AccountId, EventId, EventType, Recovery, RecoveryId, RecoveryScope, Timestamp, WebhookId,
};

#[async_trait]
pub trait RecoveryStore: Send + Sync {
    /// What a recovery would find first, and how much of it there is as far as it was counted.
    async fn preview_recovery(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        wanted: RecoveryRange,
    ) -> Result<RecoveryPreview, StoreError>;
    async fn start_recovery(
        &self,
        id: &RecoveryId,
        change: &Change,
        wanted: RecoveryRange,
    ) -> Result<Started, StoreError>;
    /// Of a webhook, newest first: at most `limit`, and only those older than `before`.
    async fn recoveries(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        before: Option<&RecoveryId>,
        limit: u32,
    ) -> Result<Vec<Recovery>, StoreError>;
    /// `None`: there is none of that id, or it is none of this webhook.
    async fn recovery(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        id: &RecoveryId,
    ) -> Result<Option<Recovery>, StoreError>;
    /// False if it does not run, or is none of this webhook.
    async fn cancel_recovery(&self, id: &RecoveryId, change: &Change) -> Result<bool, StoreError>;
    /// Those that run, of all accounts.
    async fn running_recoveries(&self) -> Result<Vec<RecoveryId>, StoreError>;
    /// Makes the next few deliveries of it due, unless enough of its webhook are.
    async fn advance_recovery(&self, id: &RecoveryId, now: Timestamp) -> Result<Advanced, StoreError>;
}

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
