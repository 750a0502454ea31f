//! What happened to deliveries.

use async_trait::async_trait;
use bytes::Bytes;

use super::StoreError;
use crate::domain::{
    AccountId, Actor, Attempt, Delivery, DeliveryId, DeliveryStatus, EventId, EventType, Timestamp, WebhookId,
};

/// Every list here costs the same however long the history is: it reads a page by an index, or looks through so many
/// rows at most and says how far it came.
#[async_trait]
pub trait DeliveryLogStore: Send + Sync {
    /// Newest first.
    async fn list_deliveries(
        &self,
        account: &AccountId,
        filter: &DeliveryFilter,
    ) -> Result<DeliveryPage, StoreError>;
    async fn delivery(
        &self,
        account: &AccountId,
        id: &DeliveryId,
    ) -> Result<Option<DeliveryDetail>, StoreError>;
    /// Makes it due at once, with all attempts of the schedule before it. `None`: there is no such delivery.
    async fn resend_delivery(
        &self,
        actor: &Actor,
        id: &DeliveryId,
        at: Timestamp,
    ) -> Result<Option<Resent>, StoreError>;
}

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
