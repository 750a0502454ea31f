//! Webhooks and their secrets.

use std::borrow::Cow;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Deed, Sealed, SealedSecrets, StoreError};
use crate::domain::{
    AccountId, Actor, EndpointUrl, EventType, Latencies, Origin, Timestamp, Webhook, WebhookId,
    WebhookSettings, WebhookStatus,
};

/// Every change is written to the audit log in the same transaction.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// [`StoreError::Conflict`] if the name is taken, [`StoreError::Full`] if the account has enough.
    async fn insert_webhook(&self, webhook: NewWebhook) -> Result<Webhook, StoreError>;
    async fn webhook(&self, account: &AccountId, id: &WebhookId) -> Result<Option<Webhook>, StoreError>;
    /// Newest first.
    async fn list_webhooks(
        &self,
        account: &AccountId,
        filter: &WebhookFilter,
    ) -> Result<WebhookPage, StoreError>;
    async fn update_webhook(&self, update: UpdateWebhook) -> Result<Updated, StoreError>;
    /// Holds the open deliveries; one that is being sent is held only if that attempt fails. `None`: no such webhook.
    async fn pause_webhook(&self, change: &Change) -> Result<Option<Webhook>, StoreError>;
    /// Makes it active again, whatever stopped it, and what was held due at once, or cancels that. `None`: no such
    /// webhook.
    async fn resume_webhook(&self, change: &Change, held: Held) -> Result<Option<Webhook>, StoreError>;
    /// Makes `secret` the current one; the one before signs too until `previous_until`. `None`: no such webhook.
    async fn rotate_secret(
        &self,
        change: &Change,
        secret: Sealed,
        previous_until: Timestamp,
    ) -> Result<Option<Webhook>, StoreError>;
    /// Erases the secrets, frees the name and cancels every open delivery. `None`: no such webhook.
    async fn delete_webhook(&self, change: &Change, based_on: Option<i64>) -> Result<Removed, StoreError>;

    async fn sealed_secrets(
        &self,
        account: &AccountId,
        id: &WebhookId,
    ) -> Result<Option<SealedSecrets>, StoreError>;
    /// What an attempt needs to know, as of now. `None` once deleted.
    async fn destination(&self, id: &WebhookId) -> Result<Option<Destination>, StoreError>;
    /// Attempts by hour since then, for each of these webhooks.
    async fn webhook_activity(
        &self,
        ids: &[WebhookId],
        since: Timestamp,
    ) -> Result<Vec<HourOfActivity>, StoreError>;
    /// How long receivers took to answer since then, all together.
    async fn webhook_latencies(&self, id: &WebhookId, since: Timestamp) -> Result<Latencies, StoreError>;
    /// Forgets what was counted by the hour before then.
    async fn delete_old_statistics(&self, before: Timestamp) -> Result<(), StoreError>;
    /// The master keys with which secrets are sealed.
    async fn master_key_ids(&self) -> Result<Vec<String>, StoreError>;
    /// By name. The oldest thousand of an account that has more.
    async fn webhook_names(&self, account: &AccountId) -> Result<Vec<(WebhookId, String)>, StoreError>;
    /// How many deliveries are pending or held.
    async fn open_deliveries(
        &self,
        account: &AccountId,
        id: &WebhookId,
    ) -> Result<OpenDeliveries, StoreError>;
    /// How many each of these webhooks holds, no further than one beyond [`OpenDeliveries::COUNTED`]; those that hold
    /// none are left out.
    async fn held_deliveries(&self, ids: &[WebhookId]) -> Result<Vec<(WebhookId, u64)>, StoreError>;
}

/// Deliveries of a webhook that are still to be sent; both together are counted no further than one beyond
/// [`OpenDeliveries::COUNTED`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenDeliveries {
    pub pending: u64,
    pub held: u64,
}

impl OpenDeliveries {
    pub const COUNTED: u64 = 10_000;
}

/// What becomes of the deliveries that a paused webhook holds, when it is resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Held {
    #[default]
    Send,
    /// They are cancelled, and stay on record.
    Drop,
}

/// Who changes which webhook, from where, and when.
#[derive(Debug, Clone)]
pub struct Change {
    pub account_id: AccountId,
    pub webhook_id: WebhookId,
    /// An email, or an API key's name.
    pub by: String,
    pub from: Origin,
    pub at: Timestamp,
}

impl Change {
    pub fn new(actor: &Actor, webhook_id: WebhookId, at: Timestamp) -> Self {
        Self {
            account_id: actor.account_id.clone(),
            webhook_id,
            by: actor.name.clone(),
            from: actor.origin,
            at,
        }
    }

    /// What it is to the audit log.
    pub(super) fn deed(&self, action: impl Into<Cow<'static, str>>) -> Deed {
        let actor = Actor {
            account_id: self.account_id.clone(),
            name: self.by.clone(),
            origin: self.from,
        };
        Deed::new(&actor, action, self.webhook_id.as_str(), self.at)
    }
}

#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub change: Change,
    pub settings: WebhookSettings,
    pub secret: Sealed,
    /// How many the account may have, this one included.
    pub at_most: u32,
}

#[derive(Debug, Clone)]
pub struct UpdateWebhook {
    pub change: Change,
    pub settings: WebhookSettings,
    /// Replaces the current secret at once, without an overlap.
    pub secret: Option<Sealed>,
    /// The version that the change was made on; `None` overwrites whatever is there.
    pub based_on: Option<i64>,
}

/// What became of an update.
#[derive(Debug, Clone)]
pub enum Updated {
    Saved(Box<Webhook>),
    /// Somebody saved it since; this is what it is now.
    Stale(Box<Webhook>),
    NameTaken,
    NotFound,
}

#[derive(Debug)]
pub enum Removed {
    Done(Deleted),
    /// Somebody saved it since; this is what it is now.
    Stale(Box<Webhook>),
    NotFound,
}

#[derive(Debug, Clone)]
pub struct Deleted {
    pub name: String,
    pub cancelled: u64,
}

/// What an attempt needs to know of its webhook.
#[derive(Debug, Clone)]
pub struct Destination {
    pub url: EndpointUrl,
    pub state: DestinationState,
    pub secrets: SealedSecrets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum DestinationState {
    Active,
    Paused,
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookFilter {
    /// Part of the name or the URL, in any case.
    pub search: Option<String>,
    pub event_type: Option<EventType>,
    pub status: Option<WebhookStatus>,
    /// Only those older than this one; the counts are of all.
    pub before: Option<WebhookId>,
    /// 0 for the first,
    pub page: u32,
    /// of so many each.
    pub limit: u32,
}

impl Default for WebhookFilter {
    fn default() -> Self {
        Self {
            search: None,
            event_type: None,
            status: None,
            before: None,
            page: 0,
            limit: Self::PAGE_SIZE,
        }
    }
}

impl WebhookFilter {
    pub const PAGE_SIZE: u32 = 50;
}

#[derive(Debug, Clone)]
pub struct WebhookPage {
    pub webhooks: Vec<Webhook>,
    /// How many match the filter.
    pub matching: u64,
    /// How many the account has.
    pub total: u64,
}

/// The attempts of one webhook in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourOfActivity {
    pub webhook_id: WebhookId,
    pub hour: Timestamp,
    pub succeeded: u32,
    pub failed: u32,
}
